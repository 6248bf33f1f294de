import type { Setting } from "./config.ts";
import { url } from "./config-settings.ts";

/** `dns:///host:port`: a name whose addresses all get their share of the calls (libs/rpc). */
const balanced = /^dns:\/\/\/([a-z0-9](?:[a-z0-9._-]*[a-z0-9])?)(?::(\d{1,5}))?$/i;

/** Where another service is: `http://host:port`, `https://host:port`, or `dns:///host:port` to balance calls over every address of a name. */
export function serviceAddress(options: { default?: string } = {}): Setting<string> {
  const web = url(options);
  return {
    ...web,
    expected: "an address such as http://host:1234 or dns:///host:1234",
    parse(text) {
      const [whole, , port] = balanced.exec(text) ?? [];
      if (whole === undefined) return web.parse(text);
      return port === undefined || (Number(port) >= 1 && Number(port) <= 65_535) ? whole : undefined;
    },
  };
}

/** The same place for a plain HTTP request, which needs no more than one of its addresses. */
export function webAddress(address: string): string {
  const [, host, port] = balanced.exec(address) ?? [];
  if (host === undefined) return address;
  return port === undefined ? `http://${host}` : `http://${host}:${port}`;
}
