import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { makeDataDirectory, startService, type TestService } from "../helpers/service.ts";

const root = join(import.meta.dirname, "../..");
const readme = readFileSync(join(root, "README.md"), "utf8");

/** The story is the README's, its minute shortened: the breaker tries again sooner, and everything takes half the time. */
const shorter: readonly (readonly [text: string, instead: string])[] = [
  ["--payments 2400", "--payments 1080 --slice 1"],
  ["sleep 12", "sleep 8"],
  ['"seconds":10', '"seconds":5'],
  ["sleep 6", "sleep 4"],
];
const openFor = "8s";

let service: TestService;
let folder: string;

beforeAll(async () => {
  folder = await makeDataDirectory();
  const rules = await readFile(join(root, "samples/igaming.yaml"), "utf8");
  expect(rules).toContain("\nbreaker_policy:\n");
  await writeFile(
    join(folder, "rules.yaml"),
    rules.replace("\nbreaker_policy:\n", `\nbreaker_policy:\n  open_for: ${openFor}\n`),
  );
  service = await startService({ merchants: { default: { rule_set: join(folder, "rules.yaml") } } });
});

afterAll(async () => {
  await service.stop();
  await rm(folder, { recursive: true });
});

function readBlocks(marker: string): readonly string[] {
  return [...readme.matchAll(new RegExp(`<!-- ${marker} -->\\n\`\`\`\\w+\\n([\\s\\S]*?)\`\`\``, "g"))].map(
    (match) => match[1]!,
  );
}

/** Runs a script to its end, and ends what it left behind. */
async function runScript(script: string): Promise<{ readonly code: number | null; readonly shown: string }> {
  const bash = spawn("bash", ["-euc", script], {
    cwd: root,
    env: { ...process.env, SWITCHYARD_CLI_ADMIN: service.adminUrl },
    stdio: ["ignore", "pipe", "pipe"],
    // A process group of its own: what it starts in the background ends with it.
    detached: true,
  });
  const end = () => endGroup(bash.pid!);
  onTestFinished(end);
  let shown = "";
  bash.stdout.on("data", (chunk: Buffer) => {
    shown += chunk.toString();
  });
  bash.stderr.on("data", (chunk: Buffer) => {
    shown += chunk.toString();
  });
  const code = await new Promise<number | null>((resolve) => bash.once("exit", resolve));
  end();
  await new Promise((resolve) => bash.once("close", resolve));
  return { code, shown };
}

function endGroup(group: number): void {
  try {
    process.kill(-group, "SIGKILL");
  } catch (error) {
    // Nobody is left of it.
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}

/** How wide columns are hangs on what stands in them. */
function squeeze(line: string): string {
  return line.replaceAll(/ +/g, " ");
}

/** The first of so many free ports in a row. */
async function findPorts(count: number): Promise<number> {
  for (let port = 20_000 + (process.pid % 10_000); ; port += count) {
    const free = await Promise.all(Array.from({ length: count }, (_, at) => isFree(port + at)));
    if (free.every(Boolean)) return port;
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
  });
}

/** Attempts that were sent to a PSP in each second of the gateway's timeline. */
function readTimeline(shown: string, psp: string): readonly number[] {
  const [, table = ""] = shown.split("Attempts sent, by time\n");
  const [titles = "", ...rows] = table.split("\n\n")[0]!.split("\n");
  const column = titles.trim().split(/\s+/).indexOf(psp);
  return rows.map((row) => Number(row.trim().split(/\s+/)[column]));
}

describe("the incident of the README", () => {
  test("goes as it says: a PSP browns out, traffic detours, the PSP recovers", async () => {
    const [block = "", ...more] = readBlocks("incident");
    expect(more).toEqual([]);
    const port = await findPorts(8);
    let script = block;
    for (const [text, instead] of shorter) {
      expect(script).toContain(text);
      script = script.replace(text, instead);
    }
    script = script
      .replaceAll("http://127.0.0.1:9400", `http://127.0.0.1:${port}`)
      .replace("psp-simulator/main.ts", `psp-simulator/main.ts --port ${port}`)
      .replace(
        "gateway/main.ts",
        `gateway/main.ts --seed incident --switchyard ${service.gatewayUrl} --simulator http://127.0.0.1:${port}`,
      );
    const { code, shown: stdout } = await runScript(script);
    expect(code, stdout).toBe(0);
    const shown = stdout.split("\n").map(squeeze);
    const wanted = readBlocks("incident-shows").flatMap((text) => text.trimEnd().split("\n").map(squeeze));
    expect(wanted).toHaveLength(3);
    let from = 0;
    for (const want of wanted) {
      const at = shown.findIndex((line, index) => index >= from && line.includes(want));
      expect(at, `${want} in\n${stdout}`).toBeGreaterThanOrEqual(0);
      from = at + 1;
    }
    const sent = readTimeline(stdout, "nordic-acquiring");
    const first = sent.findIndex((count) => count > 0);
    const quiet = sent.findIndex((count, second) => second > first && count === 0);
    expect(quiet, `it is never left alone: ${sent}`).toBeGreaterThan(first);
    expect(Math.max(...sent.slice(quiet)), `it is not back: ${sent}`).toBeGreaterThan(5);
    expect(stdout).not.toContain("unresolved");
  }, 120_000);
});
