/**
 * Runs every `check:*` script of package.json and names the ones that failed.
 *
 * `npm run check` runs all of them; `npm run check -- types lint` only those named. Nothing in the work tree changes.
 * Exit: 0 when all pass, 1 when one fails, 2 when a name is unknown.
 */
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";

const prefix = "check:";
const root = new URL("..", import.meta.url);

function listChecks(): readonly string[] {
  const manifest = JSON.parse(readFileSync(new URL("package.json", root), "utf8")) as {
    readonly scripts: Readonly<Record<string, string>>;
  };
  return Object.keys(manifest.scripts)
    .filter((name) => name.startsWith(prefix))
    .map((name) => name.slice(prefix.length));
}

function runCheck(name: string): boolean {
  const startMs = performance.now();
  const run = spawnSync("npm", ["run", "--silent", prefix + name], {
    cwd: root,
    encoding: "utf8",
    maxBuffer: 64 * 1024 * 1024,
    stdio: ["ignore", "pipe", "pipe"],
  });
  const passed = run.status === 0;
  const seconds = ((performance.now() - startMs) / 1000).toFixed(1);
  console.log(`${passed ? "ok    " : "FAILED"} ${name} (${seconds} s)`);
  if (!passed) console.log(`${run.stdout ?? ""}${run.stderr ?? ""}${run.error?.message ?? ""}`.trimEnd());
  return passed;
}

const known = listChecks();
const asked = process.argv.slice(2);
const unknown = asked.filter((name) => !known.includes(name));
if (unknown.length > 0) {
  console.error(`check: no such check: ${unknown.join(", ")}; there are ${known.join(", ")}`);
  process.exit(2);
}
const names = asked.length > 0 ? asked : known;
const failed = names.filter((name) => !runCheck(name));
console.log(
  failed.length === 0
    ? `check: all ${names.length} passed`
    : `check: ${failed.length} of ${names.length} failed: ${failed.join(", ")}`,
);
process.exitCode = failed.length === 0 ? 0 : 1;
