import { configDefaults, defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["**/*.test.ts"],
    // An earlier release may lie there, with its tests (npm run upgrade-test).
    exclude: [...configDefaults.exclude, "dist/**"],
    // Node runs the code as it is, as it does in production.
    experimental: { viteModuleRunner: false, nodeLoader: false },
    globalSetup: ["tools/workspace/src/testing/leftovers.ts"],
    // Nx runs two suites at a time.
    maxWorkers: 1,
    // Against hanging, not for timing: machines may be slow and busy.
    testTimeout: 60_000,
    hookTimeout: 120_000,
    teardownTimeout: 30_000,
    // A shared machine may stand still for seconds, which fails a test that is right. CI tries such a test once more; a wrong one fails again.
    retry: process.env.CI ? 1 : 0,
    allowOnly: false,
    passWithNoTests: false,
  },
});
