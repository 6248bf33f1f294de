/** The user service: accounts, sessions and quotas behind `user.v1`. */
export { accountOptions, accountSettings } from "./account-settings.ts";
export { userMigrations } from "./migrations.ts";
export { createUserService, type KinoraUserService, type UserServiceDeps } from "./user-service.ts";
