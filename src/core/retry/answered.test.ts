import { describe, expect, test } from "vitest";
import type { Edge, OutcomeEdge, Plan, Step } from "../decision.ts";
import type { Attempt } from "./attempts.ts";
import { defaultRetryPolicy } from "./default-policy.ts";
import { layOutPlan } from "./layout.ts";
import { type OutcomeClass, outcomeClasses } from "./outcome-class.ts";
import { advancePlan } from "./standing.ts";

const second = 1_000;
const minute = 60 * second;
const hour = 60 * minute;
const decidedAtMs = Date.UTC(2026, 10, 16, 12);
/** Outcomes come ten seconds after the decision. */
const heardAtMs = decidedAtMs + 10 * second;

/** Three PSPs of which the first steps ask for exemptions; five steps: a, its step-up, b, its step-up, c. */
const places = layOutPlan({
  policy: defaultRetryPolicy,
  most: 3,
  psps: 3,
  stepUps: 0b111,
  authenticated: 0,
  proofs: 0,
  initiator: "CIT",
  isSingle: false,
  nowMs: decidedAtMs,
});
const plan: Plan = {
  steps: places.map(
    ({ number, kind, psp, edges }) =>
      ({ number, kind, psp: "abc"[psp], attemptId: `s${number}`, edges }) as unknown as Step,
  ),
  validUntilMs: decidedAtMs + 15 * minute,
  codeTableVersion: "x",
};

type Told = Partial<Attempt> & { readonly outcomeClass: OutcomeClass };

/** What is next when these attempts were told of, the first at step 1. */
function next(told: readonly (Told & { readonly step?: number })[], of = plan): Edge {
  const attempts = told.map(({ step = 1, ...answer }): Attempt => {
    const { attemptId, psp } = of.steps[step - 1]!;
    return { attemptId, psp, atMs: heardAtMs, revision: 0, ...answer };
  });
  return advancePlan(of, { attempts, revision: 0, decidedAtMs, nowMs: heardAtMs, cuts: undefined }).next;
}

const step = (number: number): Edge => ({ action: "STEP", step: number });
const otherMethod: Edge = { action: "OTHER_METHOD" };

describe("what an answer leaves", () => {
  test.each<{ name: string; told: Told; want: Edge }>([
    { name: "a gambling block: other method", told: { outcomeClass: "HARD", code: "57" }, want: otherMethod },
    { name: "a wrong number: other method", told: { outcomeClass: "HARD", code: "14" }, want: otherMethod },
    { name: "a stolen card ends it", told: { outcomeClass: "HARD", code: "43" }, want: { action: "STOP" } },
    {
      name: "so does what was revoked",
      told: { outcomeClass: "HARD", code: "R1" },
      want: { action: "STOP" },
    },
    {
      name: "fields that the answer names",
      told: { outcomeClass: "DATA", code: "N7", fields: ["cvv"] },
      want: { action: "CHANGE_DATA", fields: ["cvv"] },
    },
    {
      name: "fields of the policy, where it names none",
      told: { outcomeClass: "DATA" },
      want: { action: "CHANGE_DATA", fields: ["card"] },
    },
    { name: "63 with 3DS, once", told: { outcomeClass: "DATA", code: "63" }, want: step(2) },
    { name: "a step-up at the same PSP", told: { outcomeClass: "SCA", code: "1A" }, want: step(2) },
    { name: "05 with 3DS, for there was none", told: { outcomeClass: "GENERIC", code: "05" }, want: step(2) },
    { name: "59 with a challenge", told: { outcomeClass: "GENERIC", code: "59" }, want: step(2) },
    { name: "01 not by itself", told: { outcomeClass: "GENERIC", code: "01" }, want: otherMethod },
    {
      name: "96 at the next PSP, at once",
      told: { outcomeClass: "TECH_NOT_PROCESSED", code: "96" },
      want: step(3),
    },
    {
      name: "51: a lower amount, the same not before its wait",
      told: { outcomeClass: "WAIT", code: "51", waitUntilMs: heardAtMs + hour },
      want: { action: "LOWER_AMOUNT", notBeforeMs: heardAtMs + hour },
    },
    {
      name: "without a wait of its own that of the policy, from the outcome on",
      told: { outcomeClass: "WAIT", code: "61" },
      want: { action: "LOWER_AMOUNT", notBeforeMs: heardAtMs + 24 * hour },
    },
    {
      name: "65: other method, for a lower amount would not help",
      told: { outcomeClass: "WAIT", code: "65", waitUntilMs: heardAtMs + 24 * hour },
      want: { action: "OTHER_METHOD", notBeforeMs: heardAtMs + 24 * hour },
    },
    {
      name: "91 after half a minute",
      told: { outcomeClass: "ISSUER_DOWN", code: "91" },
      want: { action: "WAIT_UNTIL", step: 3, notBeforeMs: heardAtMs + 30 * second },
    },
    {
      name: "91 after the longer of two waits",
      told: { outcomeClass: "ISSUER_DOWN", waitUntilMs: heardAtMs + minute },
      want: { action: "WAIT_UNTIL", step: 3, notBeforeMs: heardAtMs + minute },
    },
    {
      name: "a wait beyond the plan is a question",
      told: { outcomeClass: "TECH_NOT_PROCESSED", waitUntilMs: heardAtMs + hour },
      want: { action: "ASK_AGAIN", notBeforeMs: heardAtMs + hour },
    },
    {
      name: "what was unknown and is voided goes on",
      told: { outcomeClass: "UNKNOWN", voided: true },
      want: step(3),
    },
  ])("$name", ({ told, want }) => {
    expect(next([told])).toEqual(want);
  });

  test("63 after 3DS stops", () => {
    expect(next([{ outcomeClass: "SCA" }, { step: 2, outcomeClass: "DATA", code: "63" }])).toEqual({
      action: "STOP",
    });
  });

  test("data is entered again twice and not a third time", () => {
    const again = (revision: number): Told => ({
      outcomeClass: "DATA",
      code: "N7",
      revision,
      attemptId: `r${revision}`,
    });
    const third = { outcomeClass: "DATA", code: "N7", fields: ["cvv"] } as const;
    expect(next([again(1), third])).toMatchObject({ action: "CHANGE_DATA" });
    expect(next([again(1), again(2), third])).toEqual(otherMethod);
  });

  test("an account that is set up wrongly is worth one other PSP", () => {
    const wrong = { outcomeClass: "TECH_NOT_PROCESSED", code: "03", attribution: "CONFIG" } as const;
    expect(next([wrong])).toEqual(step(3));
    expect(next([wrong, { step: 3, ...wrong }])).toEqual(otherMethod);
    const down = { outcomeClass: "TECH_NOT_PROCESSED", attribution: "PSP" } as const;
    expect(next([wrong, { step: 3, ...down }])).toEqual(step(5));
  });

  test("a second vague answer leads nowhere by itself, on whichever way", () => {
    const vague = (from: Step): OutcomeEdge => ({
      outcomeClass: "GENERIC",
      edge: { action: "STEP", step: from.number + 1 },
    });
    const steps = plan.steps.map((each) => ({
      ...each,
      edges: each.edges.map((edge) =>
        edge.outcomeClass === "GENERIC" && each.number < 5 ? vague(each) : edge,
      ),
    }));
    const long = { ...plan, steps };
    expect(next([{ outcomeClass: "GENERIC" }], long)).toEqual(step(2));
    expect(next([{ outcomeClass: "GENERIC" }, { step: 2, outcomeClass: "GENERIC" }], long)).toEqual(
      otherMethod,
    );
  });

  test("the status of what nobody knows is asked for at growing gaps, then every hour", () => {
    const queries = [0, 1_999, 2_000, 30_000, 2_000_000, hour, 25 * hour].map((agoMs) => {
      const { attemptId, psp } = plan.steps[0]!;
      const attempts = [{ attemptId, psp, outcomeClass: "UNKNOWN", atMs: heardAtMs, revision: 0 } as const];
      const nowMs = heardAtMs + agoMs;
      const edge = advancePlan(plan, { attempts, revision: 0, decidedAtMs, nowMs, cuts: undefined }).next;
      return edge.action === "STATUS_CHECK" ? edge.notBeforeMs! - heardAtMs : undefined;
    });
    expect(queries).toEqual([2_000, 2_000, 4_000, 32_000, 2_048_000, 2 * hour, 26 * hour]);
  });

  test("no answer leads on from a step but where its class does, or to the step-up behind it", () => {
    const codes = [undefined, "01", "05", "14", "41", "51", "54", "59", "63", "65", "91", "96", "N7", "R1"];
    for (const [at, from] of plan.steps.entries()) {
      for (const outcomeClass of outcomeClasses) {
        const { edge } = from.edges[outcomeClasses.indexOf(outcomeClass)]!;
        for (const code of codes) {
          const told = { step: at + 1, outcomeClass, ...(code === undefined ? {} : { code }) };
          const to = next([told]);
          if (to.action !== "STEP" && to.action !== "WAIT_UNTIL") continue;
          const isStepUp = plan.steps[to.step - 1]!.kind === "STEP_UP" && to.step === from.number + 1;
          if (!isStepUp) expect(to.step).toBe("step" in edge ? edge.step : 0);
        }
      }
    }
  });
});
