import { describe, expect, test } from "vitest";
import { cardDeposit } from "../../test/helpers/card-deposit.ts";
import { compileForTest } from "../../test/helpers/compile.ts";
import { createMemoryState } from "../../test/helpers/memory-state.ts";
import { emptyBinTable } from "../core/bin/bin-table.ts";
import type { OutcomeReport, OutcomeResult } from "../core/outcome-report.ts";
import type { Payment } from "../core/payment.ts";
import { buildOverrideSet } from "../core/rules/override-set.ts";
import type { Reported } from "./decided.ts";
import { createDecider } from "./decider.ts";
import { createReporter } from "./reporter.ts";

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
const noonMs = Date.UTC(2026, 10, 16, 12);
const snapshot = compileForTest(`
name: t
psps:
  - { id: alpha, methods: [card], kinds: [deposit, withdrawal], three_ds: false, accounts: [{ mid: A-1 }] }
  - { id: bravo, methods: [card], three_ds: false }
rules:
  - { id: route, class: DEFAULT, effects: { strategy: { priority: { psps: [alpha, bravo] } } } }
limits:
  - { id: month, class: SAFER_GAMBLING, on_unknown: APPLY, measure: GROSS, window: { rolling: 720h }, thresholds: [{ amount: { minor_units: 20000, currency_code: EUR } }] }
  - { id: net, class: SAFER_GAMBLING, on_unknown: APPLY, measure: NET, window: { rolling: 720h }, thresholds: [{ amount: { minor_units: 20000, currency_code: EUR } }] }
  - { id: risk, class: RISK, measure: GROSS, window: { rolling: 720h }, thresholds: [{ amount: { minor_units: 10000, currency_code: EUR } }] }
  - { id: sent, class: RISK, measure: COUNT, counted: AUTHORISATIONS, window: { rolling: 720h }, thresholds: [{ count: 9 }] }
`);

const payment = cardDeposit;

/** A house with one payment of EUR 60.00 that was decided at noon and holds; `tell` reports its attempt at a step. */
function openHouse() {
  const clock = { at: noonMs };
  const state = createMemoryState({
    merchants: new Map([["default", { clock: "server" }]]),
    rules: {
      current: () => ({ snapshot, overrides: buildOverrideSet({ revision: 0, slots: [], overrides: [] }) }),
    },
    bins: emptyBinTable,
    clock: { nowMs: () => clock.at },
  });
  const decider = createDecider(state);
  const reporter = createReporter(state);
  const decide = (more: Partial<Payment>) => {
    const decided = decider.decide({ ...payment, ...more }, "gateway");
    if (!decided.ok) throw new Error(decided.kind);
    return decided;
  };
  const { steps } = decide({}).decision.plan!;
  const report = (result: OutcomeResult, more: Partial<OutcomeReport> = {}, step = 0) => {
    const { attemptId, psp } = steps[step]!;
    return reporter.report({ merchantId: "default", paymentId: "pay", attemptId, psp, result, ...more });
  };
  const tell = (...told: Parameters<typeof report>): Reported => {
    const reported = report(...told);
    if (!reported.ok) throw new Error(JSON.stringify(reported));
    return reported;
  };
  const holdOf = () => state.limits.get("default", "pay");
  const readUsed = (): Record<string, number> => {
    const player = { playerId: "p", attributes: new Map(), restrictions: [] };
    const { limits } = decider.describe("default", player)!;
    return Object.fromEntries(limits.map(({ limitId, used }) => [limitId, used]));
  };
  return { clock, decide, report, tell, holdOf, readUsed };
}

const part = { amount: { minorUnits: 1_500, currencyCode: "EUR" } };

describe("a payment whose answer is gone while it holds", () => {
  test("SEMANTICS 5.3: a late approval commits, where the payment was decided, and what it held is let go", () => {
    const { clock, tell, holdOf, readUsed } = openHouse();
    clock.at = noonMs + 8 * dayMs;
    expect(readUsed()).toEqual({ month: 6_000, net: 6_000, risk: 0, sent: 0 });
    expect(tell("APPROVED")).toMatchObject({ verdict: "APPLIED", overrun: false, plan: undefined });
    expect(holdOf()).toBeUndefined();
    expect(readUsed()).toEqual({ month: 6_000, net: 6_000, risk: 6_000, sent: 1 });
    clock.at = noonMs + 30 * dayMs - 1;
    expect(readUsed()).toMatchObject({ month: 6_000 });
    clock.at++;
    expect(readUsed()).toMatchObject({ month: 0 });
  });

  test("told twice it counts once", () => {
    const { clock, tell, readUsed } = openHouse();
    clock.at = noonMs + 8 * dayMs;
    tell("APPROVED");
    expect(tell("APPROVED", { playerId: "p", kind: "deposit", ...part }).verdict).toBe("UNKNOWN_PAYMENT");
    expect(readUsed()).toMatchObject({ month: 1_500, risk: 1_500, sent: 1 });
  });

  test("over a limit that let others in it is an overrun", () => {
    const { clock, decide, tell } = openHouse();
    clock.at = noonMs + 31 * 60_000;
    const { attemptId, psp } = decide({ paymentId: "other", amountMinor: 9_000 }).decision.plan!.steps[0]!;
    tell("APPROVED", { paymentId: "other", attemptId, psp });
    clock.at = noonMs + 8 * dayMs;
    expect(tell("DECLINED").overrun).toBe(false);
    expect(tell("APPROVED").overrun).toBe(true);
  });

  test("a part commits the part, a refund tells of the approval too", () => {
    const first = openHouse();
    first.clock.at = noonMs + 8 * dayMs;
    first.tell("PARTIAL", part);
    expect(first.readUsed()).toMatchObject({ month: 1_500, net: 1_500 });
    const second = openHouse();
    second.clock.at = noonMs + 8 * dayMs;
    second.tell("REFUNDED", part);
    expect(second.readUsed()).toMatchObject({ month: 6_000, net: 4_500 });
    expect(second.holdOf()).toBeUndefined();
  });

  test("a decline gives back with the last step only; an unknown outcome goes on holding", () => {
    const { clock, tell, holdOf, readUsed } = openHouse();
    clock.at = noonMs + 8 * dayMs;
    tell("UNKNOWN");
    expect(holdOf()).toMatchObject({ state: "UNKNOWN" });
    const other = openHouse();
    other.clock.at = noonMs + 8 * dayMs;
    other.tell("DECLINED");
    expect(other.holdOf()).toMatchObject({ state: "HELD" });
    other.tell("DECLINED", {}, 1);
    expect(other.holdOf()).toBeUndefined();
    expect(other.readUsed()).toMatchObject({ month: 0, sent: 2 });
    expect(readUsed()).toMatchObject({ month: 6_000 });
  });

  test("an attempt that it can't have had, another currency and more than it was of are refused", () => {
    const { clock, report, holdOf } = openHouse();
    clock.at = noonMs + 8 * dayMs;
    const refuse = (more: Partial<OutcomeReport>) => report("APPROVED", more);
    expect(refuse({ attemptId: "r0-s1-00000000" })).toMatchObject({
      kind: "invalid",
      faults: [{ field: "attempt_id", rule: "known" }],
    });
    expect(refuse({ psp: "zulu" })).toMatchObject({ ok: false });
    expect(refuse({ amount: { minorUnits: 6_001, currencyCode: "EUR" } })).toMatchObject({
      faults: [{ field: "amount.minor_units", rule: "out-of-range" }],
    });
    expect(refuse({ amount: { minorUnits: 1, currencyCode: "GBP" } })).toMatchObject({
      faults: [{ field: "amount.currency_code", rule: "conflict" }],
    });
    expect(holdOf()).toMatchObject({ state: "HELD" });
  });
});

test("a refund of an attempt that nobody told of tells of its approval: the net is what was taken and given back", () => {
  const { tell, holdOf, readUsed, clock } = openHouse();
  expect(tell("REFUNDED", part)).toMatchObject({ verdict: "APPLIED", plan: { next: { action: "DONE" } } });
  expect(holdOf()).toBeUndefined();
  clock.at += hourMs;
  expect(readUsed()).toMatchObject({ month: 6_000, net: 4_500, risk: 6_000, sent: 1 });
  expect(tell("REFUNDED", part).verdict).toBe("KNOWN");
  expect(tell("APPROVED").verdict).toBe("KNOWN");
});
