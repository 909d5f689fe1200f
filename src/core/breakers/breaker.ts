/**
 * A circuit breaker as a pure state machine: (state, what happened, now) -> state. Time, chance and ids are arguments.
 *
 * | State | What moves it | To |
 * |---|---|---|
 * | CLOSED | an outcome after which too much has failed | OPEN |
 * | OPEN | `openForMs` passed | HALF_OPEN |
 * | HALF_OPEN | a probe failed | OPEN |
 * | HALF_OPEN | `closeAfter` probes succeeded | CLOSED, with nothing counted |
 *
 * An open breaker hears nothing; a half-open one hears only attempts that hold a lease. A lease ends with the answer, when it is given back, or when it
 * expires, so a probe that is lost keeps nobody from the next one. A closed one hears no attempt that was sent before it closed.
 *
 * Source: `DESIGN.md` §7, `DOMAIN.md` 3, docs/decisions/0013-what-moves-a-breaker.md
 */
import type { BreakerPolicy } from "./breaker-policy.ts";
import { addCall, type Calls, dropOld, type HealthSign, noCalls, tally } from "./calls.ts";

export type BreakerPhase = "CLOSED" | "OPEN" | "HALF_OPEN";

/** Leave to try whether it works again, for the attempts of one payment there: the first, and the step-ups that may follow it. */
export type Lease = {
  readonly attempts: readonly string[];
  readonly expiresAtMs: number;
};

/** Immutable; instants are ms since the epoch. */
export type Breaker = {
  readonly phase: BreakerPhase;
  /** Undefined where it never was in another state. */
  readonly sinceMs: number | undefined;
  /** Why it is in its state, in English; empty where it never was in another. */
  readonly reason: string;
  /** When the next probe may go; of an open one. */
  readonly probeFromMs: number;
  /** Attempts sent before are not heard. */
  readonly hearFromMs: number;
  readonly calls: Calls;
  /** Out of all calls those that failed when it opened, 0 to 1; of one that is not closed. */
  readonly failureShare: number;
  readonly leases: readonly Lease[];
  /** Probes that succeeded since it is half-open. */
  readonly successes: number;
};

export type BreakerOutcome = {
  readonly attempt: string;
  readonly sign: HealthSign;
  /** Whether the same payment goes on there, so that its lease lasts although this attempt says nothing. */
  readonly goesOn: boolean;
  readonly issuerKey: string | undefined;
  /** When the attempt was sent, as far as that is known, and when its outcome was known. */
  readonly sentAtMs: number;
  readonly atMs: number;
};

export const closedBreaker: Breaker = {
  phase: "CLOSED",
  sinceMs: undefined,
  reason: "",
  probeFromMs: 0,
  hearFromMs: Number.NEGATIVE_INFINITY,
  calls: noCalls,
  failureShare: 0,
  leases: [],
  successes: 0,
};

/** How much likelier broken must be than normal for the change detector to open: a million times. */
const evidenceMin = Math.log(1_000_000);

/** What the passing of time does: the wait of an open breaker ends, leases expire. The same object where it does nothing. */
export function settleBreaker(breaker: Breaker, nowMs: number): Breaker {
  switch (breaker.phase) {
    case "CLOSED":
      return breaker;
    case "OPEN":
      return nowMs < breaker.probeFromMs ? breaker : halfOpen(breaker);
    case "HALF_OPEN": {
      const leases = breaker.leases.filter(({ expiresAtMs }) => nowMs < expiresAtMs);
      return leases.length === breaker.leases.length ? breaker : { ...breaker, leases };
    }
  }
}

/** Whether a probe may go now. */
export function mayProbe(breaker: Breaker, { probesMax }: BreakerPolicy, nowMs: number): boolean {
  const { phase, leases } = settleBreaker(breaker, nowMs);
  return phase === "HALF_OPEN" && leases.length < probesMax;
}

/** Gives a lease; undefined where there is none to give. */
export function leaseProbe(
  breaker: Breaker,
  policy: BreakerPolicy,
  lease: Lease,
  nowMs: number,
): Breaker | undefined {
  if (!mayProbe(breaker, policy, nowMs)) return undefined;
  const settled = settleBreaker(breaker, nowMs);
  return { ...settled, leases: [...settled.leases, lease] };
}

/** Takes a lease back that was not used; the same object where the attempt holds none. */
export function returnLease(breaker: Breaker, attempt: string): Breaker {
  const leases = breaker.leases.filter(({ attempts }) => !attempts.includes(attempt));
  return leases.length === breaker.leases.length ? breaker : { ...breaker, leases };
}

/** Whether the attempt may go although the breaker is half-open. */
export function holdsLease({ leases }: Breaker, attempt: string): boolean {
  return leases.some(({ attempts }) => attempts.includes(attempt));
}

/** Hears an outcome; late ones, repeated ones and those that say nothing leave a closed breaker as it is. */
export function hearOutcome(
  breaker: Breaker,
  policy: BreakerPolicy,
  outcome: BreakerOutcome,
  nowMs: number,
): Breaker {
  const settled = settleBreaker(breaker, nowMs);
  switch (settled.phase) {
    case "CLOSED":
      return hearClosed(settled, policy, outcome, nowMs);
    case "OPEN":
      return settled;
    case "HALF_OPEN":
      return holdsLease(settled, outcome.attempt) ? hearProbe(settled, policy, outcome, nowMs) : settled;
  }
}

/** Outcomes that count now, and failures among them; of one that is not closed those that opened it. */
export function countCalls(
  { phase, calls }: Breaker,
  policy: BreakerPolicy,
  nowMs: number,
): { readonly calls: number; readonly failures: number } {
  return tally(phase === "CLOSED" ? dropOld(calls, policy, nowMs) : calls, policy);
}

function hearClosed(
  breaker: Breaker,
  policy: BreakerPolicy,
  { attempt, sign, issuerKey, sentAtMs, atMs }: BreakerOutcome,
  nowMs: number,
): Breaker {
  if (sign === "NEUTRAL" || sentAtMs < breaker.hearFromMs) return breaker;
  const calls = addCall(
    breaker.calls,
    { attempt, sign, issuerKey, atMs: Math.min(atMs, nowMs) },
    policy,
    nowMs,
  );
  if (calls === breaker.calls) return breaker;
  const heard = { ...breaker, calls };
  // A success opens nothing, even if the outcomes of before would under another policy.
  const why = sign === "SUCCESS" ? undefined : findWhy(calls, policy);
  return why === undefined ? heard : open(heard, policy, why, nowMs);
}

function findWhy(calls: Calls, policy: BreakerPolicy): string | undefined {
  const { calls: count, failures, timeoutsInRow, evidence } = tally(calls, policy);
  if (timeoutsInRow >= policy.timeoutsInRow) return `${timeoutsInRow} timeouts in a row`;
  if (count >= policy.callsMin && failures >= policy.failureShare * count)
    return `${failures} of ${count} calls failed`;
  if (evidence < evidenceMin) return undefined;
  const percent = (share: number): string => `${Math.round(share * 100)} %`;
  return `success fell from ${percent(policy.normalShare)} to about ${percent(policy.brokenShare)}: ${failures} of ${count} calls failed`;
}

/**
 * Of attempts that hold a lease. An answer that says nothing of whoever answered gives the lease back; so does that of an issuer that is down, of
 * which one probe cannot tell whose fault it is.
 */
function hearProbe(
  breaker: Breaker,
  policy: BreakerPolicy,
  { attempt, sign, goesOn }: BreakerOutcome,
  nowMs: number,
): Breaker {
  switch (sign) {
    case "SUCCESS": {
      const successes = breaker.successes + 1;
      if (successes < policy.closeAfter) return { ...returnLease(breaker, attempt), successes };
      const reason = `${successes} ${successes === 1 ? "probe" : "probes in a row"} succeeded`;
      return { ...closedBreaker, sinceMs: nowMs, reason, hearFromMs: nowMs };
    }
    case "FAILURE":
    case "TIMEOUT":
      return open(breaker, policy, sign === "TIMEOUT" ? "a probe timed out" : "a probe failed", nowMs);
    case "ISSUER_DOWN":
    case "NEUTRAL":
      return goesOn ? passOn(breaker, attempt) : returnLease(breaker, attempt);
  }
}

/** The next attempt of the same payment there takes the lease over; where there is none it ends. */
function passOn(breaker: Breaker, attempt: string): Breaker {
  const leases = breaker.leases.flatMap((lease) => {
    if (!lease.attempts.includes(attempt)) return [lease];
    const attempts = lease.attempts.filter((each) => each !== attempt);
    return attempts.length === 0 ? [] : [{ ...lease, attempts }];
  });
  return { ...breaker, leases };
}

function open(breaker: Breaker, policy: BreakerPolicy, reason: string, nowMs: number): Breaker {
  const { calls, failures } = tally(breaker.calls, policy);
  return {
    ...breaker,
    phase: "OPEN",
    sinceMs: nowMs,
    reason,
    probeFromMs: nowMs + policy.openForMs,
    failureShare: calls === 0 ? 1 : failures / calls,
    leases: [],
    successes: 0,
  };
}

function halfOpen(breaker: Breaker): Breaker {
  return {
    ...breaker,
    phase: "HALF_OPEN",
    sinceMs: breaker.probeFromMs,
    reason: `tries again; it opened because ${breaker.reason}`,
  };
}
