/** Where an S3 store keeps its objects. */
export type S3Settings = {
  bucket: string;
  /** Before every key, without slashes at its ends; empty for none. */
  prefix: string;
  /** The server; without it Amazon's, or what AWS_ENDPOINT_URL_S3 says. */
  endpoint?: string;
  /** The address by which workers, browsers and players reach the server, if it is another. */
  publicEndpoint?: string;
  /** Without it `us-east-1` at an endpoint, and at Amazon what AWS_REGION or a profile says. */
  region?: string;
  /** `https://host/bucket/key` instead of `https://bucket.host/key`. */
  pathStyle: boolean;
};

const bucketName = /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/;
const prefixName = /^$|^[A-Za-z0-9_-][A-Za-z0-9._-]*(\/[A-Za-z0-9_-][A-Za-z0-9._-]*)*$/;
const regionName = /^[a-z0-9-]{1,50}$/;
const known = new Set(["endpoint", "public-endpoint", "region", "path-style"]);

/**
 * Reads `s3://bucket/prefix?endpoint=…&public-endpoint=…&region=…&path-style=…`; undefined if it is anything else. Keys to the bucket don't belong in it: the
 * SDK finds them where all tools of S3 look (AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, a profile, a role of the machine or the pod).
 * Path style is the default with an endpoint, since few other servers than Amazon's have a name for each bucket.
 */
export function parseStorageUrl(text: string): S3Settings | undefined {
  const url = URL.parse(text);
  if (url === null || url.protocol !== "s3:" || url.username !== "" || url.port !== "" || url.hash !== "") {
    return undefined;
  }
  const prefix = url.pathname.replace(/^\/+|\/+$/g, "");
  if (!bucketName.test(url.hostname) || !prefixName.test(prefix) || prefix.length > 200) return undefined;
  const names = [...url.searchParams.keys()];
  if (names.some((name) => !known.has(name)) || new Set(names).size < names.length) return undefined;
  const endpoint = url.searchParams.get("endpoint");
  const publicEndpoint = url.searchParams.get("public-endpoint");
  const region = url.searchParams.get("region");
  const pathStyle = url.searchParams.get("path-style") ?? String(endpoint !== null);
  if ([endpoint, publicEndpoint].some((one) => one !== null && !isOrigin(one))) return undefined;
  if (pathStyle !== "true" && pathStyle !== "false") return undefined;
  if (region !== null && !regionName.test(region)) return undefined;
  return {
    bucket: url.hostname,
    prefix,
    ...(endpoint === null ? {} : { endpoint }),
    ...(publicEndpoint === null ? {} : { publicEndpoint }),
    ...(region === null ? {} : { region }),
    pathStyle: pathStyle === "true",
  };
}

function isOrigin(text: string): boolean {
  const url = URL.parse(text);
  return (
    url !== null && /^https?:$/.test(url.protocol) && url.username === "" && url.pathname === "/" && url.search === ""
  );
}

/** STORAGE_URL as a setting of a process. */
export const storageUrl = {
  expected:
    "s3://bucket/prefix without keys, with any of ?endpoint=https://host&public-endpoint=https://host&region=name&path-style=true",
  parse: parseStorageUrl,
};
