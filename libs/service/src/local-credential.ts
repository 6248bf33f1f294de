/** Reads KINORA_DATA/credentials/<name>, made by whoever comes first. */
export function localCredential(_dataDir: string, _name: "service" | "worker"): Promise<string> {
  throw new Error("not there yet");
}
