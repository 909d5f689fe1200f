import type { ConnectError } from "@connectrpc/connect";
import type { DecideResponse } from "../../gen/switchyard/v1/decision_pb.js";
import {
  DecideResponse_Verdict,
  DecisionConflict_Kind,
  DecisionConflictSchema,
} from "../../gen/switchyard/v1/decision_pb.js";
import { FieldFaultSchema, MissingSchema } from "../../gen/switchyard/v1/fault_pb.js";
import { kebabCode } from "../failure.ts";

/** How often each of a set of names was met, the most frequent first, then by name. */
export type Counts = readonly (readonly [name: string, count: number])[];

/** An error with how often it was met; the message is that of the first. */
export type ErrorCount = { readonly name: string; readonly count: number; readonly message: string };

/** Latencies in ms: exact percentiles of all calls, not of a sample; all zero where there were none. */
export type Latency = {
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
  readonly p999: number;
  readonly max: number;
};

const noPsp = "(no plan)";
/** More different names than this are counted together, so that no answer can make the memory grow. */
const namesMax = 10_000;
const otherNames = "(others)";

/** Counts what answers say. */
export class Tally {
  readonly #verdicts = new Map<string, number>();
  readonly #psps = new Map<string, number>();
  readonly #segments = new Map<string, number>();
  readonly #rules = new Map<string, number>();
  readonly #reasons = new Map<string, number>();
  readonly #ruleSets = new Map<string, number>();
  readonly #errors = new Map<string, { count: number; readonly message: string }>();
  readonly #latencies: Float64Array;
  #latencyCount = 0;
  readonly #limits = new Map<string, number>();
  decided = 0;
  /** Outcomes that were reported. */
  reported = 0;
  replayed = 0;
  failed = 0;

  constructor(callsMax: number) {
    this.#latencies = new Float64Array(callsMax);
  }

  add(response: DecideResponse, latencyMs: number): void {
    this.decided++;
    this.#latencies[this.#latencyCount++] = latencyMs;
    if (response.replayed) this.replayed++;
    count(this.#verdicts, DecideResponse_Verdict[response.verdict] ?? String(response.verdict));
    count(this.#psps, response.plan?.steps[0]?.psp ?? noPsp);
    for (const segment of response.segments) count(this.#segments, segment);
    for (const { id, shadow } of response.matchedRules) count(this.#rules, shadow ? `${id} (shadow)` : id);
    for (const { code } of response.reasons) count(this.#reasons, code);
    this.#countLimits(response);
    const { version = 0n, hash = "" } = response.ruleSet ?? {};
    count(this.#ruleSets, `${version} ${hash}`);
  }

  /** A payment that was decided, but whose outcome could not be told. */
  failReport(error: ConnectError): void {
    this.failed++;
    this.#noteError(error);
  }

  /** A limit stopped the payment where it is among the reasons of a denial. */
  #countLimits({ verdict, reasons, limits }: DecideResponse): void {
    if (verdict !== DecideResponse_Verdict.DENY) return;
    for (const { limitId, fits } of limits) {
      if (!fits && reasons.some(({ sourceId }) => sourceId === limitId)) count(this.#limits, limitId);
    }
  }

  fail(error: ConnectError, latencyMs: number): void {
    this.failed++;
    this.#latencies[this.#latencyCount++] = latencyMs;
    this.#noteError(error);
  }

  #noteError(error: ConnectError): void {
    const name = nameError(error);
    const known = this.#errors.get(name);
    if (known !== undefined) known.count++;
    else if (this.#errors.size < namesMax) this.#errors.set(name, { count: 1, message: error.rawMessage });
  }

  get verdicts(): Counts {
    return sortCounts(this.#verdicts);
  }
  /** PSPs of first steps. */
  get psps(): Counts {
    return sortCounts(this.#psps);
  }
  get segments(): Counts {
    return sortCounts(this.#segments);
  }
  get rules(): Counts {
    return sortCounts(this.#rules);
  }
  get reasons(): Counts {
    return sortCounts(this.#reasons);
  }
  /** Payments that each limit stopped. */
  get limits(): Counts {
    return sortCounts(this.#limits);
  }
  /** Version and hash of the rule sets that decided. */
  get ruleSets(): Counts {
    return sortCounts(this.#ruleSets);
  }
  get errors(): readonly ErrorCount[] {
    return [...this.#errors]
      .map(([name, { count, message }]) => ({ name, count, message }))
      .sort((a, b) => b.count - a.count || (a.name < b.name ? -1 : 1));
  }

  latency(): Latency {
    const sorted = this.#latencies.subarray(0, this.#latencyCount).slice().sort();
    return {
      p50: percentile(sorted, 0.5),
      p90: percentile(sorted, 0.9),
      p99: percentile(sorted, 0.99),
      p999: percentile(sorted, 0.999),
      max: sorted.at(-1) ?? 0,
    };
  }
}

/** The least value that at least the given share of all values does not exceed (nearest rank). */
function percentile(sorted: Float64Array, share: number): number {
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? 0;
}

function count(counts: Map<string, number>, name: string): void {
  const known = counts.get(name);
  if (known !== undefined) counts.set(name, known + 1);
  else if (counts.size < namesMax) counts.set(name, 1);
  else counts.set(otherNames, (counts.get(otherNames) ?? 0) + 1);
}

function sortCounts(counts: ReadonlyMap<string, number>): Counts {
  return [...counts].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1));
}

/** The kind of an error without the ids of single payments: code, then what the first detail says. */
function nameError(error: ConnectError): string {
  const code = kebabCode(error.code);
  const [fault] = error.findDetails(FieldFaultSchema);
  if (fault !== undefined) return `${code} ${fault.field} ${fault.rule}`;
  const [conflict] = error.findDetails(DecisionConflictSchema);
  if (conflict !== undefined) return `${code} ${DecisionConflict_Kind[conflict.kind]}`;
  const [missing] = error.findDetails(MissingSchema);
  if (missing !== undefined) return `${code} ${missing.kind}`;
  return code;
}
