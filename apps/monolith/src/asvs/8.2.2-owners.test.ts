import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { EncoderService, WebhookService } from "@kinora/proto-encoder";
import { createInMemoryTransport, createServer, type Logger, type Owner, owned } from "@kinora/rpc";
import { describe, expect, it } from "vitest";

// ASVS 8.2.2: that a handler asks whose a resource is, is no convention: a method whose contract names one doesn't start without an owner, and its handler isn't reached by anybody else's.

const logger: Logger = { trace() {}, debug() {}, info() {}, warn() {}, error() {}, fatal() {}, child: () => logger };
const webhook: Owner = { what: "webhook", isTheirs: (id) => id.startsWith("0") };
const owners = {
  updateWebhook: webhook,
  deleteWebhook: { ...webhook, nothingIsDone: true },
  rotateWebhookSecret: webhook,
  testWebhook: webhook,
  listWebhookDeliveries: { what: "webhook", isTheirs: async (id: string) => id.startsWith("0") },
  redeliverWebhook: webhook,
} as const;
const id = (first: string) => `${first}0000000-0000-4000-8000-000000000000`;

const member = {
  kind: "user",
  userId: "u",
  role: "member",
  sessionId: "s",
  scopes: "all",
  audiences: "all",
} as const;

describe("a service that answers for resources", () => {
  it("doesn't start without an owner for each method that names one", () => {
    const { testWebhook: _, ...fewer } = owners;
    expect(() => owned(WebhookService, fewer, {} as never)).toThrow(
      "encoder.v1.WebhookService.TestWebhook names the resource id and has no owner",
    );
    const more = { ...owners, listWebhooks: webhook };
    expect(() => owned(WebhookService, more, {} as never)).toThrow("ListWebhooks has an owner and names no resource");
  });

  it("isn't served where owners are required and its handlers aren't behind them", () => {
    const authenticate = () => ({ kind: "anonymous" }) as const;
    const serve = (handlers: object) =>
      createServer({
        routes: ({ service }) => void service(WebhookService, handlers),
        authenticate,
        logger,
        ownersRequired: true,
      });
    expect(() => serve({})).toThrow("put its handlers behind owned()");
    serve(owned(WebhookService, owners, {} as never));
  });

  it("reaches a handler with what is the caller's alone, at once or after a question; nobody's is answered alike", async () => {
    const reached: string[] = [];
    const note = (name: string) => (request: object) => {
      reached.push(`${name} ${"id" in request ? request.id : ""}`);
      return {};
    };
    const handlers = { deleteWebhook: note("delete"), testWebhook: note("test"), listWebhookDeliveries: note("list") };
    const transport = createInMemoryTransport({
      routes: ({ service }) => void service(WebhookService, owned(WebhookService, owners, handlers as never)),
      authenticate: () => member,
      logger,
    });
    const hooks = createClient(WebhookService, transport);
    await hooks.testWebhook({ id: id("0") });
    const refused = await hooks.testWebhook({ id: id("1") }).catch(ConnectError.from);
    expect(refused).toMatchObject({ code: Code.NotFound, rawMessage: `There is no webhook ${id("1")}.` });
    await hooks.listWebhookDeliveries({ webhookId: id("0") });
    const other = await hooks.listWebhookDeliveries({ webhookId: id("1") }).catch(ConnectError.from);
    expect(other).toMatchObject({ code: Code.NotFound });
    await hooks.deleteWebhook({ id: id("0") });
    await hooks.deleteWebhook({ id: id("1") });
    expect(reached).toEqual([`test ${id("0")}`, "list ", `delete ${id("0")}`]);
  });

  it("sends no message of a stream about somebody else's", async () => {
    const video: Owner = { what: "video", isTheirs: () => true };
    const encode: Owner = { what: "encode", isTheirs: async (id) => id.startsWith("0") };
    const all = {
      getVideo: video,
      deleteVideo: video,
      startEncode: video,
      getEncode: encode,
      watchEncode: encode,
      cancelEncode: encode,
      retryEncode: encode,
      deleteEncode: encode,
    };
    const handlers = {
      async *watchEncode() {
        yield {};
      },
    };
    const transport = createInMemoryTransport({
      routes: ({ service }) => void service(EncoderService, owned(EncoderService, all, handlers as never)),
      authenticate: () => member,
      logger,
    });
    const watch = async (encodeId: string) => {
      let messages = 0;
      for await (const _ of createClient(EncoderService, transport).watchEncode({ id: encodeId })) messages += 1;
      return messages;
    };
    expect(await watch(id("0"))).toBe(1);
    await expect(watch(id("1"))).rejects.toMatchObject({ code: Code.NotFound });
  });
});
