/** The page where people sign in, send videos and see what becomes of them. */
export { consoleRoutes } from "./console-routes.ts";
