import { getJson } from "./get-json.ts";

/** Asks a service where the user service of its installation is (`discoveryRoute`). Rejects where it can't say. */
export async function discoverUserService(url: string, signal: AbortSignal): Promise<string> {
  const told = await getJson(`${url}/.well-known/kinora`, signal);
  const user = typeof told === "object" && told !== null && "user" in told ? told.user : undefined;
  if (typeof user !== "string" || !/^https?:$/.test(URL.parse(user)?.protocol ?? "")) {
    throw new Error(`${url} doesn't say where the user service is`);
  }
  return user;
}
