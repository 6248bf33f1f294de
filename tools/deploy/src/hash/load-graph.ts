import { createProjectGraphAsync, type ProjectGraph } from "@nx/devkit";

/** Nx's graph, or the reason why nothing can be concluded from it. */
export type LoadedGraph = { graph: ProjectGraph; fault?: undefined } | { graph?: undefined; fault: string };

/** Computes the project graph of the workspace that `NX_WORKSPACE_ROOT_PATH` or the current folder says. Never throws: the fault says that all is due. */
export async function loadGraph(services: readonly string[]): Promise<LoadedGraph> {
  try {
    // Plugins write to standard output, where our answer goes.
    const graph = await createProjectGraphAsync({ exitOnError: false, resetDaemonClient: true });
    const fault = faultOf(graph, services);
    return fault === undefined ? { graph } : { fault };
  } catch (error) {
    const [line = ""] = (error instanceof Error ? error.message : String(error)).split("\n");
    const causes = (error as { getErrors?(): Error[] }).getErrors?.().map((cause) => cause.message) ?? [];
    return { fault: `The project graph can't be computed: ${[line, ...causes].join(" ").slice(0, 1000)}` };
  }
}

/** Why a graph says nothing, though it was computed: with the wrong TypeScript beside it, Nx finds no edges and reports no error. */
export function faultOf(
  graph: Pick<ProjectGraph, "nodes" | "dependencies">,
  services: readonly string[],
): string | undefined {
  if (Object.keys(graph.nodes).length === 0) return "The project graph has no projects.";
  const edges = Object.values(graph.dependencies).flatMap((list) => list.filter(({ target }) => target in graph.nodes));
  if (edges.length === 0) return "The project graph has no edges between projects.";
  const missing = services.filter((name) => graph.nodes[name]?.data.targets?.image === undefined);
  if (missing.length > 0) return `The project graph lacks the image target of ${missing.join(", ")}.`;
  return undefined;
}
