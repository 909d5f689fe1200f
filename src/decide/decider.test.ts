import { describe, expect, test } from "vitest";
import { cardDeposit } from "../../test/helpers/card-deposit.ts";
import { compileForTest } from "../../test/helpers/compile.ts";
import { createMemoryPayments } from "../../test/helpers/memory-payments.ts";
import { createMemoryState } from "../../test/helpers/memory-state.ts";
import { emptyBinTable } from "../core/bin/bin-table.ts";
import type { Payment } from "../core/payment.ts";
import type { Player } from "../core/player.ts";
import { buildOverrideSet } from "../core/rules/override-set.ts";
import type { RuleSnapshot } from "../core/rules/snapshot.ts";
import type { PaymentStore } from "../ports/payment-store.ts";
import { createDecider } from "./decider.ts";

const nowMs = Date.UTC(2026, 10, 16, 12);
const document = (rules: string): string => `
name: t
psps:
  - { id: alpha, methods: [card] }
attributes:
  - { name: tier, subject: PLAYER, type: STRING }
segments:
  - { id: gold, when: 'player.tier == "gold"' }
  - { id: large, when: 'payment.currency == "EUR" && payment.amount_minor > 1000' }
  - { id: danish, when: 'player.kyc_country == "DK"' }
rules:
${rules}`;
const open = compileForTest(
  document("  - { id: floor, class: DEFAULT, effects: { strategy: { least_cost: {} } } }"),
);
const shut = compileForTest(document("  - { id: no, class: RISK, effects: { deny: {} } }"), 2);

const payment: Payment = { ...cardDeposit, amountMinor: 5000, card: { bin: "457104" } };

function withoutOverrides(snapshot: RuleSnapshot) {
  return { snapshot, overrides: buildOverrideSet({ revision: 3, slots: [], overrides: [] }) };
}

function createWorld(snapshot: RuleSnapshot | undefined, payments: PaymentStore = createMemoryPayments()) {
  return createDecider(
    createMemoryState({
      merchants: new Map([["default", { clock: "server" }]]),
      rules: { current: () => snapshot && withoutOverrides(snapshot) },
      payments,
      bins: emptyBinTable,
      clock: { nowMs: () => nowMs },
    }),
  );
}

describe("the decider", () => {
  test("refuses where no rule set is active", () => {
    expect(createWorld(undefined).decide(payment, "gateway")).toEqual({
      ok: false,
      kind: "no_active_rule_set",
    });
  });

  test("a repeat waits for the write that it may have overtaken", async () => {
    const memory = createMemoryPayments();
    const writes: (() => void)[] = [];
    const slow: PaymentStore = {
      get: memory.get,
      put: (merchantId, record) => {
        void memory.put(merchantId, record);
        return new Promise((resolve) => writes.push(resolve));
      },
    };
    const decider = createWorld(open, slow);
    const first = decider.decide(payment, "gateway");
    const second = decider.decide(payment, "gateway");
    if (!first.ok || !second.ok) throw new Error("refused");
    expect(second.replayed).toBe(true);
    expect(writes).toHaveLength(1);
    let isOut = false;
    const out = second.durable!.then(() => {
      isOut = true;
    });
    await Promise.resolve();
    expect(isOut).toBe(false);
    writes[0]!();
    await out;
    expect(isOut).toBe(true);
  });

  test("the cashier and simulations store nothing", () => {
    const memory = createMemoryPayments();
    const decider = createWorld(open, {
      get: memory.get,
      put: () => {
        throw new Error("stored");
      },
    });
    expect(decider.decide({ ...payment, mode: "CASHIER" }, "gateway")).toMatchObject({
      ok: true,
      durable: undefined,
    });
    expect(decider.simulate(withoutOverrides(shut), payment)).toMatchObject({
      active: { ok: true, decision: { verdict: "APPROVE_ROUTE", ruleSetVersion: 1 }, durable: undefined },
      draft: { ok: true, decision: { verdict: "DENY", ruleSetVersion: 2 } },
    });
  });

  test("without an active rule set a draft is simulated alone", () => {
    expect(createWorld(undefined).simulate(withoutOverrides(shut), payment)).toMatchObject({
      active: undefined,
      draft: { ok: true },
    });
  });

  test("the same call at the same instant gives the same decision, byte for byte", () => {
    const [a, b] = [createWorld(open), createWorld(open)].map((decider) =>
      decider.decide(payment, "gateway"),
    );
    expect(JSON.stringify(a)).toBe(JSON.stringify(b));
  });

  test("the trace tells conditions, PSPs, facets and facts, and a repeat says what it is", () => {
    const decider = createWorld(open);
    const traced = { ...payment, trace: true };
    const first = decider.decide(traced, "gateway");
    if (!first.ok) throw new Error("refused");
    expect(first.trace!.conditions.map(({ path, condition }) => [path, condition?.truth])).toEqual([
      ["segments/danish", "unknown"],
      ["segments/gold", "unknown"],
      ["segments/large", "true"],
      ["rules/floor", undefined],
    ]);
    expect(first.trace!.psps).toEqual([
      { psp: "alpha", removedBy: "", detail: "", purposes: ["payments", "fraud"], rank: 1, score: new Map() },
    ]);
    expect(first.trace!.facets).toContainEqual({
      facet: "strategy",
      winners: [{ id: "floor", purposes: ["payments"] }],
      result: "least_cost floor",
    });
    expect(first.trace!.facts).toContainEqual({
      name: "card.bin",
      value: "457104",
      source: "request",
      purposes: ["payments", "fraud"],
    });
    const second = decider.decide(traced, "gateway");
    expect(second.ok && second.trace?.notes[0]).toContain("the answer is the stored one");
  });

  test("segments of a player are told without a payment; what a payment would tell is unknown", () => {
    const player: Player = {
      playerId: "p",
      attributes: new Map([["tier", { value: "gold", setAtMs: nowMs, source: "t" }]]),
      restrictions: [],
    };
    expect(createWorld(open).describe("default", player)).toMatchObject({
      segments: ["gold"],
      unknownSegments: ["danish", "large"],
    });
    expect(createWorld(undefined).describe("default", player)).toBeUndefined();
  });
});
