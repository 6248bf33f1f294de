/** The Nx plugin: gives every deployable app its `image` target (`"plugins": ["@kinora/deploy"]` in nx.json). */
export { createNodes } from "./image/create-nodes.ts";

export const name = "@kinora/deploy";
