// Plain JavaScript, because an old Node has to be able to read it to say so.
const wanted = 26;
if (Number.parseInt(process.versions.node, 10) < wanted) {
  console.error(
    `Kinora runs on Node ${wanted}, which npm installs into node_modules, but this is Node ${process.versions.node}.\n` +
      "npm was probably told to leave out install scripts (--ignore-scripts). Run: npm rebuild",
  );
  process.exit(1);
}
await import("./main.ts");
