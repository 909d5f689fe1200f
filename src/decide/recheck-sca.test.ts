import { expect, test } from "vitest";
import { cardDeposit } from "../../test/helpers/card-deposit.ts";
import { compileForTest } from "../../test/helpers/compile.ts";
import { createMemoryState } from "../../test/helpers/memory-state.ts";
import { emptyBinTable } from "../core/bin/bin-table.ts";
import type { Payment } from "../core/payment.ts";
import { buildOverrideSet } from "../core/rules/override-set.ts";
import type { PlanNow } from "./decided.ts";
import { createDecider } from "./decider.ts";
import { createReporter } from "./reporter.ts";

/** Acquirers of low fraud in the zone of the card; coral cannot run 3DS. */
const compile = (version: number, scaPolicy: string, wish = "") =>
  compileForTest(
    `
name: t
psps:
  - { id: alpha, methods: [card], acquirer_country: FR, sca: { fraud_rate_bps: 5 } }
  - { id: bravo, methods: [card], acquirer_country: FR, sca: { fraud_rate_bps: 5 } }
  - { id: coral, methods: [card], acquirer_country: FR, three_ds: false, sca: { fraud_rate_bps: 5 } }
rules:
  - { id: route, class: DEFAULT, effects: { strategy: { priority: { psps: [alpha, bravo, coral] } }, retry_policy: own${wish} } }
retry_policies: [{ id: own, max_attempts: 3, rules: [{ outcome: SCA, response: STOP }, { outcome: GENERIC, response: STOP }] }]
sca_policy: ${scaPolicy}
`,
    version,
  );

const withTra = "{ exemption_order: [low_value, tra] }";
const withoutTra = "{ exemption_order: [low_value] }";
const payment: Payment = {
  ...cardDeposit,
  amountMinor: 8_000,
  card: { fingerprint: "f", issuerCountry: "FR", scheme: "visa" },
};

function openHouse(wish = "", first = withTra) {
  let snapshot = compile(1, first, wish);
  const state = createMemoryState({
    merchants: new Map([["default", { clock: "server" }]]),
    rules: {
      current: () => ({ snapshot, overrides: buildOverrideSet({ revision: 0, slots: [], overrides: [] }) }),
    },
    bins: emptyBinTable,
    clock: { nowMs: () => Date.UTC(2026, 10, 16, 12) },
  });
  const decider = createDecider(state);
  const reporter = createReporter(state);
  return {
    activate: (scaPolicy: string) => {
      snapshot = compile(snapshot.version + 1, scaPolicy, wish);
    },
    decide: (more: Partial<Payment> = {}) => {
      const decided = decider.decide({ ...payment, ...more }, "gateway");
      if (!decided.ok) throw new Error(decided.kind);
      return decided.plan;
    },
    decline: (plan: PlanNow | undefined, at: number) => {
      const { attemptId, psp } = plan!.steps[at]!;
      const told = reporter.report({
        ...{ merchantId: "default", paymentId: "pay", attemptId, psp },
        ...{ result: "DECLINED", responseCode: "96" },
      });
      if (!told.ok) throw new Error(told.kind);
      return told.plan;
    },
  };
}

function describe3ds(plan: PlanNow | undefined): readonly string[] {
  return plan!.steps.map(({ psp, threeDs, liabilityShift }) => {
    const { requirement, reason } = threeDs;
    return `${psp} ${requirement} ${reason} ${liabilityShift}`;
  });
}

const planned = ["alpha", "bravo", "coral"].map((psp) => `${psp} EXEMPTION TRA NOT_EXPECTED`);

test("SEMANTICS 4.2: under an SCA policy that became stricter what was not sent authenticates, or is cut where it cannot", () => {
  const { activate, decide, decline } = openHouse();
  const plan = decide();
  expect(describe3ds(plan)).toEqual(planned);
  activate(withoutTra);
  const now = decline(plan, 0);
  expect(describe3ds(now)).toEqual(["alpha EXEMPTION TRA NOT_EXPECTED", "bravo THREE_DS SCA EXPECTED"]);
  expect(now!.next).toEqual({ action: "STEP", step: 2 });
  expect(now!.cut.map(({ code, sourceId }) => [code, sourceId])).toEqual([["THREE_DS_FLOOR", "coral"]]);
  expect(now!.steps[1]!.attemptId).toBe(plan!.steps[1]!.attemptId);
});

test("what became stricter stays so, and what was planned is never made looser", () => {
  const { activate, decide, decline } = openHouse();
  const plan = decide();
  activate(withoutTra);
  decide();
  activate(withTra);
  expect(describe3ds(decide())).toEqual([
    "alpha THREE_DS SCA EXPECTED",
    "bravo THREE_DS SCA EXPECTED",
    "coral EXEMPTION TRA NOT_EXPECTED",
  ]);
  const strict = openHouse();
  strict.activate(withoutTra);
  const asked = strict.decide();
  strict.activate(withTra);
  expect(describe3ds(strict.decline(asked, 0))).toEqual(describe3ds(asked));
  expect(describe3ds(decline(plan, 0))[1]).toBe("bravo THREE_DS SCA EXPECTED");
});

test("a new rule set that asks for no more leaves the plan as it was", () => {
  const { activate, decide, decline } = openHouse();
  const plan = decide();
  activate(withTra);
  expect(describe3ds(decline(plan, 0))).toEqual(planned);
});

test("an exemption that a rule named outside the policy's order is named still", () => {
  const { activate, decide, decline } = openHouse(
    ", three_ds: { level: EXEMPT, exemption: TRA }",
    withoutTra,
  );
  const plan = decide();
  expect(describe3ds(plan)).toEqual(planned);
  activate(withoutTra);
  expect(describe3ds(decline(plan, 0))).toEqual(planned);
});

test("what the merchant starts goes on as it was planned", () => {
  const { activate, decide, decline } = openHouse();
  const plan = decide({ initiator: "MIT", originalNetworkId: "n" });
  activate(withoutTra);
  expect(describe3ds(decline(plan, 0))).toEqual(describe3ds(plan));
});
