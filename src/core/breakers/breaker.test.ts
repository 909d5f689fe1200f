import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { countRuns } from "../../../test/helpers/property-runs.ts";
import {
  type Breaker,
  type BreakerOutcome,
  closedBreaker,
  countCalls,
  hearOutcome,
  holdsLease,
  leaseProbe,
  mayProbe,
  returnLease,
  settleBreaker,
} from "./breaker.ts";
import { type BreakerPolicy, defaultBreakerPolicy } from "./breaker-policy.ts";
import type { HealthSign } from "./calls.ts";

const second = 1_000;
const startMs = Date.UTC(2026, 10, 16, 12);
const policy: BreakerPolicy = defaultBreakerPolicy;

/** Without the rules that a test is not about. */
const shareOnly: BreakerPolicy = { ...policy, timeoutsInRow: 1_000, brokenShare: 0.799 };

const outcome = (
  attempt: string,
  sign: HealthSign,
  atMs: number,
  more: Partial<BreakerOutcome> = {},
): BreakerOutcome => ({ attempt, sign, atMs, sentAtMs: atMs, goesOn: false, issuerKey: undefined, ...more });

/** Hears signs, one each `stepMs`, and says where that leads. */
function hearAll(
  from: Breaker,
  signs: readonly HealthSign[],
  { atMs = startMs, stepMs = second, by = policy, name = "a" } = {},
): Breaker {
  return signs.reduce(
    (breaker, sign, at) =>
      hearOutcome(breaker, by, outcome(`${name}${at}`, sign, atMs + at * stepMs), atMs + at * stepMs),
    from,
  );
}

const repeat = (sign: HealthSign, count: number): HealthSign[] => new Array<HealthSign>(count).fill(sign);
const opened = hearAll(closedBreaker, repeat("TIMEOUT", 5));
const openedAtMs = startMs + 4 * second;
const halfOpenAtMs = openedAtMs + policy.openForMs;
const lease = (attempt: string, expiresAtMs = halfOpenAtMs + 960 * second) => ({
  attempts: [attempt],
  expiresAtMs,
});

describe("a closed breaker", () => {
  test("opens at the share of failures, from the least number of calls on", () => {
    const nine = [...repeat("SUCCESS", 10), ...repeat("FAILURE", 9)];
    const before = hearAll(closedBreaker, nine, { by: shareOnly });
    expect(before.phase).toBe("CLOSED");
    expect(countCalls(before, shareOnly, startMs + 18 * second)).toMatchObject({ calls: 19, failures: 9 });
    const after = hearAll(closedBreaker, [...nine, "FAILURE"], { by: shareOnly });
    expect(after).toMatchObject({ phase: "OPEN", reason: "10 of 20 calls failed", failureShare: 0.5 });
    expect(hearAll(closedBreaker, [...nine, "SUCCESS"], { by: shareOnly }).phase).toBe("CLOSED");
    const few = [...repeat("SUCCESS", 9), ...repeat("FAILURE", 10)];
    expect(hearAll(closedBreaker, few, { by: shareOnly }).phase).toBe("CLOSED");
  });

  test("opens at timeouts in a row, however long they take", () => {
    expect(opened).toMatchObject({ phase: "OPEN", reason: "5 timeouts in a row", sinceMs: openedAtMs });
    expect(hearAll(closedBreaker, repeat("TIMEOUT", 4)).phase).toBe("CLOSED");
    expect(hearAll(closedBreaker, repeat("TIMEOUT", 5), { stepMs: 300 * second }).phase).toBe("OPEN");
    const interrupted: HealthSign[] = [...repeat("TIMEOUT", 4), "SUCCESS", "TIMEOUT"];
    expect(hearAll(closedBreaker, interrupted).phase).toBe("CLOSED");
    const answered: HealthSign[] = [...repeat("TIMEOUT", 4), "NEUTRAL", "TIMEOUT"];
    expect(hearAll(closedBreaker, answered).phase).toBe("OPEN");
  });

  test("forgets what left the window at its very end, and what is more than it counts", () => {
    const failing = hearAll(closedBreaker, repeat("FAILURE", 5), { stepMs: 0 });
    expect(countCalls(failing, policy, startMs + 60 * second - 1).calls).toBe(5);
    expect(countCalls(failing, policy, startMs + 60 * second).calls).toBe(0);
    const many = hearAll(closedBreaker, repeat("SUCCESS", 60), { stepMs: 1 });
    expect(countCalls(many, policy, startMs + 60).calls).toBe(50);
  });

  test("opens where traffic is too thin for the window, once broken is a million times likelier", () => {
    const thin = { stepMs: 600 * second };
    expect(hearAll(closedBreaker, repeat("FAILURE", 9), thin).phase).toBe("CLOSED");
    const after = hearAll(closedBreaker, repeat("FAILURE", 10), thin);
    expect(after.phase).toBe("OPEN");
    expect(after.reason).toMatch(/^success fell from 80 % to about 15 %/);
  });

  test("hears an attempt once, whatever is said of it again", () => {
    const once = hearOutcome(closedBreaker, policy, outcome("a", "TIMEOUT", startMs), startMs);
    const again = hearOutcome(once, policy, outcome("a", "TIMEOUT", startMs + 1), startMs + 1);
    expect(again).toBe(once);
    expect(hearOutcome(once, policy, outcome("a", "SUCCESS", startMs + 1), startMs + 1)).toBe(once);
  });

  test("hears late outcomes at their own time, and none from before the window", () => {
    const nowMs = startMs + 100 * second;
    const late = outcome("late", "TIMEOUT", nowMs - 60 * second);
    expect(hearOutcome(closedBreaker, policy, late, nowMs)).toEqual(closedBreaker);
    const run = hearAll(closedBreaker, repeat("TIMEOUT", 4), { atMs: nowMs });
    const between = hearOutcome(
      run,
      policy,
      outcome("late", "SUCCESS", nowMs + 2 * second),
      nowMs + 5 * second,
    );
    const fifth = outcome("fifth", "TIMEOUT", nowMs + 6 * second);
    expect(hearOutcome(between, policy, fifth, nowMs + 6 * second).phase).toBe("CLOSED");
    const before = hearOutcome(run, policy, outcome("late", "SUCCESS", nowMs - second), nowMs + 5 * second);
    expect(hearOutcome(before, policy, fifth, nowMs + 6 * second).phase).toBe("OPEN");
  });

  test("comes to the same in whichever order outcomes arrive", () => {
    const patient = { ...policy, callsMin: 1_000, timeoutsInRow: 1_000, normalShare: 0.1501 };
    const told = fc
      .array(fc.constantFrom<HealthSign>("SUCCESS", "FAILURE", "TIMEOUT", "ISSUER_DOWN", "NEUTRAL"), {
        maxLength: 50,
      })
      .map((signs) =>
        signs.map((sign, at) =>
          outcome(`a${at}`, sign, startMs + at * second, { issuerKey: `bank-${at % 4}` }),
        ),
      )
      .chain((outcomes) =>
        fc.tuple(
          fc.constant(outcomes),
          fc.shuffledSubarray(outcomes, { minLength: outcomes.length, maxLength: outcomes.length }),
        ),
      );
    const hearNow = (outcomes: readonly BreakerOutcome[]): Breaker =>
      outcomes.reduce(
        (breaker, each) => hearOutcome(breaker, patient, each, startMs + 59 * second),
        closedBreaker,
      );
    fc.assert(
      fc.property(told, ([outcomes, shuffled]) => {
        expect(hearNow(shuffled)).toEqual(hearNow(outcomes));
      }),
      { numRuns: countRuns(300) },
    );
  });

  test("takes an outcome of the future for one of now", () => {
    const future = outcome("a", "FAILURE", startMs + 3_600 * second);
    expect(hearOutcome(closedBreaker, policy, future, startMs).calls.counted[0]?.atMs).toBe(startMs);
  });
});

describe("what counts for nothing", () => {
  test("a storm of wrong CVVs changes nothing at all, however long it lasts", () => {
    const before = hearAll(closedBreaker, [...repeat("SUCCESS", 5), ...repeat("FAILURE", 3)]);
    const after = hearAll(before, repeat("NEUTRAL", 10_000), {
      atMs: startMs + 8 * second,
      stepMs: 1,
      name: "cvv",
    });
    expect(after).toBe(before);
  });

  const down = (attempt: string, issuerKey: string | undefined, at: number) =>
    outcome(attempt, "ISSUER_DOWN", startMs + at, { issuerKey });
  const hearDown = (issuers: readonly (string | undefined)[]): Breaker =>
    issuers.reduce<Breaker>(
      (breaker, issuer, at) => hearOutcome(breaker, policy, down(`d${at}`, issuer, at), startMs + at),
      closedBreaker,
    );

  test("two issuers that are down are no fault of the PSP", () => {
    const issuers = Array.from({ length: 100 }, (_, at) => (at % 2 === 0 ? "bank-a" : "bank-b"));
    const breaker = hearDown(issuers);
    expect(breaker.phase).toBe("CLOSED");
    expect(countCalls(breaker, policy, startMs + 100).calls).toBe(0);
    expect(breaker.calls.doubtful).toHaveLength(50);
    expect(countCalls(hearDown([undefined, undefined, undefined]), policy, startMs + 3).calls).toBe(0);
  });

  test("three at once are, and what they said before counts too", () => {
    const breaker = hearDown(["bank-a", "bank-a", "bank-b", "bank-c", "bank-a"]);
    expect(countCalls(breaker, policy, startMs + 5)).toMatchObject({ calls: 5, failures: 5 });
  });

  test("three that were not down at once are not", () => {
    const first = hearDown(["bank-a", "bank-b"]);
    const atMs = startMs + 60 * second + 1;
    const third = outcome("d2", "ISSUER_DOWN", atMs, { issuerKey: "bank-c" });
    expect(countCalls(hearOutcome(first, policy, third, atMs), policy, atMs).calls).toBe(0);
  });
});

describe("an open breaker", () => {
  test("hears nothing, good or bad", () => {
    for (const sign of ["SUCCESS", "FAILURE", "TIMEOUT", "NEUTRAL"] as const) {
      expect(hearOutcome(opened, policy, outcome("x", sign, openedAtMs + 1), openedAtMs + 1)).toBe(opened);
    }
  });

  test("is half-open once its time is over, not a millisecond before, without anybody doing anything", () => {
    expect(settleBreaker(opened, halfOpenAtMs - 1).phase).toBe("OPEN");
    expect(mayProbe(opened, policy, halfOpenAtMs - 1)).toBe(false);
    expect(settleBreaker(opened, halfOpenAtMs)).toMatchObject({ phase: "HALF_OPEN", sinceMs: halfOpenAtMs });
    expect(mayProbe(opened, policy, halfOpenAtMs)).toBe(true);
  });
});

describe("a half-open breaker", () => {
  const probing = leaseProbe(opened, policy, lease("p"), halfOpenAtMs)!;

  test("gives as many leases as the policy says, and no more", () => {
    expect(leaseProbe(probing, policy, lease("q"), halfOpenAtMs)).toBeUndefined();
    const two = { ...policy, probesMax: 2 };
    const both = leaseProbe(probing, two, lease("q"), halfOpenAtMs)!;
    expect(both.leases).toHaveLength(2);
    expect(leaseProbe(both, two, lease("r"), halfOpenAtMs)).toBeUndefined();
  });

  test("hears only who holds a lease", () => {
    const nowMs = halfOpenAtMs + 1;
    expect(hearOutcome(probing, policy, outcome("x", "FAILURE", nowMs), nowMs)).toBe(probing);
    expect(hearOutcome(probing, policy, outcome("x", "SUCCESS", nowMs), nowMs)).toBe(probing);
    expect(hearOutcome(probing, policy, outcome("p", "FAILURE", nowMs), nowMs)).toMatchObject({
      phase: "OPEN",
      reason: "a probe failed",
      sinceMs: nowMs,
      probeFromMs: nowMs + policy.openForMs,
      leases: [],
    });
  });

  test("closes after the successes that the policy wants, and counts from nothing", () => {
    let breaker = opened;
    for (let at = 0; at < 3; at++) {
      const nowMs = halfOpenAtMs + at * second;
      breaker = leaseProbe(breaker, policy, lease(`p${at}`), nowMs)!;
      expect(breaker.phase).toBe("HALF_OPEN");
      breaker = hearOutcome(breaker, policy, outcome(`p${at}`, "SUCCESS", nowMs + 1), nowMs + 1);
    }
    expect(breaker).toMatchObject({ phase: "CLOSED", reason: "3 probes in a row succeeded" });
    expect(countCalls(breaker, policy, halfOpenAtMs + 3 * second).calls).toBe(0);
  });

  test("counts successes anew once a probe failed", () => {
    const answer = (from: Breaker, attempt: string, sign: HealthSign, nowMs: number): Breaker => {
      const leased = leaseProbe(from, policy, lease(attempt, nowMs + second), nowMs)!;
      return hearOutcome(leased, policy, outcome(attempt, sign, nowMs), nowMs);
    };
    let breaker = answer(answer(opened, "a", "SUCCESS", halfOpenAtMs), "b", "SUCCESS", halfOpenAtMs);
    breaker = answer(breaker, "c", "FAILURE", halfOpenAtMs);
    const againMs = halfOpenAtMs + policy.openForMs;
    breaker = answer(answer(breaker, "d", "SUCCESS", againMs), "e", "SUCCESS", againMs);
    expect(breaker.phase).toBe("HALF_OPEN");
    expect(answer(breaker, "f", "SUCCESS", againMs).phase).toBe("CLOSED");
  });

  test("is not opened by what was sent before it closed and is told after", () => {
    const one = { ...policy, closeAfter: 1 };
    const closed = hearOutcome(probing, one, outcome("p", "SUCCESS", halfOpenAtMs + 1), halfOpenAtMs + 1);
    expect(closed.phase).toBe("CLOSED");
    const told = repeat("TIMEOUT", 10).reduce<Breaker>((breaker, sign, at) => {
      const atMs = halfOpenAtMs + 2 + at;
      const old = outcome(`old${at}`, sign, atMs, { sentAtMs: atMs - 60 * second });
      return hearOutcome(breaker, one, old, atMs);
    }, closed);
    expect(told).toBe(closed);
  });

  test("lets a lost probe go when its lease expires, and takes its late answer for nothing", () => {
    const expiresAtMs = halfOpenAtMs + 960 * second;
    expect(mayProbe(probing, policy, expiresAtMs - 1)).toBe(false);
    const next = leaseProbe(probing, policy, lease("q", expiresAtMs + second), expiresAtMs)!;
    expect(next.leases).toHaveLength(1);
    expect(hearOutcome(next, policy, outcome("p", "FAILURE", expiresAtMs), expiresAtMs)).toBe(next);
  });

  test("takes a lease back that is not used, and one whose answer says nothing", () => {
    expect(returnLease(probing, "p").leases).toEqual([]);
    expect(returnLease(probing, "x")).toBe(probing);
    const neutral = hearOutcome(probing, policy, outcome("p", "NEUTRAL", halfOpenAtMs), halfOpenAtMs);
    expect(neutral).toMatchObject({ phase: "HALF_OPEN", leases: [], successes: 0 });
    const issuer = outcome("p", "ISSUER_DOWN", halfOpenAtMs, { issuerKey: "bank" });
    expect(hearOutcome(probing, policy, issuer, halfOpenAtMs)).toMatchObject({
      phase: "HALF_OPEN",
      leases: [],
    });
  });

  test("lets a payment that goes on there keep its lease", () => {
    const both = { attempts: ["p", "p-again"], expiresAtMs: halfOpenAtMs + 960 * second };
    const leased = leaseProbe(opened, policy, both, halfOpenAtMs)!;
    const asked = outcome("p", "NEUTRAL", halfOpenAtMs + 1, { goesOn: true });
    const going = hearOutcome(leased, policy, asked, halfOpenAtMs + 1);
    expect(holdsLease(going, "p")).toBe(false);
    expect(holdsLease(going, "p-again")).toBe(true);
    const last = outcome("p-again", "NEUTRAL", halfOpenAtMs + 2, { goesOn: true });
    expect(hearOutcome(going, policy, last, halfOpenAtMs + 2).leases).toEqual([]);
  });
});

test("DOMAIN 6, row 29: 12 technical failures of 20 in 60 s open; 30 s later one probe goes; 3 successes close", () => {
  const signs: HealthSign[] = [];
  for (let at = 0; at < 20; at++) signs.push(at % 5 < 2 ? "SUCCESS" : "FAILURE");
  expect(signs.filter((sign) => sign === "FAILURE")).toHaveLength(12);
  const breaker = hearAll(closedBreaker, signs, { stepMs: 3 * second });
  const lastMs = startMs + 57 * second;
  expect(breaker).toMatchObject({ phase: "OPEN", sinceMs: lastMs, reason: "12 of 20 calls failed" });
  expect(mayProbe(breaker, policy, lastMs + 30 * second - 1)).toBe(false);
  let tried = breaker;
  for (let probe = 0; probe < 3; probe++) {
    const nowMs = lastMs + (30 + probe) * second;
    const granted = Array.from({ length: 64 }, (_, at) => {
      const leased = leaseProbe(tried, policy, lease(`p${probe}-${at}`, nowMs + 960 * second), nowMs);
      tried = leased ?? tried;
      return leased !== undefined;
    });
    expect(granted.filter(Boolean)).toHaveLength(1);
    tried = hearOutcome(tried, policy, outcome(`p${probe}-0`, "SUCCESS", nowMs), nowMs);
  }
  expect(tried.phase).toBe("CLOSED");
});
