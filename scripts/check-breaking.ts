/**
 * Compares proto/ with what callers may already rely on, by `buf breaking`.
 *
 * The baseline is the first of these that exists: SWITCHYARD_BREAKING_AGAINST (any git revision), the last release
 * tag (v*) before HEAD, the landed branch (origin/main), HEAD. A clone without tags or a remote, shallow or not,
 * so compares the work tree with its own commit. The baseline's files are unpacked by `git archive`, which reads
 * shallow clones and linked work trees alike.
 *
 * Exit: 0 when nothing breaks, or there is nothing to compare with (it says so); 1 otherwise.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));

/** Trimmed standard output of a git command, or undefined when git fails or is absent. */
function askGit(...args: readonly string[]): string | undefined {
  const run = spawnSync("git", args, { cwd: root, encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
  return run.status === 0 ? run.stdout.trim() : undefined;
}

function findBaseline(): string | undefined {
  const asked = process.env.SWITCHYARD_BREAKING_AGAINST;
  if (asked) return asked;
  const tag = askGit("describe", "--tags", "--abbrev=0", "--match", "v*");
  const candidates = tag === undefined ? ["origin/main", "HEAD"] : [tag];
  return candidates.find((revision) => askGit("rev-parse", "--verify", "--quiet", `${revision}^{commit}`));
}

/** Writes proto/ and buf.yaml of `revision` into `folder`; false when git cannot. */
function unpackBaseline({
  revision,
  folder,
}: {
  readonly revision: string;
  readonly folder: string;
}): boolean {
  const tarFile = join(folder, "baseline.tar");
  const packed = spawnSync("git", ["archive", "--output", tarFile, revision, "proto", "buf.yaml"], {
    cwd: root,
    stdio: "inherit",
  });
  if (packed.status !== 0) return false;
  return spawnSync("tar", ["-xf", tarFile, "-C", folder], { stdio: "inherit" }).status === 0;
}

function compareWith(revision: string): number {
  const folder = mkdtempSync(join(tmpdir(), "switchyard-proto-"));
  try {
    if (!unpackBaseline({ revision, folder })) return 1;
    const run = spawnSync("buf", ["breaking", "--against", folder], { cwd: root, stdio: "inherit" });
    console.log(`breaking: compared with ${revision}`);
    return run.status === 0 ? 0 : 1;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function main(): number {
  const revision = findBaseline();
  if (revision === undefined) {
    console.log("breaking: no git history here, nothing to compare with");
    return 0;
  }
  if (askGit("rev-parse", "--verify", "--quiet", `${revision}^{commit}`) === undefined) {
    console.error(`breaking: git knows no revision ${revision}`);
    return 1;
  }
  if (!askGit("ls-tree", revision, "proto/")) {
    console.log(`breaking: ${revision} has no proto/ yet, nothing to compare with`);
    return 0;
  }
  return compareWith(revision);
}

process.exitCode = main();
