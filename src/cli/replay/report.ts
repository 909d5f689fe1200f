import type { Paint } from "../io.ts";
import { type Cell, formatFields, formatTable, toPrintable } from "../table.ts";
import type { PaymentExport } from "./read-export.ts";
import type { ReplayRun } from "./run.ts";
import type { Counts } from "./tally.ts";

/** What a replay did. */
export type ReplayReport = {
  /** What was replayed, for people. */
  readonly source: string;
  /** Address of the gateway listener. */
  readonly gateway: string;
  readonly merchant: string;
  readonly export: PaymentExport;
  readonly run: ReplayRun;
};

const shownFaultsMax = 20;
const shownCountsMax = 50;

/** The report as one JSON document; counts are objects, the most frequent name first. Documented in docs/replay.md. */
export function reportAsJson({ source, gateway, merchant, export: read, run }: ReplayReport): unknown {
  const { tally } = run;
  return {
    source,
    gateway,
    merchant,
    rows: read.rowCount,
    badRows: read.badRowCount,
    badRowFaults: read.faults,
    sent: run.sent,
    ended: run.ended,
    decided: tally.decided,
    replayed: tally.replayed,
    outcomesReported: tally.reported,
    failed: tally.failed,
    verdicts: toObject(tally.verdicts),
    firstPsps: toObject(tally.psps),
    segments: toObject(tally.segments),
    rules: toObject(tally.rules),
    stoppedByLimits: toObject(tally.limits),
    reasons: toObject(tally.reasons),
    ruleSets: toObject(tally.ruleSets),
    errors: tally.errors,
    latencyMs: tally.latency(),
    elapsedMs: run.elapsedMs,
    paymentsPerSecond: ratePerSecond(run),
  };
}

/** The report as tables. */
export function formatReport(report: ReplayReport, paint: Paint): string {
  const { export: read, run } = report;
  const { tally } = run;
  const share = (count: number): string => `${((100 * count) / Math.max(1, tally.decided)).toFixed(2)}%`;
  const table = (title: string, counts: Counts): string => {
    if (counts.length === 0) return "";
    const shown = counts
      .slice(0, shownCountsMax)
      .map(([name, count]): Cell[] => [name, String(count), share(count)]);
    const more = counts.length - shown.length;
    const columns = [
      { title },
      { title: "Payments", align: "right" },
      { title: "Share", align: "right" },
    ] as const;
    return `${formatTable(columns, shown, paint.bold)}${more > 0 ? `and ${more} more\n` : ""}\n`;
  };
  return [
    formatBadRows(read, paint),
    table("Verdict", tally.verdicts),
    table("First PSP", tally.psps),
    table("Segment", tally.segments),
    table("Rule that fired", tally.rules),
    table("Stopped by limit", tally.limits),
    table("Reason", tally.reasons),
    formatErrors(run, paint),
    formatLatency(run, paint),
    formatSummary(report),
  ].join("");
}

function formatBadRows({ badRowCount, faults }: PaymentExport, paint: Paint): string {
  if (badRowCount === 0) return "";
  const rows = faults
    .slice(0, shownFaultsMax)
    .map(({ line, column, rule, message }): Cell[] => [String(line), column, rule, message]);
  const columns = [
    { title: "Line", align: "right" },
    { title: "Column" },
    { title: "Rule" },
    { title: "Why not decided" },
  ] as const;
  const more = faults.length - rows.length;
  const rest = more > 0 ? `and ${more} more: --json names up to 10,000\n` : "";
  return `${formatTable(columns, rows, paint.bold)}${rest}${paint.yellow(`${badRowCount} bad rows were not decided`)}\n\n`;
}

function formatErrors({ tally, ended }: ReplayRun, paint: Paint): string {
  const rows = tally.errors
    .slice(0, shownCountsMax)
    .map(({ name, count, message }): Cell[] => [{ text: name, paint: paint.red }, String(count), message]);
  const columns = [
    { title: "Error" },
    { title: "Calls", align: "right" },
    { title: "First message" },
  ] as const;
  const table = rows.length === 0 ? "" : `${formatTable(columns, rows, paint.bold)}\n`;
  switch (ended) {
    case "all sent":
      return table;
    case "interrupted":
      return `${table}${paint.yellow("Interrupted: the rest was not sent.")}\n\n`;
    case "only errors":
      return `${table}${paint.red("Nothing but errors for 1,000 calls: the rest was not sent.")}\n\n`;
  }
}

function formatLatency(run: ReplayRun, paint: Paint): string {
  const { p50, p90, p99, p999, max } = run.tally.latency();
  const titles = ["p50", "p90", "p99", "p99.9", "max"];
  const columns = [{ title: "Latency" }, ...titles.map((title) => ({ title, align: "right" as const }))];
  const cells = [p50, p90, p99, p999, max].map((ms) => `${ms.toFixed(2)} ms`);
  return `${formatTable(columns, [["", ...cells]], paint.bold)}\n`;
}

function formatSummary({ source, gateway, merchant, export: read, run }: ReplayReport): string {
  const { tally, elapsedMs } = run;
  const seconds = (elapsedMs / 1000).toFixed(1);
  const again = tally.replayed > 0 ? `, of which ${tally.replayed} repeat stored answers` : "";
  return formatFields([
    ["Source", toPrintable(source)],
    ["Rows", `${read.rowCount}, ${read.badRowCount} bad`],
    ["Decided", `${tally.decided}${again}`],
    ["Outcomes", tally.reported === 0 ? "" : `${tally.reported} reported`],
    ["Failed", String(tally.failed)],
    ["Merchant", `${merchant} at ${gateway}`],
    [
      "Rule set",
      tally.ruleSets.map(([name]) => `version ${name.slice(0, name.indexOf(" ") + 13)}`).join(", "),
    ],
    ["Time", `${seconds} s, ${Math.round(ratePerSecond(run))} payments per second`],
  ]);
}

function ratePerSecond({ sent, elapsedMs }: ReplayRun): number {
  return elapsedMs > 0 ? (sent * 1000) / elapsedMs : 0;
}

function toObject(counts: Counts): Readonly<Record<string, number>> {
  return Object.fromEntries(counts);
}
