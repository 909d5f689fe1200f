/** The outcomes that a closed breaker judges by: those of its window, and what is carried over of those before. */
import type { BreakerPolicy } from "./breaker-policy.ts";

/** What an outcome says of the health of whoever answered. NEUTRAL says nothing. */
export type HealthSign = "SUCCESS" | "FAILURE" | "TIMEOUT" | "ISSUER_DOWN" | "NEUTRAL";

export type Call = {
  /** Of which attempt, so that each counts once. */
  readonly attempt: string;
  readonly atMs: number;
  readonly sign: Exclude<HealthSign, "NEUTRAL">;
  readonly issuerKey: string | undefined;
};

export type Calls = {
  /** By instant, then by arrival; at most `callsMax`, none older than the window. */
  readonly counted: readonly Call[];
  /** Answers that an issuer is down, as long as too few issuers are: they count for nothing. */
  readonly doubtful: readonly Call[];
  /** What the change detector and the run of timeouts had come to before the first that is counted. */
  readonly evidenceBefore: number;
  readonly timeoutsBefore: number;
};

export type Tally = {
  readonly calls: number;
  readonly failures: number;
  readonly timeoutsInRow: number;
  /** How much likelier the outcomes are if it is broken than if all is as always, as a natural logarithm; never below 0. */
  readonly evidence: number;
};

export const noCalls: Calls = { counted: [], doubtful: [], evidenceBefore: 0, timeoutsBefore: 0 };

/** From so many issuers on that are down at once it is not they who are (`DOMAIN.md` 3). */
const issuersMin = 3;

/** Adds an outcome; one that is older than the window, or of an attempt that is in it, changes nothing. */
export function addCall(calls: Calls, call: Call, policy: BreakerPolicy, nowMs: number): Calls {
  const settled = dropOld(calls, policy, nowMs);
  if (call.atMs <= nowMs - policy.windowMs) return settled;
  const isKnown = ({ attempt }: Call): boolean => attempt === call.attempt;
  if (settled.counted.some(isKnown) || settled.doubtful.some(isKnown)) return settled;
  const added =
    call.sign === "ISSUER_DOWN"
      ? addDoubtful(settled, call)
      : { ...settled, counted: insert(settled.counted, call) };
  return dropSurplus(added, policy);
}

/** Lets outcomes go that are older than the window. */
export function dropOld(calls: Calls, policy: BreakerPolicy, nowMs: number): Calls {
  const fromMs = nowMs - policy.windowMs;
  const { counted, doubtful } = calls;
  const isOld = (call: Call | undefined): boolean => call !== undefined && call.atMs <= fromMs;
  if (!isOld(counted[0]) && !isOld(doubtful[0])) return calls;
  const first = counted.findIndex(({ atMs }) => atMs > fromMs);
  return {
    ...carry(calls, first === -1 ? counted.length : first, policy),
    doubtful: doubtful.filter((call) => !isOld(call)),
  };
}

export function tally({ counted, evidenceBefore, timeoutsBefore }: Calls, policy: BreakerPolicy): Tally {
  let failures = 0;
  for (const { sign } of counted) if (sign !== "SUCCESS") failures++;
  return {
    calls: counted.length,
    failures,
    timeoutsInRow: runOn(timeoutsBefore, counted),
    evidence: accumulate(evidenceBefore, counted, policy),
  };
}

/** An issuer that is down says nothing of the PSP, unless several are at once: then all these answers count, those of before too. */
function addDoubtful(calls: Calls, call: Call): Calls {
  const doubtful = insert(calls.doubtful, call);
  const down = [...doubtful, ...calls.counted.filter(({ sign }) => sign === "ISSUER_DOWN")];
  const issuers = new Set(down.map(({ issuerKey }) => issuerKey).filter((key) => key !== undefined));
  if (issuers.size < issuersMin) return { ...calls, doubtful };
  return { ...calls, counted: doubtful.reduce(insert, calls.counted), doubtful: [] };
}

function dropSurplus(calls: Calls, policy: BreakerPolicy): Calls {
  const surplus = calls.counted.length - policy.callsMax;
  const kept = surplus > 0 ? carry(calls, surplus, policy) : calls;
  const { doubtful } = kept;
  return doubtful.length <= policy.callsMax ? kept : { ...kept, doubtful: doubtful.slice(-policy.callsMax) };
}

/** Forgets the first `count` outcomes, but not what they amount to. */
function carry(calls: Calls, count: number, policy: BreakerPolicy): Calls {
  if (count === 0) return calls;
  const gone = calls.counted.slice(0, count);
  return {
    counted: calls.counted.slice(count),
    doubtful: calls.doubtful,
    evidenceBefore: accumulate(calls.evidenceBefore, gone, policy),
    timeoutsBefore: runOn(calls.timeoutsBefore, gone),
  };
}

/**
 * Page's CUSUM over the likelihood ratio of `brokenShare` against `normalShare`: what speaks for broken adds up, what speaks against takes away, and
 * below nothing it does not go.
 */
function accumulate(
  before: number,
  calls: readonly Call[],
  { normalShare, brokenShare }: BreakerPolicy,
): number {
  const ofSuccess = Math.log(brokenShare / normalShare);
  const ofFailure = Math.log((1 - brokenShare) / (1 - normalShare));
  let evidence = before;
  for (const { sign } of calls)
    evidence = Math.max(0, evidence + (sign === "SUCCESS" ? ofSuccess : ofFailure));
  return evidence;
}

function runOn(before: number, calls: readonly Call[]): number {
  let run = before;
  for (const { sign } of calls) run = sign === "TIMEOUT" ? run + 1 : 0;
  return run;
}

/** By instant; of equal instants the one that came first. */
function insert(calls: readonly Call[], call: Call): readonly Call[] {
  let at = calls.length;
  while (at > 0 && calls[at - 1]!.atMs > call.atMs) at--;
  return [...calls.slice(0, at), call, ...calls.slice(at)];
}
