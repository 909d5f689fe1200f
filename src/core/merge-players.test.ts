import { describe, expect, test } from "vitest";
import { mergePlayers } from "./merge-players.ts";
import type { OwnLimit, Player, Restriction } from "./player.ts";

const kept: Player = { playerId: "ann", attributes: new Map(), restrictions: [] };
const alias: Player = { ...kept, playerId: "bob" };

function restrict(part: Partial<Restriction> = {}): Restriction {
  return {
    kind: "TIME_OUT",
    source: "site",
    fromMs: 100,
    untilMs: 200,
    checkedAtMs: 100,
    clear: false,
    returned: false,
    ...part,
  };
}

function limit(minorUnits: number, currencyCode = "EUR"): OwnLimit {
  const amount = { minorUnits, currencyCode };
  return { period: "WEEK", measure: "GROSS", amount, setAtMs: 1, zone: "UTC" };
}

describe("mergePlayers", () => {
  test("takes of each attribute the newest value", () => {
    const at = (value: string, setAtMs: number) => ({ value, setAtMs, source: "x" });
    const merged = mergePlayers(
      {
        ...kept,
        attributes: new Map([
          ["a", at("old", 1)],
          ["b", at("new", 2)],
        ]),
      },
      {
        ...alias,
        attributes: new Map([
          ["a", at("new", 2)],
          ["b", at("old", 1)],
          ["c", at("own", 1)],
        ]),
      },
      undefined,
    );
    expect([...merged.attributes].map(([name, { value }]) => [name, value])).toEqual([
      ["a", "new"],
      ["b", "new"],
      ["c", "own"],
    ]);
  });

  test.each<readonly [string, Restriction, Restriction, Restriction]>([
    [
      "the longer one, from the earlier begin",
      restrict(),
      restrict({ fromMs: 50, untilMs: 300 }),
      restrict({ fromMs: 50, untilMs: 300 }),
    ],
    ["the one without an end", restrict(), endless(), endless()],
    ["the one that holds", restrict({ clear: true }), restrict(), restrict()],
    ["the one without a return", restrict({ returned: true }), restrict(), restrict()],
  ])("keeps of two restrictions by one source %s, whichever id had it", (_, a, b, want) => {
    const merge = (some: Restriction, more: Restriction) =>
      mergePlayers({ ...kept, restrictions: [some] }, { ...alias, restrictions: [more] }, undefined)
        .restrictions;
    expect(merge(a, b)).toEqual([want]);
    expect(merge(b, a)).toEqual([want]);
  });

  test("keeps the lowest of two own limits, without what waits to loosen it", () => {
    const pending = {
      amount: limit(900).amount,
      requestedAtMs: 1,
      effectiveAtMs: 2,
      needsConfirmation: false,
    };
    const merged = mergePlayers(
      { ...kept, ownLimits: [limit(500)] },
      { ...alias, ownLimits: [{ ...limit(400), pending }] },
      undefined,
    );
    expect(merged.ownLimits).toEqual([limit(400)]);
  });

  test("keeps the limit of the kept id where no rate tells which is lower", () => {
    const merged = mergePlayers(
      { ...kept, ownLimits: [limit(500)] },
      { ...alias, ownLimits: [limit(1, "USD")] },
      undefined,
    );
    expect(merged.ownLimits).toEqual([limit(500)]);
  });

  test("remembers all other ids", () => {
    const merged = mergePlayers({ ...kept, aliases: ["x"] }, { ...alias, aliases: ["y", "ann"] }, undefined);
    expect(merged.aliases).toEqual(["bob", "x", "y"]);
  });
});

function endless(): Restriction {
  const { untilMs: _ends, ...rest } = restrict();
  return rest;
}
