import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { countRuns } from "../../../test/helpers/property-runs.ts";
import type { Edge, Plan, Step } from "../decision.ts";
import type { Payment } from "../payment.ts";
import type { Reason } from "../reason.ts";
import {
  type Psp,
  type RetryPolicy,
  type RetryResponse,
  type RetryRule,
  retryResponses,
} from "../rules/snapshot.ts";
import { defaultPspSca } from "../sca/sca-policy.ts";
import { isChallenge, type ThreeDsNeed } from "../sca/step-three-ds.ts";
import { type Attempt, applyReports, isApproved, isOpen, makeAttemptId } from "./attempts.ts";
import { defaultRetryPolicy } from "./default-policy.ts";
import { type OutcomeClass, outcomeClasses } from "./outcome-class.ts";
import { type PlanInput, planRetries } from "./plan.ts";
import { advancePlan, cutPlan } from "./standing.ts";

const nowMs = Date.UTC(2026, 10, 16, 12);
const minuteMs = 60_000;

const payment: Payment = {
  requestId: "r",
  merchantId: "m",
  paymentId: "pay",
  revision: 0,
  playerId: "p",
  brand: "",
  kind: "deposit",
  amountMinor: 5000,
  currency: "EUR",
  method: "card",
  initiator: "CIT",
  riskSignals: [],
  attributes: new Map(),
  previousAttempts: [],
  mode: "PAYMENT",
  trace: false,
};

function pspOf(id: string, threeDs: boolean): Psp {
  return {
    id,
    name: id,
    enabled: true,
    kinds: ["deposit"],
    methods: ["card"],
    currencies: [],
    schemes: [],
    countries: [],
    excludedCountries: [],
    issuerCountries: [],
    excludedIssuerCountries: [],
    binList: undefined,
    excludedBinList: undefined,
    amounts: [],
    accounts: [],
    fees: [],
    acquirerCountry: "",
    threeDs,
    credentials: ["PAN"],
    sca: defaultPspSca,
    idempotent: true,
    timeoutMs: 60_000,
    maintenance: [],
  };
}

const rule: fc.Arbitrary<RetryRule> = fc.record({
  response: fc.constantFrom<RetryResponse>(...retryResponses),
  waitMs: fc.constantFrom(0, 30_000, 20 * minuteMs),
  fields: fc.constantFrom<string[]>([], ["card"]),
});
const policy: fc.Arbitrary<RetryPolicy> = fc.record({
  id: fc.constant("x"),
  maxAttempts: fc.integer({ min: 1, max: 8 }),
  validForMs: fc.constantFrom(minuteMs, 15 * minuteMs),
  rules: fc.record(
    Object.fromEntries(outcomeClasses.map((name) => [name, rule])) as Record<
      OutcomeClass,
      fc.Arbitrary<RetryRule>
    >,
  ),
  playerDeclines: fc.constant(undefined),
  singleTry: fc.constant([]),
});
const threeDs: fc.Arbitrary<ThreeDsNeed> = fc.record({
  applies: fc.boolean(),
  wish: fc.record({ level: fc.constantFrom("CHALLENGE", "REQUIRE", "NO_PREFERENCE", "SKIP") }),
  isNeeded: fc.constant(false),
  isLoosened: fc.constant(false),
});
const planInput: fc.Arbitrary<PlanInput> = fc
  .record({
    policy,
    threeDs,
    has3ds: fc.array(fc.boolean(), { minLength: 1, maxLength: 12 }),
    initiator: fc.constantFrom("CIT" as const, "MIT" as const),
    revision: fc.integer({ min: 0, max: 3 }),
    attemptsLeft: fc.integer({ min: 1, max: 8 }),
  })
  .map(({ policy, threeDs, has3ds, initiator, revision, attemptsLeft }) => ({
    payment: { ...payment, initiator, revision },
    policy,
    route: has3ds.map((can, at) => ({ psp: pspOf(`psp-${at}`, can), mid: `mid-${at}`, instrument: "PAN" })),
    threeDs,
    issuerCountry: undefined,
    attemptsLeft,
    nowMs,
  }));

function listTargets(step: Step): readonly number[] {
  return step.edges.flatMap(({ edge }) => ("step" in edge ? [edge.step] : []));
}

function longestWay(steps: readonly Step[], from: Step): number {
  return 1 + Math.max(0, ...listTargets(from).map((number) => longestWay(steps, steps[number - 1]!)));
}

function findEdge(step: Step, outcomeClass: OutcomeClass): Edge {
  return step.edges.find((each) => each.outcomeClass === outcomeClass)!.edge;
}

describe("planning", () => {
  test("plans are finite, forward, within the attempts, and try the PSPs of the route in its order", () => {
    fc.assert(
      fc.property(planInput, (input) => {
        const { steps, validUntilMs } = planRetries(input);
        expect(steps.length).toBeGreaterThan(0);
        expect(steps.length).toBeLessThanOrEqual(16);
        expect(steps.map(({ number }) => number)).toEqual(steps.map((_, at) => at + 1));
        expect(new Set(steps.map(({ attemptId }) => attemptId)).size).toBe(steps.length);
        expect(new Set(steps.map(({ idempotencyKey }) => idempotencyKey)).size).toBe(steps.length);
        const mains = steps.filter(({ kind }) => kind !== "STEP_UP").map(({ psp }) => psp);
        expect(mains).toEqual(input.route.slice(0, mains.length).map(({ psp }) => psp.id));
        expect(longestWay(steps, steps[0]!)).toBeLessThanOrEqual(
          Math.min(input.policy.maxAttempts, input.attemptsLeft),
        );
        for (const step of steps) {
          expect(step.edges.map(({ outcomeClass }) => outcomeClass)).toEqual(outcomeClasses);
          for (const target of listTargets(step)) expect(target).toBeGreaterThan(step.number);
          for (const { edge } of step.edges) {
            if (edge.action === "WAIT_UNTIL") expect(edge.notBeforeMs).toBeLessThanOrEqual(validUntilMs);
          }
          expect(findEdge(step, "UNKNOWN")).toEqual({ action: "STATUS_CHECK" });
          expect(findEdge(step, "PENDING")).toEqual({ action: "STATUS_CHECK" });
          expect(findEdge(step, "APPROVED")).toEqual({ action: "DONE" });
          if (input.payment.initiator === "MIT") expect(findEdge(step, "SCA")).toEqual({ action: "NEW_CIT" });
          if (step.kind === "STEP_UP") {
            expect(isChallenge(step.threeDs)).toBe(true);
            const before = steps[step.number - 2]!;
            expect(before.psp).toBe(step.psp);
            expect(isChallenge(before.threeDs)).toBe(false);
          }
        }
        // Every step can be reached.
        const reached = new Set([1, ...steps.flatMap(listTargets)]);
        expect(reached.size).toBe(steps.length);
      }),
      { numRuns: countRuns(3_000) },
    );
  });

  test("however a plan is walked it ends, never twice at a step, and never elsewhere while an outcome is unknown", () => {
    const walk = fc.tuple(
      planInput,
      fc.array(fc.constantFrom(...outcomeClasses), { minLength: 16, maxLength: 16 }),
      fc.subarray([0, 1, 2, 3, 4]),
    );
    fc.assert(
      fc.property(walk, ([input, outcomes, down]) => {
        const plan = planRetries(input);
        const { revision } = input.payment;
        let attempts: readonly Attempt[] = [];
        for (const outcomeClass of outcomes) {
          const cuts = cutPlan(plan, attempts, {
            denial: undefined,
            reasonOf: ({ psp }) => (down.some((at) => psp === `psp-${at}`) ? downReason : undefined),
          });
          const standing = advancePlan(plan, { attempts, revision, decidedAtMs: nowMs, nowMs, cuts });
          const numbers = new Set(standing.steps.map(({ number }) => number));
          for (const step of standing.steps)
            for (const to of listTargets(step)) expect(numbers).toContain(to);
          const { next } = standing;
          if (attempts.some(isOpen)) expect(next.action).toBe("STATUS_CHECK");
          if (next.action !== "STEP" && next.action !== "WAIT_UNTIL") return;
          const step = standing.steps.find(({ number }) => number === next.step)!;
          expect(down.some((at) => step.psp === `psp-${at}`)).toBe(false);
          expect(attempts.some(({ attemptId }) => attemptId === step.attemptId)).toBe(false);
          expect(attempts.some(isApproved)).toBe(false);
          attempts = [
            ...attempts,
            { attemptId: step.attemptId, psp: step.psp, outcomeClass, atMs: nowMs, revision },
          ];
          expect(attempts.length).toBeLessThanOrEqual(Math.min(input.policy.maxAttempts, input.attemptsLeft));
        }
        throw new Error("the plan did not end");
      }),
      { numRuns: countRuns(3_000) },
    );
  });

  test("one PSP more than attempts: the last step-up does not fit, and step-ups lead nowhere else", () => {
    const plan = planOf(["a", "b", "c"], { maxAttempts: 3 });
    expect(plan.steps.map(({ kind, psp }) => `${kind} ${psp}`)).toEqual([
      "FIRST a",
      "STEP_UP a",
      "CASCADE b",
      "STEP_UP b",
      "CASCADE c",
    ]);
    expect(findEdge(plan.steps[1]!, "TECH_NOT_PROCESSED")).toEqual({ action: "OTHER_METHOD" });
  });

  test("with attempts to spare the first step-up leads on to the next PSP", () => {
    const plan = planOf(["a", "b"], { maxAttempts: 4 });
    expect(findEdge(plan.steps[1]!, "TECH_NOT_PROCESSED")).toEqual({ action: "STEP", step: 3 });
  });

  test("a step that is only reached after a wait says so", () => {
    const waits = { response: "NEXT_PSP", waitMs: 30_000, fields: [] } as const;
    const stop = { response: "STOP", waitMs: 0, fields: [] } as const;
    const rules = {
      ...defaultRetryPolicy.rules,
      GENERIC: stop,
      TECH_NOT_PROCESSED: stop,
      ISSUER_DOWN: waits,
    };
    const plan = planOf(["a", "b"], { rules });
    expect(plan.steps.map(({ notBeforeMs }) => notBeforeMs)).toEqual([
      undefined,
      undefined,
      nowMs + 30_000,
      undefined,
    ]);
  });
});

const downReason: Reason = {
  stage: "routing",
  code: "PSP_DISABLED",
  sourceId: "x",
  detail: "",
  playerMessageKey: "",
  purposes: ["payments"],
};

function planOf(ids: readonly string[], policy: Partial<RetryPolicy>): Plan {
  return planRetries({
    payment,
    policy: { ...defaultRetryPolicy, ...policy },
    route: ids.map((id) => ({ psp: pspOf(id, true), mid: "", instrument: "PAN" })),
    threeDs: { applies: true, wish: { level: "NO_PREFERENCE" }, isNeeded: false, isLoosened: false },
    issuerCountry: undefined,
    attemptsLeft: 8,
    nowMs,
  });
}

describe("reports", () => {
  const plan = planOf(["a", "b"], {});
  const first = plan.steps[0]!.attemptId;
  const context = { paymentId: "pay", revision: 0, plan, scheme: undefined, nowMs };
  const known = (outcomeClass: OutcomeClass): readonly Attempt[] => [
    { attemptId: first, psp: "a", outcomeClass, atMs: nowMs - 1, revision: 0 },
  ];

  test.each<{ name: string; before: OutcomeClass; report: OutcomeClass; after: OutcomeClass }>([
    { name: "unknown becomes known", before: "UNKNOWN", report: "GENERIC", after: "GENERIC" },
    { name: "pending becomes approved", before: "PENDING", report: "APPROVED", after: "APPROVED" },
    { name: "unknown stays although it is pending", before: "UNKNOWN", report: "PENDING", after: "UNKNOWN" },
    { name: "a decline may be approved late", before: "GENERIC", report: "APPROVED", after: "APPROVED" },
    { name: "a decline does not become unknown", before: "GENERIC", report: "UNKNOWN", after: "GENERIC" },
    { name: "an approval stands", before: "APPROVED", report: "HARD", after: "APPROVED" },
  ])("$name", ({ before, report, after }) => {
    const { attempts } = applyReports(
      known(before),
      [{ attemptId: first, psp: "a", outcomeClass: report }],
      context,
    );
    expect(attempts.map(({ outcomeClass }) => outcomeClass)).toEqual([after]);
  });

  test("a duplicate changes nothing at all", () => {
    const before = known("HARD");
    expect(
      applyReports(before, [{ attemptId: first, psp: "a", outcomeClass: "HARD" }], context).attempts,
    ).toBe(before);
  });

  test("a late report on an earlier revision is held against the PSP that it names", () => {
    const later = { ...context, revision: 2, plan: undefined };
    const report = { attemptId: first, psp: "a", outcomeClass: "GENERIC" } as const;
    expect(applyReports([], [report], later).attempts).toEqual([{ ...report, atMs: nowMs, revision: 0 }]);
    expect(applyReports([], [{ ...report, psp: "b" }], later).faults).toMatchObject([{ rule: "known" }]);
    expect(applyReports([], [{ ...report, attemptId: "r2-s1-00000000" }], later).faults).toMatchObject([
      { field: "previous_attempts[0].attempt_id" },
    ]);
  });

  test("made-up attempts of earlier revisions are refused beyond 64", () => {
    const later = { ...context, revision: 10, plan: undefined };
    const report = (at: number) => ({
      attemptId: makeAttemptId({ revision: at % 10, number: 1 + Math.floor(at / 10), psp: "a" }),
      psp: "a",
      outcomeClass: "GENERIC" as const,
    });
    const many = Array.from({ length: 64 }, (_, at) => report(at));
    const full = applyReports([], many, later);
    expect(full.faults).toEqual([]);
    const over = applyReports(full.attempts, [report(0), report(64)], later);
    expect(over.attempts).toBe(full.attempts);
    expect(over.faults).toMatchObject([{ field: "previous_attempts[1]", rule: "too-many" }]);
    expect(
      applyReports(
        [],
        [{ ...report(0), attemptId: makeAttemptId({ revision: 0, number: 17, psp: "a" }) }],
        later,
      ).faults,
    ).toMatchObject([{ rule: "known" }]);
  });

  test("an instant in the future counts as now", () => {
    const report = { attemptId: first, psp: "a", outcomeClass: "HARD", atMs: nowMs + 1 } as const;
    expect(applyReports([], [report], context).attempts[0]!.atMs).toBe(nowMs);
  });
});
