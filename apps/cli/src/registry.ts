import type { Command } from "./command.ts";

/** A command as the overview shows it; its code is loaded when it runs. */
export type Entry = { name: string; arguments: string; summary: string; load(): Promise<Command> };

/** Every command, in the order in which the overview shows them. */
export const registry: readonly Entry[] = [
  {
    name: "encode",
    arguments: "FILE",
    summary: "send a video, watch it become a stream, get its address",
    load: async () => (await import("./commands/encode.ts")).command,
  },
  {
    name: "list",
    arguments: "",
    summary: "list your videos, newest first",
    load: async () => (await import("./commands/list.ts")).command,
  },
  {
    name: "show",
    arguments: "ID",
    summary: "show a video or an encode: state, qualities, addresses",
    load: async () => (await import("./commands/show.ts")).command,
  },
  {
    name: "watch",
    arguments: "ID",
    summary: "follow an encode to its end",
    load: async () => (await import("./commands/watch.ts")).command,
  },
  {
    name: "cancel",
    arguments: "ID",
    summary: "cancel an encode",
    load: async () => (await import("./commands/cancel.ts")).command,
  },
  {
    name: "retry",
    arguments: "ID",
    summary: "try a failed encode again",
    load: async () => (await import("./commands/retry.ts")).command,
  },
  {
    name: "delete",
    arguments: "ID",
    summary: "delete a video with its streams, or one encode",
    load: async () => (await import("./commands/delete.ts")).command,
  },
  {
    name: "profiles",
    arguments: "[save|delete NAME]",
    summary: "settings under a name: Kinora's, and your own",
    load: async () => (await import("./commands/profiles.ts")).command,
  },
  {
    name: "webhooks",
    arguments: "[ACTION ARGUMENT]",
    summary: "addresses that are told what happens to your videos",
    load: async () => (await import("./commands/webhooks.ts")).command,
  },
  {
    name: "signup",
    arguments: "[EMAIL]",
    summary: "make an account and log in",
    load: async () => (await import("./commands/signup.ts")).command,
  },
  {
    name: "login",
    arguments: "[EMAIL]",
    summary: "log in",
    load: async () => (await import("./commands/login.ts")).command,
  },
  {
    name: "logout",
    arguments: "",
    summary: "log out",
    load: async () => (await import("./commands/logout.ts")).command,
  },
  {
    name: "whoami",
    arguments: "",
    summary: "show who is logged in, and where",
    load: async () => (await import("./commands/whoami.ts")).command,
  },
  {
    name: "sessions",
    arguments: "[end ID]",
    summary: "where you are logged in, and an end to it",
    load: async () => (await import("./commands/sessions.ts")).command,
  },
  {
    name: "keys",
    arguments: "[ACTION ARGUMENT]",
    summary: "API keys, for programs",
    load: async () => (await import("./commands/keys.ts")).command,
  },
  {
    name: "service-accounts",
    arguments: "[ACTION ACCOUNT]",
    summary: "accounts of programs, services and workers, for administrators",
    load: async () => (await import("./commands/service-accounts.ts")).command,
  },
  {
    name: "account",
    arguments: "[ACTION]",
    summary: "your account: password, address, second factors, export, end",
    load: async () => (await import("./commands/account.ts")).command,
  },
  {
    name: "users",
    arguments: "[ACTION]",
    summary: "everybody's accounts: list, invite, role, disable, delete",
    load: async () => (await import("./commands/users.ts")).command,
  },
  {
    name: "token",
    arguments: "",
    summary: "print an access token, for curl and the like",
    load: async () => (await import("./commands/token.ts")).command,
  },
];
