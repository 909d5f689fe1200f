/**
 * Every order of a few things that can happen to a breaker, on bounds that are small enough to try them all: simultaneous failures, probes that never
 * return, answers that come late, twice or without a lease.
 *
 * What must hold in every state that can be reached, and of every step:
 * 1. never more leases than the policy gives, and none but while half-open;
 * 2. it closes only by as many answers of probes as the policy wants, and opens from half-open only by the answer of a probe;
 * 3. what is open, or has no lease, moves nothing;
 * 4. wherever it stands, once time has passed it is closed or has a probe to give, though nobody ever reports anything.
 */
import { expect, test } from "vitest";
import {
  type Breaker,
  closedBreaker,
  hearOutcome,
  holdsLease,
  leaseProbe,
  mayProbe,
  returnLease,
  settleBreaker,
} from "./breaker.ts";
import { type BreakerPolicy, defaultBreakerPolicy } from "./breaker-policy.ts";
import type { HealthSign } from "./calls.ts";

const leaseMs = 3;
const attempts = ["a", "b", "c"];
const signs: readonly HealthSign[] = ["SUCCESS", "FAILURE", "TIMEOUT", "NEUTRAL", "ISSUER_DOWN"];

type Node = { readonly breaker: Breaker; readonly nowMs: number };
type Move =
  | { readonly kind: "pass"; readonly ms: number }
  | { readonly kind: "lease" | "return"; readonly attempt: string }
  | { readonly kind: "hear"; readonly attempt: string; readonly sign: HealthSign; readonly agoMs: number };

const moves: readonly Move[] = [
  { kind: "pass", ms: 1 },
  { kind: "pass", ms: 2 },
  ...attempts.flatMap((attempt): Move[] => [
    { kind: "lease", attempt },
    { kind: "return", attempt },
    ...signs.flatMap((sign): Move[] => [0, 2].map((agoMs) => ({ kind: "hear", attempt, sign, agoMs }))),
  ]),
];

function move({ breaker, nowMs }: Node, policy: BreakerPolicy, made: Move): Node {
  switch (made.kind) {
    case "pass":
      return { breaker: settleBreaker(breaker, nowMs + made.ms), nowMs: nowMs + made.ms };
    case "lease": {
      const lease = { attempts: [made.attempt], expiresAtMs: nowMs + leaseMs };
      return { breaker: leaseProbe(breaker, policy, lease, nowMs) ?? settleBreaker(breaker, nowMs), nowMs };
    }
    case "return":
      return { breaker: returnLease(breaker, made.attempt), nowMs };
    case "hear": {
      const { attempt, sign, agoMs } = made;
      const atMs = nowMs - agoMs;
      const outcome = { attempt, sign, goesOn: false, issuerKey: attempt, sentAtMs: atMs, atMs };
      return { breaker: hearOutcome(breaker, policy, outcome, nowMs), nowMs };
    }
  }
}

/** What tells two states apart: instants as seen from now, and no words. */
function keyOf({ breaker, nowMs }: Node): string {
  const { reason: _, sinceMs: __, ...rest } = breaker;
  return JSON.stringify(rest, (name, value: unknown) =>
    name.endsWith("Ms") && typeof value === "number" ? Math.max(value - nowMs, -10) : value,
  );
}

/** What is wrong with a step; undefined where nothing is. */
function findBreach(policy: BreakerPolicy, before: Node, made: Move, after: Node): string | undefined {
  const from = settleBreaker(before.breaker, after.nowMs);
  const { phase, leases, successes } = after.breaker;
  if (leases.length > policy.probesMax) return "more leases than the policy gives";
  if (phase !== "HALF_OPEN" && leases.length > 0) return "leases while not half-open";
  if (made.kind === "hear") {
    const isHeard = from.phase === "CLOSED" || (from.phase === "HALF_OPEN" && holdsLease(from, made.attempt));
    if (!isHeard && after.breaker !== from) return "moved by what it must not hear";
    if (made.sign === "NEUTRAL" && (phase !== from.phase || successes !== from.successes))
      return "moved by what says nothing";
    if (from.phase === "HALF_OPEN" && phase === "OPEN" && made.sign !== "FAILURE" && made.sign !== "TIMEOUT")
      return "opened by a probe that did not fail";
  } else if (phase !== from.phase) return "moved by nothing that was reported";
  if (from.phase === "HALF_OPEN" && phase === "CLOSED" && from.successes !== policy.closeAfter - 1)
    return "closed by too few probes";
  if (from.phase === "OPEN" && phase !== "OPEN") return "left open before its time";
  const lateMs = after.nowMs + policy.openForMs + leaseMs;
  const late = settleBreaker(after.breaker, lateMs);
  return late.phase === "CLOSED" || mayProbe(late, policy, lateMs) ? undefined : "stuck";
}

function walk(policy: BreakerPolicy, depth: number): Map<string, Node> {
  const start: Node = { breaker: closedBreaker, nowMs: 100 };
  const seen = new Map([[keyOf(start), start]]);
  let edge: Node[] = [start];
  for (let step = 0; step < depth; step++) {
    const next: Node[] = [];
    for (const node of edge) {
      for (const made of moves) {
        const after = move(node, policy, made);
        const breach = findBreach(policy, node, made, after);
        if (breach !== undefined) expect.fail(`${breach}: ${JSON.stringify({ node, made, after })}`);
        const key = keyOf(after);
        if (seen.has(key)) continue;
        seen.set(key, after);
        next.push(after);
      }
    }
    edge = next;
  }
  return seen;
}

const small: BreakerPolicy = {
  ...defaultBreakerPolicy,
  windowMs: 4,
  callsMax: 2,
  callsMin: 1,
  timeoutsInRow: 2,
  openForMs: 2,
  probesMax: 1,
  closeAfter: 2,
};

test.each([
  { name: "one probe", policy: small },
  { name: "two probes at once", policy: { ...small, probesMax: 2 } },
  { name: "one success closes", policy: { ...small, closeAfter: 1, callsMin: 2 } },
])("every order of events keeps the invariants: $name", { timeout: 120_000 }, ({ policy }) => {
  const seen = walk(policy, 6);
  const phases = new Set([...seen.values()].map(({ breaker }) => breaker.phase));
  expect([...phases].sort()).toEqual(["CLOSED", "HALF_OPEN", "OPEN"]);
});

test("64 failures at once open once, and the first probe after that goes alone", () => {
  let breaker = closedBreaker;
  const hear = (attempt: string, sign: HealthSign, nowMs: number): void => {
    const outcome = { attempt, sign, goesOn: false, issuerKey: undefined, sentAtMs: nowMs, atMs: nowMs };
    breaker = hearOutcome(breaker, defaultBreakerPolicy, outcome, nowMs);
  };
  for (let at = 0; at < 64; at++) hear(`f${at}`, "FAILURE", 1_000);
  expect(breaker).toMatchObject({ phase: "OPEN", sinceMs: 1_000, probeFromMs: 31_000 });
  let granted = 0;
  for (let at = 0; at < 64; at++) {
    const lease = { attempts: [`p${at}`], expiresAtMs: 991_000 };
    const leased = leaseProbe(breaker, defaultBreakerPolicy, lease, 31_000);
    if (leased === undefined) continue;
    breaker = leased;
    granted++;
  }
  expect(granted).toBe(1);
});
