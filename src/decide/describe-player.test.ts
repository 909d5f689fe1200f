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

const lawful = compileForTest(`
name: t
psps:
  - { id: alpha, methods: [card] }
brands:
  - { id: crown, licence: GB }
  - { id: polar, licence: SE }
  - { id: plain }
limits:
  - { id: own, class: RISK, measure: COUNT, window: { rolling: 1d }, thresholds: [{ count: 9 }] }
  - id: check
    class: SAFER_GAMBLING
    measure: COUNT
    applies: '"GB" in context.jurisdictions'
    window: { rolling: 1d }
    thresholds: [{ count: 5 }]
    on_unknown: SKIP
    breach: NOTICE
policy_packs:
  - { id: de, jurisdiction: DE, limits: [{ id: day, class: REGULATORY, measure: COUNT, window: { rolling: 1d }, thresholds: [{ count: 3 }], on_unknown: APPLY }] }
  - { id: gb, jurisdiction: GB, limits: [{ id: day, class: REGULATORY, measure: COUNT, window: { rolling: 1d }, thresholds: [{ count: 3 }], on_unknown: APPLY }] }
  - { id: se, jurisdiction: SE, limits: [{ id: day, class: REGULATORY, measure: COUNT, window: { rolling: 1d }, thresholds: [{ count: 3 }], on_unknown: APPLY }] }
  - { id: au, jurisdiction: AU, physical: true, limits: [{ id: day, class: REGULATORY, measure: COUNT, window: { rolling: 1d }, thresholds: [{ count: 3 }], on_unknown: APPLY }] }
  - { id: old, jurisdiction: GB, until: "1970-01-01T00:00:00Z", limits: [{ id: day, class: REGULATORY, measure: COUNT, window: { rolling: 1d }, thresholds: [{ count: 3 }], on_unknown: APPLY }] }
rules:
  - { id: floor, class: DEFAULT, effects: { strategy: { least_cost: {} } } }
`);

function describeVerified(country: string | undefined, ttlMs?: number) {
  const kyc = { value: country ?? "", setAtMs: 0, source: "kyc", ...(ttlMs === undefined ? {} : { ttlMs }) };
  const attributes = country === undefined ? new Map() : new Map([["kyc_country", kyc]]);
  const player = { playerId: "p", attributes, restrictions: [] };
  const state = { player, pspStates: new Map(), bins: emptyBinTable };
  const { limits, limitScopes, packs } = describePlayer(lawful, "m", player, state, hourMs);
  return {
    limits: limits.map(({ limitId }) => limitId).sort(),
    scopes: limitScopes,
    packs: packs.map(({ pack, dependsOn, brands }) => [pack.id, dependsOn, brands]),
  };
}

test("SEMANTICS 2.3: limits and packs of countries that no payment of the player can have are left out", () => {
  expect(describeVerified("DE")).toEqual({
    limits: ["au.day", "check", "de.day", "gb.day", "own", "se.day"],
    scopes: [
      { limitId: "check", brands: ["crown"], withoutBrand: false },
      { limitId: "gb.day", brands: ["crown"], withoutBrand: false },
      { limitId: "se.day", brands: ["polar"], withoutBrand: false },
    ],
    packs: [
      ["au", ["IP_COUNTRY"], []],
      ["de", [], []],
      ["gb", ["LICENCE"], ["crown"]],
      ["se", ["LICENCE"], ["polar"]],
    ],
  });
  expect(describeVerified("GB")).toEqual({
    limits: ["au.day", "check", "gb.day", "own", "se.day"],
    scopes: [{ limitId: "se.day", brands: ["polar"], withoutBrand: false }],
    packs: [
      ["au", ["IP_COUNTRY"], []],
      ["gb", [], ["crown"]],
      ["se", ["LICENCE"], ["polar"]],
    ],
  });
});

test("a player without a verified country, or whose word is too old, may be under the law of any", () => {
  const anywhere = describeVerified(undefined);
  expect(anywhere).toEqual({
    // Whether the check applies is unknown, and unknown skips it.
    limits: ["au.day", "de.day", "gb.day", "own", "se.day"],
    scopes: [],
    packs: [
      ["au", ["PLAYER_COUNTRY", "IP_COUNTRY"], []],
      ["de", ["PLAYER_COUNTRY"], []],
      ["gb", ["PLAYER_COUNTRY", "LICENCE"], ["crown"]],
      ["se", ["PLAYER_COUNTRY", "LICENCE"], ["polar"]],
    ],
  });
  expect(describeVerified("DE", hourMs)).toEqual(anywhere);
});
