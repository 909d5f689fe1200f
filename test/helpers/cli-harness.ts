import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach } from "vitest";
import { runCli } from "../../src/cli/program.ts";
import { makeIo } from "./captured-io.ts";
import { type StubService, startStubService } from "./stub-service.ts";

export type CliHarness = {
  /** The service behind both doors; its calls and answers are forgotten before each test. */
  readonly stub: StubService;
  /** A folder of the test's own. */
  readonly folder: string;
  readonly file: (name: string, text: string) => string;
  /** Runs a command line against the stub. */
  readonly run: (
    args: readonly string[],
    given?: Parameters<typeof makeIo>[0],
  ) => Promise<{ readonly code: number; readonly out: string; readonly err: string }>;
};

/** Sets up, for all tests of the file, a stub service and a folder. */
export function useCliHarness(): CliHarness {
  let stub: StubService;
  let folder = "";
  beforeAll(async () => {
    stub = await startStubService();
  });
  afterAll(() => stub.stop());
  beforeEach(() => {
    stub.calls.length = 0;
    stub.answers.clear();
    folder = mkdtempSync(join(tmpdir(), "switchyard-cli-"));
  });
  afterEach(() => rmSync(folder, { recursive: true }));
  return {
    get stub() {
      return stub;
    },
    get folder() {
      return folder;
    },
    file(name, text) {
      const path = join(folder, name);
      writeFileSync(path, text);
      return path;
    },
    async run(args, given = {}) {
      const env = { SWITCHYARD_CLI_ADMIN: stub.admin, SWITCHYARD_CLI_GATEWAY: stub.gateway, ...given.env };
      const io = makeIo({ ...given, env });
      const code = await runCli(args, io);
      return { code, out: io.stdout(), err: io.stderr() };
    },
  };
}
