/**
 * Compares src/gen with what `buf generate` makes of proto/ now, file by file, without touching the work tree.
 *
 * Exit: 0 when equal; 1 with one line per file that is missing, left over or different.
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const generatedFolder = join("src", "gen");

function listFiles(folder: string): readonly string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1));
}

/** Lists how the files under `have` differ from those under `want`, sorted; empty when they are equal byte for byte. */
export function compareFolders({
  have,
  want,
}: {
  readonly have: string;
  readonly want: string;
}): readonly string[] {
  const haveFiles = new Set(listFiles(have));
  const wantFiles = new Set(listFiles(want));
  const faults: string[] = [];
  for (const file of wantFiles) {
    if (!haveFiles.has(file)) faults.push(`${file}: missing`);
    else if (!readFileSync(join(have, file)).equals(readFileSync(join(want, file))))
      faults.push(`${file}: differs`);
  }
  for (const file of haveFiles) if (!wantFiles.has(file)) faults.push(`${file}: nothing generates it`);
  return faults.sort();
}

function main(): number {
  const folder = mkdtempSync(join(tmpdir(), "switchyard-gen-"));
  try {
    const run = spawnSync("buf", ["generate", "--output", folder], { cwd: root, stdio: "inherit" });
    if (run.status !== 0) return 1;
    const faults = compareFolders({ have: join(root, generatedFolder), want: join(folder, generatedFolder) });
    for (const fault of faults) console.error(`${generatedFolder}/${fault}`);
    if (faults.length > 0)
      console.error("Run `npm run generate` and commit the result with the .proto change.");
    return faults.length > 0 ? 1 : 0;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

if (import.meta.main) process.exitCode = main();
