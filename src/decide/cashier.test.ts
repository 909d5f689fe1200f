import { expect, test } from "vitest";
import { compileForTest } from "../../test/helpers/compile.ts";
import { emptyBinTable } from "../core/bin/bin-table.ts";
import type { Payment } from "../core/payment.ts";
import { buildOverrideSet } from "../core/rules/override-set.ts";
import { decideCashier } from "./cashier.ts";

const ask: Payment = {
  requestId: "r",
  merchantId: "default",
  paymentId: "",
  revision: 0,
  playerId: "p",
  brand: "",
  kind: "deposit",
  currency: "EUR",
  initiator: "CIT",
  riskSignals: [],
  attributes: new Map(),
  previousAttempts: [],
  mode: "CASHIER",
  trace: false,
};

function show(limit: string): ReturnType<typeof decideCashier>["decision"] {
  const snapshot = compileForTest(`
name: t
psps:
  - { id: alpha, methods: [card] }
limits:
  - ${limit}
rules:
  - id: view
    class: DEFAULT
    effects:
      strategy: { least_cost: {} }
      experience:
        amounts: [{ minor_units: 1000, currency_code: EUR }, { minor_units: 9000, currency_code: EUR }]
`);
  const overrides = buildOverrideSet({ revision: 0, slots: [], overrides: [] });
  const state = { player: undefined, pspStates: new Map(), bins: emptyBinTable };
  return decideCashier({ snapshot, overrides }, ask, state, 0).decision;
}

const day =
  "measure: GROSS, window: { rolling: 24h }, thresholds: [{ amount: { minor_units: 4000, currency_code: EUR } }]";

test("what is left of a limit cuts what the cashier suggests and offers", () => {
  expect(show(`{ id: day, class: RISK, ${day} }`).experience).toMatchObject({
    amounts: [{ minorUnits: 1000 }, { minorUnits: 4000 }],
    methods: [{ method: "card", maxAmount: { minorUnits: 4000 } }],
  });
});

test("a limit that only tells cuts nothing", () => {
  expect(show(`{ id: day, class: RISK, breach: NOTICE, ${day} }`).experience).toMatchObject({
    amounts: [{ minorUnits: 1000 }, { minorUnits: 9000 }],
    methods: [{ method: "card", maxAmount: undefined }],
  });
});

test("a limit of cards that closes on unknown hides nothing before a card is chosen", () => {
  const limit = `{ id: day, class: SAFER_GAMBLING, on_unknown: APPLY, subject: CARD, ${day} }`;
  expect(show(limit)).toMatchObject({ verdict: "APPROVE_ROUTE", experience: { hiddenMethods: [] } });
});
