/** A generated library's contract: which folders of proto/ it is made from. */
export type Contract = {
  /** "user" for libs/proto/user. */
  name: string;
  /** Folders below proto/ that hold this contract. */
  folders: string[];
  /** Folders below proto/ that any contract may import. */
  shared: string[];
};

/** The contract of the project at `root`, or undefined when the project isn't a generated library. */
export function contractOf(root: string, read: (path: string) => string): Contract | undefined {
  const name = /^libs\/proto\/([^/]+)$/.exec(root)?.[1];
  if (name === undefined) return undefined;
  return { name, folders: foldersOf(name, read), shared: foldersOf("common", read) };
}

/** Which folders a contract has is said once, in the `paths: [a, b]` of its buf template. */
function foldersOf(name: string, read: (path: string) => string): string[] {
  const path = `proto/buf.gen.${name}.yaml`;
  const list = /^ +paths: \[([^\]]+)\]$/m.exec(read(path))?.[1];
  if (list === undefined) throw new Error(`${path} must name its folders on one line: "paths: [a, b]".`);
  return list.split(",").map((folder) => folder.trim());
}
