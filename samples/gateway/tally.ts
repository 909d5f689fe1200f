/** What a run came to, as tables. */

import { formatTable } from "../../src/cli/table.ts";
import { type Step, Step_Kind } from "../../src/gen/switchyard/v1/decision_pb.js";
import { Outcome_Class as Class } from "../../src/gen/switchyard/v1/payment_pb.js";
import type { BookedAttempt } from "./books.ts";
import type { Ending, Witness } from "./gateway.ts";
import type { PspAnswer } from "./psp-client.ts";
import { isOpen } from "./report.ts";

type PspTally = {
  sent: number;
  approved: number;
  failed: number;
  unknown: number;
  readonly declined: Map<string, number>;
  readonly latenciesMs: number[];
};

export type Tally = Witness & {
  readonly ended: (paymentId: string, ending: Ending) => void;
  /** Endings by what they were, such as `declined STOP`. */
  readonly endings: ReadonlyMap<string, number>;
  readonly counts: Counts;
  readonly format: (lateCharges: number) => string;
};

export type Counts = {
  payments: number;
  approved: number;
  /** Approved by another PSP than the first that was tried. */
  detours: number;
  /** Attempts beyond the first of their payment. */
  retries: number;
  stepUps: number;
  unknown: number;
  resolved: number;
  statusChecks: number;
  voided: number;
};

type Slice = { readonly sent: Map<string, number>; approved: number; ended: number };

/** `sliceMs` is the length of a row of the timeline; nowMs any clock that only goes forward. */
export function openTally(nowMs: () => number, sliceMs: number): Tally {
  const startMs = nowMs();
  const psps = new Map<string, PspTally>();
  const endings = new Map<string, number>();
  const firstPsp = new Map<string, string>();
  const lastPsp = new Map<string, string>();
  const unknown = new Set<string>();
  const slices: Slice[] = [];
  const counts: Counts = {
    payments: 0,
    approved: 0,
    detours: 0,
    retries: 0,
    stepUps: 0,
    unknown: 0,
    resolved: 0,
    statusChecks: 0,
    voided: 0,
  };
  const ofPsp = (psp: string): PspTally => {
    const known = psps.get(psp);
    if (known !== undefined) return known;
    const made = { sent: 0, approved: 0, failed: 0, unknown: 0, declined: new Map(), latenciesMs: [] };
    psps.set(psp, made);
    return made;
  };
  const sliceNow = (): Slice => {
    const at = Math.floor((nowMs() - startMs) / sliceMs);
    while (slices.length <= at) slices.push({ sent: new Map(), approved: 0, ended: 0 });
    return slices[at]!;
  };
  return {
    sent({ payment, psp }: BookedAttempt, { kind }: Step) {
      ofPsp(psp).sent++;
      addTo(sliceNow().sent, psp);
      if (firstPsp.has(payment)) counts.retries++;
      else firstPsp.set(payment, psp);
      lastPsp.set(payment, psp);
      if (kind === Step_Kind.STEP_UP) counts.stepUps++;
    },
    answered({ psp, key }: BookedAttempt, answer: PspAnswer, outcome: Class, latencyMs: number | undefined) {
      const tally = ofPsp(psp);
      if (answer.kind === "approved") tally.approved++;
      if (answer.kind === "declined") addTo(tally.declined, Class[outcome]);
      if (answer.kind === "failed" || answer.kind === "three_ds_failed") tally.failed++;
      const isUnknown = isOpen(answer) || outcome === Class.UNKNOWN || outcome === Class.PENDING;
      if (isUnknown && answer.kind !== "voided") {
        tally.unknown++;
        if (!unknown.has(key)) counts.unknown++;
        unknown.add(key);
        return;
      }
      if (unknown.delete(key)) counts.resolved++;
      if (latencyMs !== undefined) tally.latenciesMs.push(latencyMs);
    },
    asked() {
      counts.statusChecks++;
    },
    voided() {
      counts.voided++;
    },
    ended(paymentId, ending) {
      counts.payments++;
      addTo(endings, nameEnding(ending));
      const slice = sliceNow();
      slice.ended++;
      if (ending.kind !== "approved") return;
      slice.approved++;
      counts.approved++;
      if (firstPsp.get(paymentId) !== lastPsp.get(paymentId)) counts.detours++;
    },
    endings,
    counts,
    format: (lateCharges) =>
      [
        formatTimeline(slices, [...psps.keys()].sort(), sliceMs),
        formatPsps(psps),
        formatEndings(endings, counts.payments),
        formatCounts(counts, lateCharges),
      ].join("\n"),
  };
}

function nameEnding(ending: Ending): string {
  switch (ending.kind) {
    case "approved":
      return ending.partly ? "approved in part" : "approved";
    case "denied":
      return `denied ${ending.reason}`;
    case "declined":
      return `declined, then ${ending.by}`;
    case "unresolved":
      return "unresolved";
  }
}

function formatTimeline(slices: readonly Slice[], psps: readonly string[], sliceMs: number): string {
  const columns = ["Second", ...psps, "Ended", "Approved"].map((title) => ({
    title,
    align: "right" as const,
  }));
  const rows = slices.map(({ sent, ended, approved }, at) => [
    String((at * sliceMs) / 1000),
    ...psps.map((psp) => String(sent.get(psp) ?? 0)),
    String(ended),
    formatShare(approved, ended),
  ]);
  return `Attempts sent, by time\n${formatTable(columns, rows)}`;
}

function formatPsps(psps: ReadonlyMap<string, PspTally>): string {
  const titles = [
    "PSP",
    "Sent",
    "Approved",
    "Declined",
    "Failed",
    "Unknown",
    "p50 ms",
    "p95 ms",
    "Declines by class",
  ];
  const columns = titles.map((title, at) =>
    at === 0 || at === titles.length - 1 ? { title } : { title, align: "right" as const },
  );
  const rows = [...psps.entries()].sort(byName).map(([psp, tally]) => [
    psp,
    String(tally.sent),
    String(tally.approved),
    String([...tally.declined.values()].reduce((sum, count) => sum + count, 0)),
    String(tally.failed),
    String(tally.unknown),
    formatQuantile(tally.latenciesMs, 0.5),
    formatQuantile(tally.latenciesMs, 0.95),
    [...tally.declined.entries()]
      .sort(byCount)
      .map(([name, count]) => `${name} ${count}`)
      .join(", "),
  ]);
  return formatTable(columns, rows);
}

function formatEndings(endings: ReadonlyMap<string, number>, payments: number): string {
  const rows = [...endings.entries()]
    .sort(byCount)
    .map(([name, count]) => [name, String(count), formatShare(count, payments)]);
  const right = { align: "right" as const };
  return formatTable(
    [{ title: "Payments" }, { title: "Count", ...right }, { title: "Share", ...right }],
    rows,
  );
}

function formatCounts(counts: Counts, lateCharges: number): string {
  const rows: (readonly [string, number])[] = [
    ["approved by another PSP than the first", counts.detours],
    ["further attempts", counts.retries],
    ["step-ups among them", counts.stepUps],
    ["outcomes that nobody knew", counts.unknown],
    ["resolved by asking", counts.resolved],
    ["questions for the status", counts.statusChecks],
    ["late charges in settlement files", lateCharges],
    ["charges voided as one too many", counts.voided],
  ];
  return formatTable(
    [{ title: "On the way" }, { title: "Count", align: "right" }],
    rows.map(([name, count]) => [name, String(count)]),
  );
}

function formatShare(part: number, whole: number): string {
  return whole === 0 ? "-" : `${((100 * part) / whole).toFixed(1)}%`;
}

function formatQuantile(values: readonly number[], at: number): string {
  if (values.length === 0) return "-";
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(at * sorted.length))]!.toFixed(0);
}

function addTo(map: Map<string, number>, name: string): void {
  map.set(name, (map.get(name) ?? 0) + 1);
}

function byName([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number {
  return a < b ? -1 : 1;
}

function byCount(a: readonly [string, number], b: readonly [string, number]): number {
  return b[1] - a[1] || byName(a, b);
}
