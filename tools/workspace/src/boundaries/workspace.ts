/** A project as its package.json and the Nx graph know it. */
export type Project = {
  name: string;
  /** Folder, relative to the workspace. */
  root: string;
  packageName: string;
  dependencies: readonly string[];
  devDependencies: readonly string[];
};

/** One import in one file, as written. */
export type Import = {
  /** Relative to the workspace. */
  file: string;
  specifier: string;
};

/** Everything that the boundary check looks at. */
export type Workspace = {
  projects: readonly Project[];
  /** Between projects, by name, as the Nx graph has them. */
  edges: readonly { from: string; to: string }[];
  imports: readonly Import[];
  /** Folders that have a package.json and belong to the workspace, found without Nx. */
  folders: readonly string[];
  /** Development packages of the root, which every project may use in tests. */
  provided: readonly string[];
};
