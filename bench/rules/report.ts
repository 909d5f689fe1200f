import { execFileSync } from "node:child_process";
import { cpus } from "node:os";

/** Machine, Node version and commit, for the head of a report. */
export function describeMachine(): string {
  const [cpu] = cpus();
  return `${cpu?.model.trim() ?? "unknown CPU"} x ${cpus().length}, Node ${process.version}, commit ${readCommit()}`;
}

/** Rows as columns of equal width; the first row is the head. */
export function formatTable(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  return rows
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column]!))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}

/** A bar on stderr where that is a terminal; silent elsewhere. */
export function showProgress(label: string, share: number): void {
  if (!process.stderr.isTTY) {
    return;
  }
  const done = Math.round(share * 30);
  const bar = `${"#".repeat(done)}${".".repeat(30 - done)}`;
  process.stderr.write(share < 1 ? `\r${label} ${bar}` : `\r\x1b[2K`);
}

function readCommit(): string {
  try {
    return execFileSync("git", ["describe", "--always", "--dirty"], {
      encoding: "utf8",
      cwd: import.meta.dirname,
      stdio: ["ignore", "pipe", "ignore"],
    }).trim();
  } catch {
    return "unknown";
  }
}
