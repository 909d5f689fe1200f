import { defineConfig } from "vitest/config";

const nodeMajorMin = 26;
if (Number(process.versions.node.split(".")[0]) < nodeMajorMin) {
  throw new Error(
    `Node ${nodeMajorMin} is needed, this is ${process.version}: use \`npm test\`, which finds the pinned one.`,
  );
}

export default defineConfig({
  test: {
    include: ["src/**/*.test.ts", "test/**/*.test.ts", "bench/**/*.test.ts"],
    // Processes, because tests load native addons, start listeners and kill what they started. Two, one per core of CI.
    pool: "forks",
    maxWorkers: 2,
    // Property tests run 100,000 cases on a shared core; a test that hangs still ends well before CI gives up.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    retry: 0,
  },
});
