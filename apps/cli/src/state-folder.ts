import { join } from "node:path";
import type { Context } from "./context.ts";

/** Where the command line keeps what it must remember: `$XDG_CONFIG_HOME/kinora`, or `~/.config/kinora`. */
export function stateFolder({ env, home }: Pick<Context, "env" | "home">): string {
  return join(env.XDG_CONFIG_HOME || join(home, ".config"), "kinora");
}
