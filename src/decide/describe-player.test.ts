import { expect, test } from "vitest";
import { compileForTest } from "../../test/helpers/compile.ts";
import { emptyBinTable } from "../core/bin/bin-table.ts";
import type { OwnLimit } from "../core/player.ts";
import { describePlayer } from "./describe-player.ts";

const hourMs = 3_600_000;
const snapshot = compileForTest(`
name: t
psps:
  - { id: alpha, methods: [card] }
rules:
  - { id: floor, class: DEFAULT, effects: { strategy: { least_cost: {} } } }
`);

const day: OwnLimit = {
  period: "DAY",
  measure: "GROSS",
  amount: { minorUnits: 1000, currencyCode: "EUR" },
  zone: "UTC",
  setAtMs: 0,
  pending: {
    amount: { minorUnits: 2000, currencyCode: "EUR" },
    requestedAtMs: 0,
    effectiveAtMs: 24 * hourMs,
    needsConfirmation: false,
  },
};

function describeAt(nowMs: number) {
  const player = { playerId: "p", attributes: new Map(), restrictions: [], ownLimits: [day] };
  const state = { player, pspStates: new Map(), bins: emptyBinTable };
  return describePlayer(snapshot, "m", player, state, nowMs).ownLimits;
}

test("a raise of an own limit is told as what waits, and from its instant on as what holds", () => {
  expect(describeAt(24 * hourMs - 1)).toEqual([day]);
  expect(describeAt(24 * hourMs)).toMatchObject([{ amount: { minorUnits: 2000 } }]);
  expect(describeAt(24 * hourMs)[0]?.pending).toBeUndefined();
});
