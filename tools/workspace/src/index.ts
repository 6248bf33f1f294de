/** The local Nx plugin: Nx loads this file as it is (`"plugins": ["@kinora/workspace"]` in nx.json). */
export { createNodes } from "./inference/create-nodes.ts";

export const name = "@kinora/workspace";
