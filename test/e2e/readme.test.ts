import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { settings } from "../../src/platform/config.ts";
import { type Json, pickWanted } from "../helpers/golden-cases.ts";
import { makeDataDirectory, startService, type TestService } from "../helpers/service.ts";

const root = join(import.meta.dirname, "../..");
const readme = readFileSync(join(root, "README.md"), "utf8");
const run = promisify(execFile);

let service: TestService;
let folder: string;

beforeAll(async () => {
  service = await startService();
  folder = await makeDataDirectory();
});

afterAll(async () => {
  await service.stop();
  await rm(folder, { recursive: true });
});

/** The code blocks behind a marker such as `<!-- run -->`, in order. */
function readBlocks(marker: string): readonly string[] {
  return [...readme.matchAll(new RegExp(`<!-- ${marker} -->\\n\`\`\`\\w+\\n([\\s\\S]*?)\`\`\``, "g"))].map(
    (match) => match[1]!,
  );
}

/** Runs a block as a reader would, against this test's service instead of the default ports. */
async function runBlock(block: string): Promise<string> {
  const script = block
    .replaceAll("http://127.0.0.1:8080", service.adminUrl)
    .replaceAll("http://127.0.0.1:50051", service.gatewayUrl)
    .replaceAll("my-rules.yaml", join(folder, "my-rules.yaml"));
  const { stdout } = await run("bash", ["-euc", script], {
    cwd: root,
    env: {
      ...process.env,
      SWITCHYARD_CLI_ADMIN: service.adminUrl,
      SWITCHYARD_CLI_GATEWAY: service.gatewayUrl.replace("http://", ""),
    },
  });
  return stdout;
}

describe("the README", () => {
  test("gives the answers that its calls get", async () => {
    const calls = readBlocks("run");
    const answers = readBlocks("answer");
    expect(calls).toHaveLength(3);
    expect(answers).toHaveLength(3);
    for (const [at, call] of calls.entries()) {
      const want = JSON.parse(answers[at]!) as Json;
      const got = JSON.parse(await runBlock(call)) as Json;
      expect(pickWanted(got, want)).toEqual(want);
    }
  });

  test("has a tour for rule admins that goes through, and says what it shows", async () => {
    const blocks = readBlocks("tour");
    expect(blocks).toHaveLength(6);
    const outputs: string[] = [];
    for (const block of blocks) outputs.push(await runBlock(block));
    const [, , simulated, pushed, activated, rolledBack] = outputs;
    const wanted = readBlocks("shows");
    expect(wanted).toHaveLength(2);
    expect(trimLines(simulated!)).toContain(trimLines(wanted[0]!));
    expect(trimLines(pushed!)).toContain(trimLines(wanted[1]!));
    expect(activated).toMatch(/Rule set\s+version 2/);
    expect(rolledBack).toContain("version 1 is active, before it version 2");
  }, 120_000);

  test("has a tour for CRM and safer-gambling teams that goes through, and says what it shows", async () => {
    const blocks = readBlocks("crm");
    const wanted = readBlocks("crm-shows");
    expect(blocks).toHaveLength(6);
    expect(wanted).toHaveLength(6);
    for (const [at, block] of blocks.entries()) {
      const shown = trimLines(await runBlock(block)).split("\n");
      expect(pickInOrder(shown, wanted[at]!.trimEnd().split("\n")), block).toEqual([]);
    }
  }, 120_000);

  test("lists every setting with its default and meaning", () => {
    const rows = readme.split("\n").filter((line) => line.startsWith("| `SWITCHYARD_"));
    expect(rows).toEqual(
      Object.entries(settings).map(
        ([name, { default: value, meaning }]) => `| \`${name}\` | \`${value}\` | ${meaning} |`,
      ),
    );
  });
});

/** Those of the wanted lines that are not among the shown ones, one after the other. What is shown may have more in a line. */
function pickInOrder(shown: readonly string[], wanted: readonly string[]): readonly string[] {
  let from = 0;
  return wanted.filter((line) => {
    const at = shown.findIndex((each, index) => index >= from && each.includes(line));
    if (at >= 0) from = at + 1;
    return at < 0;
  });
}

function trimLines(text: string): string {
  return text
    .split("\n")
    .map((line) => line.trimEnd())
    .join("\n");
}
