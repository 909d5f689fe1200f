import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { plainDeposit } from "../../../test/helpers/card-deposit.ts";
import { cardPsp } from "../../../test/helpers/card-psp.ts";
import { countRuns } from "../../../test/helpers/property-runs.ts";
import { unknownBin } from "../bin/bin-table.ts";
import type { Edge, OutcomeEdge, Plan, Step } from "../decision.ts";
import { buildFx } from "../money.ts";
import type { Payment } from "../payment.ts";
import type { Reason } from "../reason.ts";
import { noWish } from "../rules/facets/three-ds.ts";
import {
  type Psp,
  type RetryPolicy,
  type RetryResponse,
  type RetryRule,
  retryResponses,
  type ThreeDsLevel,
} from "../rules/snapshot.ts";
import { houseScaPolicy } from "../sca/default-policy.ts";
import { assessThreeDs, isChallenge, needsThreeDs, type ThreeDsNeed } from "../sca/step-three-ds.ts";
import { applyReports } from "./apply-reports.ts";
import { type Attempt, isApproved, isOpen, makeAttemptId } from "./attempts.ts";
import { houseTable } from "./code-table.ts";
import { defaultRetryPolicy } from "./default-policy.ts";
import { type OutcomeClass, outcomeClasses } from "./outcome-class.ts";
import { type PlanInput, planRetries } from "./plan.ts";
import { advancePlan, cutPlan } from "./standing.ts";

const nowMs = Date.UTC(2026, 10, 16, 12);
const minuteMs = 60_000;

const payment: Payment = { ...plainDeposit, merchantId: "m", amountMinor: 5000 };

function pspOf(id: string, threeDs: boolean, takesProof = false): Psp {
  return { ...cardPsp, id, name: id, threeDs, sca: { ...cardPsp.sca, takesProof } };
}

const built = buildFx({ rates: [] });
if (!built.ok) throw new Error("no rates are no fault");
const noRates = built.fx;

const ruleOf = (responses: readonly RetryResponse[]): fc.Arbitrary<RetryRule> =>
  fc.record({
    response: fc.constantFrom(...responses),
    waitMs: fc.constantFrom(0, 30_000, 20 * minuteMs),
    fields: fc.constantFrom<string[]>([], ["card"]),
  });
const policy: fc.Arbitrary<RetryPolicy> = fc.record({
  id: fc.constant("x"),
  maxAttempts: fc.integer({ min: 1, max: 8 }),
  validForMs: fc.constantFrom(minuteMs, 15 * minuteMs),
  rules: fc.record(
    Object.fromEntries(
      // A rule set is refused whose hard declines lead on.
      outcomeClasses.map((name) => [
        name,
        ruleOf(name === "HARD" ? ["STOP", "OTHER_METHOD"] : retryResponses),
      ]),
    ) as Record<OutcomeClass, fc.Arbitrary<RetryRule>>,
  ),
  playerDeclines: fc.constant(undefined),
  singleTry: fc.constant([]),
});

/** As the law of the house and the rules' wish have it, for a card and acquirers in or out of the zone. */
function needOf(of: Payment, level: ThreeDsLevel | undefined, issuerCountry = "US"): ThreeDsNeed {
  const wish = level === undefined ? noWish.wish : { level };
  const floor = level === "CHALLENGE" || level === "REQUIRE" ? { level } : undefined;
  return assessThreeDs(
    { ...of, card: { bin: "400000", issuerCountry } },
    { wish, floor },
    {
      policy: houseScaPolicy,
      bin: unknownBin,
      riskScore: 0,
      fx: noRates,
      lowValueUse: () => undefined,
      nowMs,
    },
  );
}

const planInput: fc.Arbitrary<PlanInput> = fc
  .record({
    policy,
    level: fc.constantFrom<ThreeDsLevel | undefined>(
      undefined,
      "CHALLENGE",
      "REQUIRE",
      "NO_PREFERENCE",
      "SKIP",
    ),
    issuer: fc.constantFrom("US", "FR"),
    psps: fc.array(
      fc.record({ can: fc.boolean(), proof: fc.boolean(), acquirer: fc.constantFrom("US", "DE") }),
      {
        minLength: 1,
        maxLength: 12,
      },
    ),
    initiator: fc.constantFrom("CIT" as const, "MIT" as const, "MOTO" as const),
    revision: fc.integer({ min: 0, max: 3 }),
    attemptsLeft: fc.integer({ min: 1, max: 8 }),
    isSingle: fc.boolean(),
  })
  .map(({ level, issuer, psps, initiator, revision, ...rest }) => {
    const asked = { ...payment, initiator, revision };
    const threeDs = needOf(asked, level, issuer);
    const route = psps.map(({ can, proof, acquirer }, at) => ({
      psp: { ...pspOf(`psp-${at}`, can, proof), acquirerCountry: acquirer },
      mid: `mid-${at}`,
      instrument: "PAN",
    }));
    // Eligibility takes out those that cannot run a 3DS that has to be.
    const eligible = route.filter(({ psp }) => psp.threeDs || !needsThreeDs(threeDs, psp));
    return { ...rest, payment: asked, route: eligible, threeDs, codeTableVersion: "t", nowMs };
  })
  .filter(({ route }) => route.length > 0);

const isVague = ({ outcomeClass }: OutcomeEdge): boolean =>
  outcomeClass === "GENERIC" || outcomeClass === "ISSUER_DOWN";

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
          if (input.payment.initiator !== "CIT") expect(findEdge(step, "SCA")).toEqual({ action: "NEW_CIT" });
          if (input.isSingle) expect(listTargets(step)).toEqual([]);
          for (const target of listTargets({ ...step, edges: step.edges.filter(isVague) })) {
            if (steps[target - 1]!.psp !== step.psp) expect(step.psp).toBe(input.route[0]!.psp.id);
          }
          if (step.kind === "STEP_UP") {
            expect(isChallenge(step.threeDs)).toBe(true);
            const before = steps[step.number - 2]!;
            expect(before.psp).toBe(step.psp);
            expect(input.payment.initiator).toBe("CIT");
            // Nobody is challenged a second time in silence.
            for (const target of listTargets(step)) {
              const next = input.route.find(({ psp }) => psp.id === steps[target - 1]!.psp)!;
              expect(next.psp.sca.takesProof).toBe(true);
            }
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
          for (const vague of ["GENERIC", "ISSUER_DOWN"]) {
            const before = attempts.slice(0, -1).filter((each) => each.outcomeClass === vague);
            expect(before.length).toBeLessThan(2);
          }
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

  test("with attempts to spare the first step-up leads on to the next PSP, if that takes its proof", () => {
    const plan = planOf(["a", "b"], { maxAttempts: 4 }, true);
    expect(findEdge(plan.steps[1]!, "TECH_NOT_PROCESSED")).toEqual({ action: "STEP", step: 3 });
    const without = planOf(["a", "b"], { maxAttempts: 4 });
    expect(findEdge(without.steps[1]!, "TECH_NOT_PROCESSED")).toEqual({ action: "OTHER_METHOD" });
  });

  test("a vague decline is tried once more: at the next PSP after 3DS, else with 3DS at the same one", () => {
    const plan = planOf(["a", "b", "c"], {});
    expect(plan.steps.map(({ kind, psp }) => `${kind} ${psp}`)).toEqual([
      "FIRST a",
      "STEP_UP a",
      "CASCADE b",
      "STEP_UP b",
      "CASCADE c",
    ]);
    expect(findEdge(plan.steps[0]!, "GENERIC")).toEqual({ action: "STEP", step: 3 });
    expect(findEdge(plan.steps[2]!, "GENERIC")).toEqual({ action: "OTHER_METHOD" });
    expect(findEdge(plan.steps[2]!, "TECH_NOT_PROCESSED")).toEqual({ action: "STEP", step: 5 });
    const without3ds = planRetries({ ...inputOf(["a", "b"]), threeDs: needOf(payment, undefined) });
    expect(without3ds.steps[0]!.threeDs.requirement).not.toBe("THREE_DS");
    expect(findEdge(without3ds.steps[0]!, "GENERIC")).toEqual({ action: "STEP", step: 2 });
    expect(without3ds.steps[1]).toMatchObject({ kind: "STEP_UP", psp: "a" });
    expect(findEdge(without3ds.steps[1]!, "GENERIC")).toEqual({ action: "OTHER_METHOD" });
  });

  test("where the merchant starts nobody is asked for anything", () => {
    const { steps } = planRetries({ ...inputOf(["a", "b"]), payment: { ...payment, initiator: "MIT" } });
    expect(steps.map(({ kind }) => kind)).toEqual(["FIRST", "CASCADE"]);
    const edges = Object.fromEntries(steps[0]!.edges.map(({ outcomeClass, edge }) => [outcomeClass, edge]));
    expect(edges).toMatchObject({
      HARD: { action: "STOP" },
      DATA: { action: "NEW_CIT" },
      SCA: { action: "NEW_CIT" },
      WAIT: { action: "ASK_AGAIN", notBeforeMs: nowMs + 24 * 60 * minuteMs },
      GENERIC: { action: "STEP", step: 2 },
      AUTH_FAILED: { action: "STOP" },
    });
  });

  test("a single try leads to another method or to nothing, whatever it comes to", () => {
    const { steps } = planRetries({ ...inputOf(["a", "b"]), isSingle: true });
    expect(steps).toHaveLength(1);
    const actions = new Set(steps[0]!.edges.map(({ edge }) => edge.action));
    expect([...actions].sort()).toEqual(["DONE", "OTHER_METHOD", "STATUS_CHECK", "STOP"]);
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

/** A plan of steps that all run 3DS without a preference. */
function planOf(ids: readonly string[], policy: Partial<RetryPolicy>, takesProof = false): Plan {
  return planRetries({ ...inputOf(ids, takesProof), policy: { ...defaultRetryPolicy, ...policy } });
}

function inputOf(ids: readonly string[], takesProof = false): PlanInput {
  return {
    payment,
    policy: defaultRetryPolicy,
    route: ids.map((id) => ({
      psp: { ...pspOf(id, true, takesProof), acquirerCountry: "US" },
      mid: "",
      instrument: "PAN",
    })),
    threeDs: needOf(payment, "REQUIRE"),
    attemptsLeft: 8,
    isSingle: false,
    codeTableVersion: "t",
    nowMs,
  };
}

describe("reports", () => {
  const plan = planOf(["a", "b"], {});
  const first = plan.steps[0]!.attemptId;
  const context = {
    paymentId: "pay",
    revision: 0,
    plan,
    table: houseTable,
    sentAt: () => ({ scheme: undefined, initiator: "CIT" as const, isInScaZone: () => false }),
    nowMs,
  };
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
    expect(applyReports([], [report], later).attempts).toMatchObject([
      { ...report, atMs: nowMs, revision: 0 },
    ]);
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
