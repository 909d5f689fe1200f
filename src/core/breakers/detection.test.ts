/** How soon a breaker opens, and how seldom for nothing: simulated from seeds, in the time of the simulation. */
import { describe, expect, test } from "vitest";
import { countRuns } from "../../../test/helpers/property-runs.ts";
import { type Breaker, closedBreaker, hearOutcome } from "./breaker.ts";
import { type BreakerPolicy, defaultBreakerPolicy } from "./breaker-policy.ts";
import type { HealthSign } from "./calls.ts";

const policy = defaultBreakerPolicy;
const startMs = Date.UTC(2026, 10, 16, 12);
const monthMs = 30 * 86_400_000;
/** Payments of a busy PSP: 23 a minute, so that its window always has enough to judge by. */
const paymentsAMonth = 1_000_000;

type Random = () => number;

/** SplitMix32: small, even enough, the same everywhere. */
function seedRandom(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x9e3779b9) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 16), 0x21f0aaad);
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
    return ((mixed ^ (mixed >>> 15)) >>> 0) / 2 ** 32;
  };
}

type Traffic = {
  readonly policy: BreakerPolicy;
  readonly gapMs: number;
  readonly count: number;
  readonly draw: (random: Random) => HealthSign;
};

/** How often a breaker opens; it is closed again by hand each time. */
function countTrips(seed: number, { policy, gapMs, count, draw }: Traffic): number {
  const random = seedRandom(seed);
  let breaker: Breaker = closedBreaker;
  let nowMs = startMs;
  let trips = 0;
  for (let at = 0; at < count; at++) {
    nowMs += -Math.log(1 - random()) * gapMs;
    const sign = draw(random);
    const issuerKey = sign === "ISSUER_DOWN" ? `bank-${Math.floor(random() * 40)}` : undefined;
    const outcome = { attempt: String(at), sign, issuerKey, goesOn: false, sentAtMs: nowMs, atMs: nowMs };
    breaker = hearOutcome(breaker, policy, outcome, nowMs);
    if (breaker.phase === "CLOSED") continue;
    trips++;
    breaker = closedBreaker;
  }
  return trips;
}

/** Outcomes from the break on until it opens. */
function findDelay(seed: number, gapMs: number, by: BreakerPolicy, timeoutShare: number): number {
  const random = seedRandom(seed);
  let breaker: Breaker = closedBreaker;
  for (let at = 0; at < 400; at++) {
    const isGood = random() < (at < 200 ? 0.95 : 0.15);
    const sign = isGood ? "SUCCESS" : random() < timeoutShare ? "TIMEOUT" : "FAILURE";
    const nowMs = startMs + at * gapMs;
    const outcome = {
      attempt: String(at),
      sign,
      issuerKey: undefined,
      goesOn: false,
      sentAtMs: nowMs,
      atMs: nowMs,
    } as const;
    breaker = hearOutcome(breaker, by, outcome, nowMs);
    if (breaker.phase === "OPEN") return at < 200 ? Number.NaN : at - 199;
  }
  return Number.POSITIVE_INFINITY;
}

/** The change detector by itself. */
const detectorAlone: BreakerPolicy = {
  ...policy,
  timeoutsInRow: 1_000_000,
  failureShare: 1,
  callsMin: policy.callsMax,
};

describe("a fall of success from 95 % to 15 %", () => {
  test.each([
    { name: "at a payment a second", gapMs: 1_000, timeoutShare: 0, by: policy },
    { name: "at fifty a second", gapMs: 20, timeoutShare: 0, by: policy },
    { name: "at one in ten minutes, too few for any window", gapMs: 600_000, timeoutShare: 0, by: policy },
    { name: "half of it by timeouts", gapMs: 1_000, timeoutShare: 0.5, by: policy },
    { name: "by the change detector alone", gapMs: 1_000, timeoutShare: 0.5, by: detectorAlone },
  ])("opens within 30 attributed outcomes, $name", ({ gapMs, timeoutShare, by }) => {
    const runs = countRuns(1_000);
    const delays = Array.from({ length: runs }, (_, seed) => findDelay(seed, gapMs, by, timeoutShare));
    expect(delays.filter(Number.isNaN)).toEqual([]);
    const within = delays.filter((delay) => delay <= 30).length / runs;
    expect(within).toBeGreaterThanOrEqual(0.99);
    expect(delays.sort((a, b) => a - b)[runs >> 1]).toBeLessThanOrEqual(15);
  });
});

/**
 * A month of a PSP is a million payments of which 80 % are approved: of the others 4 % of all are the PSP's faults, half of these timeouts, half a per
 * cent says that the issuer is down, and the rest are answers of issuers.
 */
function drawOrdinary(random: Random): HealthSign {
  const draw = random();
  if (draw < 0.8) return "SUCCESS";
  if (draw < 0.82) return "TIMEOUT";
  if (draw < 0.84) return "FAILURE";
  return draw < 0.845 ? "ISSUER_DOWN" : "NEUTRAL";
}

describe("a steady approval of 80 %", () => {
  const months = countRuns(6);
  const gapMs = monthMs / paymentsAMonth;
  const trips = (by: BreakerPolicy, draw: Traffic["draw"]): number => {
    let all = 0;
    for (let seed = 1; seed <= months; seed++)
      all += countTrips(seed, { policy: by, gapMs, count: paymentsAMonth, draw });
    return all / months;
  };

  test("opens for nothing less than once in a month of a PSP", { timeout: 60_000 * months }, () => {
    expect(trips(policy, drawOrdinary)).toBeLessThan(1);
  });

  test("does not fool the change detector even where all of the other 20 % are the PSP's faults", {
    timeout: 60_000 * months,
  }, () => {
    expect(trips(detectorAlone, (random) => (random() < 0.8 ? "SUCCESS" : "FAILURE"))).toBeLessThan(1);
  });
});
