import { describe, expect, it } from "vitest";
import type { HttpRoute } from "../routes.ts";
import { createRouter } from "./router.ts";

const route = (path: string): HttpRoute => ({ path, handle: async () => {} });

describe("createRouter", () => {
  const find = createRouter([], ["/a/", "/a/b/", "/a/b", "/c"].map(route));
  it.each([
    ["/a/", "/a/"],
    ["/a/x/y", "/a/"],
    ["/a/b", "/a/b"],
    ["/a/b/", "/a/b/"],
    ["/a/b/c", "/a/b/"],
    ["/c", "/c"],
    ["/c/d", undefined],
    ["/a", undefined],
    ["/", undefined],
    ["", undefined],
  ])("%s is answered by %s", (path, expected) => {
    const target = find(path);
    expect(target && "route" in target ? target.route.path : undefined).toBe(expected);
  });

  it("takes / for a page, not for the beginning of all", () => {
    const withHome = createRouter([], [route("/"), route("/a/")]);
    expect(withHome("/")).toMatchObject({ route: { path: "/" } });
    expect(withHome("/b")).toBeUndefined();
    expect(withHome("/a/b")).toMatchObject({ route: { path: "/a/" } });
  });

  it("refuses two handlers for one path, and a path that isn't one", () => {
    expect(() => createRouter([], [route("/a"), route("/a")])).toThrow(/two handlers.*\/a/);
    expect(() => createRouter([], [route("/a/"), route("/a/")])).toThrow(/two handlers.*\/a\//);
    expect(() => createRouter([], [route("a")])).toThrow(/doesn't start/);
  });
});
