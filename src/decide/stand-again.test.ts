import { expect, test } from "vitest";
import { cardDeposit } from "../../test/helpers/card-deposit.ts";
import { compileForTest } from "../../test/helpers/compile.ts";
import { createMemoryState } from "../../test/helpers/memory-state.ts";
import { emptyBinTable } from "../core/bin/bin-table.ts";
import type { Payment } from "../core/payment.ts";
import { buildOverrideSet } from "../core/rules/override-set.ts";
import type { PspStateKind } from "../ports/psp-state-store.ts";
import { createDecider } from "./decider.ts";
import { createReporter } from "./reporter.ts";

const snapshot = compileForTest(`
name: t
psps:
  - { id: alpha, methods: [card], three_ds: false }
  - { id: bravo, methods: [card], three_ds: false }
rules:
  - { id: route, class: DEFAULT, effects: { strategy: { priority: { psps: [alpha, bravo] } } } }
limits:
  - { id: month, class: SAFER_GAMBLING, on_unknown: APPLY, measure: GROSS, window: { rolling: 720h }, thresholds: [{ amount: { minor_units: 20000, currency_code: EUR } }] }
`);

const payment = cardDeposit;

/** A decided payment of EUR 60 at alpha, then bravo, whose state at run time is `bravo`. */
function openHouse() {
  const states = new Map<string, PspStateKind>();
  const state = createMemoryState({
    merchants: new Map([["default", { clock: "server" }]]),
    rules: {
      current: () => ({ snapshot, overrides: buildOverrideSet({ revision: 0, slots: [], overrides: [] }) }),
    },
    bins: emptyBinTable,
    clock: { nowMs: () => Date.UTC(2026, 10, 16, 12) },
    pspStates: () => states,
  });
  const decider = createDecider(state);
  const reporter = createReporter(state);
  const decide = (more: Partial<Payment> = {}) => {
    const decided = decider.decide({ ...payment, ...more }, "gateway");
    if (!decided.ok) throw new Error(decided.kind);
    return decided;
  };
  const { attemptId, psp } = decide().decision.plan!.steps[0]!;
  const failed = { attemptId, psp, outcomeClass: "TECH_NOT_PROCESSED" } as const;
  const tell = () => {
    const told = reporter.report({ ...failed, merchantId: "default", paymentId: "pay", result: "DECLINED" });
    if (!told.ok) throw new Error(told.kind);
    return told;
  };
  return { states, decide, tell, failed, holdOf: () => state.limits.get("default", "pay") };
}

test("SEMANTICS 5.1: a report after which no step is left lets go of what is held, and no step runs any more", () => {
  const { states, decide, tell, holdOf } = openHouse();
  states.set("bravo", "DISABLED");
  const told = tell();
  expect(told.plan?.next).toEqual({ action: "OTHER_METHOD" });
  expect(told.limits).toMatchObject([{ limitId: "month", used: 0 }]);
  expect(holdOf()).toBeUndefined();
  states.clear();
  const { plan } = decide();
  expect(plan?.next).toEqual({ action: "OTHER_METHOD" });
  expect(plan?.cut.map(({ code }) => code)).toEqual(["HOLD_RELEASED"]);
});

test("so does a repeat that tells of the attempt", () => {
  const { states, decide, failed, holdOf } = openHouse();
  states.set("bravo", "DISABLED");
  expect(decide({ previousAttempts: [failed] }).plan?.next).toEqual({ action: "OTHER_METHOD" });
  expect(holdOf()).toBeUndefined();
});

test("who says nothing new may have a step under way, so what is held stays", () => {
  const { states, decide, tell, holdOf } = openHouse();
  expect(tell().plan?.next).toEqual({ action: "STEP", step: 2 });
  states.set("bravo", "DISABLED");
  expect(decide().plan?.next).toEqual({ action: "OTHER_METHOD" });
  expect(tell()).toMatchObject({ verdict: "KNOWN", plan: { next: { action: "OTHER_METHOD" } } });
  expect(holdOf()).toMatchObject({ state: "HELD", attempts: [{ planned: 1 }] });
  states.clear();
  expect(decide().plan?.next).toEqual({ action: "STEP", step: 2 });
});

test("before anything was heard a plan without a way keeps what it holds", () => {
  const { states, decide, holdOf } = openHouse();
  states.set("alpha", "DISABLED").set("bravo", "DISABLED");
  expect(decide().plan?.next).toEqual({ action: "OTHER_METHOD" });
  expect(holdOf()).toMatchObject({ state: "HELD" });
});

test("what is heard of an earlier revision ends no plan that has not begun", () => {
  const { states, decide, tell, holdOf } = openHouse();
  decide({ revision: 1, amountMinor: 5_000 });
  states.set("alpha", "DISABLED").set("bravo", "DISABLED");
  expect(tell()).toMatchObject({ verdict: "APPLIED", plan: { next: { action: "OTHER_METHOD" } } });
  expect(holdOf()).toMatchObject({ state: "HELD", revision: 1 });
});
