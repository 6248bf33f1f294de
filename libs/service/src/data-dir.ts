/** Makes the folder (0700) if it isn't there and checks that it can be written; its absolute path, or a StartupError. */
export function prepareDataDir(_path: string): Promise<string> {
  throw new Error("not there yet");
}
