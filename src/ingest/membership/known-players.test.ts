import { describe, expect, test } from "vitest";
import { compileForTest } from "../../../test/helpers/compile.ts";
import { openWorld, ruleSet, startMs } from "../../../test/helpers/membership-world.ts";
import type { Player, Restriction } from "../../core/player.ts";
import { listKnownPlayers } from "./known-players.ts";
import { countFlips, listMembers } from "./survey.ts";

const hourMs = 3_600_000;
const neverEnds = new AbortController().signal;

function withoutTurns({ deps }: ReturnType<typeof openWorld>) {
  return { ...deps, pacer: { ...deps.pacer, soon: (run: () => void) => queueMicrotask(run) } };
}

describe("a player without events", () => {
  const segments = [
    { id: "no_deposit", when: "feature.deposits_7d == 0" },
    { id: "gold", when: 'player.tier == "gold"' },
  ];
  const snapshot = compileForTest(JSON.stringify({ ...ruleSet, segments }));
  const tier = (value: string, setAtMs: number): Player["attributes"] =>
    new Map([["tier", { value, setAtMs, source: "crm" }]]);
  const restriction: Restriction = {
    ...{ kind: "TIME_OUT", source: "desk", clear: false, returned: false },
    ...{ fromMs: startMs + 9 * hourMs, checkedAtMs: startMs + 2 * hourMs },
  };
  const ownLimit = {
    ...({ period: "DAY", measure: "GROSS", zone: "UTC", setAtMs: startMs + 3 * hourMs } as const),
    amount: { minorUnits: 100, currencyCode: "EUR" },
  };
  const none = { attributes: new Map(), restrictions: [] };
  const stored: readonly Player[] = [
    { ...none, playerId: "attribute", attributes: tier("gold", startMs + hourMs) },
    { ...none, playerId: "restriction", restrictions: [restriction] },
    { ...none, playerId: "limit", ownLimits: [ownLimit] },
    { ...none, playerId: "changed", attributes: tier("gold", startMs + 4 * hourMs), knownSinceMs: startMs },
    { ...none, playerId: "alias", mergedInto: "changed" },
    { ...none, playerId: "deleted", attributes: tier("gold", startMs) },
  ];
  const untilMs = startMs + 10 * hourMs;

  async function openKnownWorld() {
    const world = openWorld();
    await world.activate(snapshot);
    for (const player of stored) await world.players.put("m", player);
    await world.players.delete("m", "deleted");
    // No segment reads it, but the player is known by it.
    world.place("event", "withdrawal_paid", startMs + 5 * hourMs);
    world.place("limit", "payment_approved", startMs + 6 * hourMs);
    await world.passTo(untilMs);
    return world;
  }
  const asked = { merchantId: "m", snapshot, signal: neverEnds };

  test("is listed and counted from the first that is known of them, as others are", async () => {
    const world = await openKnownWorld();
    const list = async (segment: number, atMs: number): Promise<readonly string[]> => {
      const found: string[] = [];
      for await (const { playerIds } of listMembers(withoutTurns(world), { ...asked, segment, atMs }))
        found.push(...playerIds);
      return found;
    };
    const no = snapshot.segments.findIndex(({ id }) => id === "no_deposit");
    const gold = snapshot.segments.findIndex(({ id }) => id === "gold");
    expect(await list(no, startMs - 1)).toEqual([]);
    expect(await list(no, startMs)).toEqual(["changed"]);
    expect(await list(no, startMs + 3 * hourMs)).toEqual(["attribute", "changed", "limit", "restriction"]);
    expect(await list(no, untilMs)).toEqual(["attribute", "changed", "event", "restriction"]);
    expect(await list(gold, untilMs)).toEqual(["attribute", "changed"]);
    const messages = [];
    const question = { ...asked, segments: [no, gold], fromMs: Number.NEGATIVE_INFINITY, untilMs };
    for await (const message of countFlips(withoutTurns(world), question)) messages.push(message);
    expect(messages.at(-1)).toEqual({
      ...{ lookedAt: 5, players: 5 },
      stats: [
        { segment: no, entries: 5, exits: 1, players: 5, members: 4, medianStayMs: 3 * hourMs },
        { segment: gold, entries: 2, exits: 0, players: 2, members: 2, medianStayMs: 0 },
      ],
    });
  });

  test("is told to watchers when they become known, and found where nobody looked before the end", async () => {
    const told = [
      ["attribute", "gold", "ENTER", hourMs],
      ["attribute", "no_deposit", "ENTER", hourMs],
      ["changed", "gold", "ENTER", 4 * hourMs],
      ["changed", "no_deposit", "ENTER", 0],
      ["event", "no_deposit", "ENTER", 5 * hourMs],
      ["limit", "no_deposit", "ENTER", 3 * hourMs],
      ["limit", "no_deposit", "EXIT", 6 * hourMs],
      ["restriction", "no_deposit", "ENTER", 2 * hourMs],
    ];
    const reviewed = await openKnownWorld();
    await reviewed.activate(snapshot);
    expect(reviewed.told().sort()).toEqual(told);
    const touched = await openKnownWorld();
    for (const { playerId } of stored) touched.tracker.touch("m", playerId, untilMs);
    touched.tracker.touch("m", "event", startMs + 5 * hourMs, "withdrawal_paid");
    await touched.settle();
    expect(touched.told().sort()).toEqual(told);
  });
});

test("known players come in order and in pages, each once, and the last page has their number", async () => {
  const world = openWorld();
  const ids = Array.from({ length: 2_500 }, (_, at) => `player-${String(at).padStart(4, "0")}`);
  for (const [at, playerId] of ids.entries()) {
    if (at % 3 !== 0) world.place(playerId, "bet", startMs);
    if (at % 2 === 0 || at % 3 === 0)
      await world.players.put("m", { playerId, attributes: new Map(), restrictions: [] });
  }
  const pages = [];
  for await (const page of listKnownPlayers(withoutTurns(world), "m")) pages.push(page);
  expect(pages.flatMap(({ playerIds }) => playerIds)).toEqual(ids);
  expect(pages.map(({ playerIds }) => playerIds.length)).toEqual([1_000, 1_000, 500]);
  expect(pages.at(-1)!.players).toBe(2_500);
  for await (const page of listKnownPlayers(withoutTurns(world), "nobody"))
    expect(page).toEqual({ playerIds: [], players: 0 });
});
