import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { compileForTest } from "../../../test/helpers/compile.ts";
import { openWorld, ruleSet, standard, startMs } from "../../../test/helpers/membership-world.ts";
import { createMemoryMemberships } from "../../../test/helpers/memory-memberships.ts";
import { countRuns } from "../../../test/helpers/property-runs.ts";
import type { Player, Restriction } from "../../core/player.ts";
import { advanceMemory } from "../../core/segments/advance-memory.ts";
import { makePlayerInput } from "../../core/segments/player-input.ts";
import type { SegmentStats } from "../../core/segments/stats.ts";
import { openMemory } from "../../core/segments/timeline.ts";
import { countFlips, listMembers } from "./survey.ts";
import { createMembershipTracker } from "./tracker.ts";

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const dayMs = 24 * hourMs;
const neverEnds = new AbortController().signal;

describe("who is in which segment", () => {
  test("SEMANTICS 5.9: three deposits in seven days and silent for 72 hours begins and ends with no event, to the millisecond", async () => {
    const world = openWorld();
    for (const hour of [0, 10, 20]) await world.happen("p", "payment_approved", startMs + hour * hourMs);
    await world.passTo(startMs + (20 + 72) * hourMs - 1);
    expect(world.told()).toEqual([["p", "active", "ENTER", 0]]);
    await world.passTo(startMs + 30 * dayMs);
    expect(world.told().slice(1)).toEqual([
      ["p", "lapsed", "ENTER", (20 + 72) * hourMs],
      ["p", "lapsed", "EXIT", 7 * dayMs],
      ["p", "active", "EXIT", 20 * hourMs + 7 * dayMs],
    ]);
    expect(world.tracker.counts()).toEqual({ waiting: 0, scheduled: 0 });
  });

  test("is asked once of players whose events no segment reads, and their events are the clock of a merchant that has none", async () => {
    const server = openWorld();
    const touch = (atMs: number, type: string): number => {
      server.place("p", type, atMs);
      server.tracker.touch("m", "p", atMs, type);
      return server.tracker.counts().waiting;
    };
    expect(touch(startMs, "withdrawal_paid")).toBe(1);
    await server.settle();
    expect(touch(startMs + 1, "withdrawal_paid")).toBe(0);
    // The player's life begins earlier than was known.
    expect(touch(startMs - 1, "withdrawal_paid")).toBe(1);
    await server.settle();
    expect(touch(startMs, "withdrawal_paid")).toBe(0);
    expect(touch(startMs, "payment_approved")).toBe(1);

    const request = openWorld({ clock: "request" });
    await request.happen("p", "payment_approved", startMs);
    await request.happen("other", "withdrawal_paid", startMs + 8 * dayMs);
    expect(request.told()).toEqual([
      ["p", "active", "ENTER", 0],
      ["p", "active", "EXIT", 7 * dayMs],
    ]);
  });

  test("is looked at for fewer players in a turn into which many events came", () => {
    const world = openWorld();
    const turns: (() => void)[] = [];
    const pacer = { ...world.deps.pacer, soon: (run: () => void) => void turns.push(run) };
    const tracker = createMembershipTracker({ ...world.deps, pacer });
    for (let player = 0; player < 200; player++)
      tracker.touch("m", `p${player}`, startMs, "payment_approved");
    turns.shift()!();
    expect(tracker.counts().waiting).toBe(199);
    turns.shift()!();
    expect(tracker.counts().waiting).toBeLessThan(198);
    tracker.close();
  });

  test("is told when the player comes back", async () => {
    const world = openWorld();
    for (const hour of [0, 1, 2]) await world.happen("p", "payment_approved", startMs + hour * hourMs);
    await world.happen("p", "session_start", startMs + 80 * hourMs + 5);
    expect(world.told().slice(1)).toEqual([
      ["p", "lapsed", "ENTER", 74 * hourMs],
      ["p", "lapsed", "EXIT", 80 * hourMs + 5],
    ]);
  });

  test("waits with an exit for the least stay, and for the exit to hold", async () => {
    const world = openWorld();
    for (const minute of [0, 1, 2]) await world.happen("p", "bet", startMs + minute * minuteMs);
    await world.passTo(startMs + dayMs);
    expect(world.told()).toEqual([
      ["p", "busy", "ENTER", 2 * minuteMs],
      ["p", "busy", "EXIT", 2 * minuteMs + 2 * hourMs],
    ]);
    const again = startMs + dayMs;
    for (const minute of [0, 1, 2, 115]) await world.happen("p", "bet", again + minute * minuteMs);
    await world.passTo(again + dayMs);
    expect(world.told().slice(2)).toEqual([
      ["p", "busy", "ENTER", dayMs + 2 * minuteMs],
      ["p", "busy", "EXIT", dayMs + 175 * minuteMs],
    ]);
  });
});

describe("what comes late", () => {
  test("corrects what was told, with the instant as of which", async () => {
    const world = openWorld();
    for (const hour of [0, 10, 20]) await world.happen("p", "payment_approved", startMs + hour * hourMs);
    await world.passTo(startMs + 100 * hourMs);
    expect(world.told().at(-1)).toEqual(["p", "lapsed", "ENTER", 92 * hourMs]);
    await world.happen("p", "bet", startMs + 50 * hourMs);
    expect(world.told().at(-1)).toEqual(["p", "lapsed", "CORRECTION_EXIT", 92 * hourMs]);
    await world.passTo(startMs + 130 * hourMs);
    expect(world.told().at(-1)).toEqual(["p", "lapsed", "ENTER", 122 * hourMs]);
  });

  test("brings in who should have been told to be in", async () => {
    const world = openWorld();
    await world.happen("p", "payment_approved", startMs + hourMs);
    await world.happen("p", "payment_approved", startMs + 2 * hourMs);
    await world.passTo(startMs + 80 * hourMs);
    await world.happen("p", "session_start", startMs + 80 * hourMs);
    const first = await world.happen("p", "payment_approved", startMs + 30 * minuteMs);
    expect(world.told()).toEqual([["p", "active", "ENTER", hourMs]]);
    await world.passTo(startMs + 153 * hourMs);
    expect(world.told().slice(1)).toEqual([["p", "lapsed", "ENTER", 152 * hourMs]]);
    world.histories.reverse("m", { kind: "player", id: "p" }, { id: first, atMs: startMs });
    world.tracker.touch("m", "p", Number.NEGATIVE_INFINITY);
    await world.settle();
    expect(world.told().slice(2)).toEqual([["p", "lapsed", "CORRECTION_EXIT", 152 * hourMs]]);
    expect(world.log.state("m", "p")?.memberSince.get("active")).toBe(startMs + hourMs);
  });

  test("tells no stay that was over before it was known of, by looks that were not kept either", async () => {
    const world = openWorld();
    await world.happen("p", "payment_approved", startMs);
    await world.happen("p", "payment_approved", startMs + hourMs);
    await world.happen("p", "session_start", startMs + 90 * hourMs);
    await world.happen("p", "payment_approved", startMs + 10 * hourMs);
    expect(world.told()).toEqual([["p", "active", "ENTER", 0]]);
  });

  test("leaves alone what rests on an attribute that was set again", async () => {
    const world = openWorld();
    const gold = (setAtMs: number) => new Map([["tier", { value: "gold", setAtMs, source: "crm" }]]);
    await world.change({ attributes: gold(startMs) });
    await world.happen("p", "payment_approved", startMs + hourMs);
    await world.happen("p", "bet", startMs + 3 * hourMs);
    await world.passTo(startMs + 4 * hourMs);
    await world.change({ attributes: gold(startMs + 4 * hourMs) });
    await world.happen("p", "payment_approved", startMs + 2 * hourMs);
    expect(world.told()).toEqual([
      ["p", "active", "ENTER", hourMs],
      ["p", "gold", "ENTER", hourMs],
    ]);
  });

  test("is told as it would have been told in order, whatever the order", async () => {
    const events = fc.array(
      fc.record({
        playerId: fc.constantFrom("p", "q"),
        type: fc.constantFrom("payment_approved", "bet", "session_start"),
        atMs: fc.integer({ min: 0, max: 20 * 24 * 4 }).map((quarter) => startMs + quarter * 15 * minuteMs),
      }),
      { minLength: 1, maxLength: 14 },
    );
    const shuffled = events.chain((all) =>
      fc.tuple(
        fc.constant(all),
        fc.shuffledSubarray([...all.keys()], { minLength: all.length, maxLength: all.length }),
      ),
    );
    await fc.assert(
      fc.asyncProperty(shuffled, async ([all, order]) => {
        const ordered = openWorld({ clock: "request" });
        const mixed = openWorld({ clock: "request" });
        const inOrder = [...all.entries()].sort(([, a], [, b]) => a.atMs - b.atMs);
        for (const [place, [id, { playerId, type, atMs }]] of inOrder.entries()) {
          ordered.place(playerId, type, atMs, id + 1);
          ordered.tracker.touch("m", playerId, atMs);
          // What happens at one instant is known at one time; else the second would be late.
          if (inOrder[place + 1]?.[1].atMs !== atMs) await ordered.settle();
        }
        for (const id of order) {
          const { playerId, type, atMs } = all[id]!;
          mixed.place(playerId, type, atMs, id + 1);
          mixed.tracker.touch("m", playerId, atMs);
          if (id % 2 === 0) await mixed.settle();
        }
        await mixed.settle();
        for (const playerId of ["p", "q"]) {
          expect(mixed.log.state("m", playerId)?.memberSince ?? new Map()).toEqual(
            ordered.log.state("m", playerId)?.memberSince ?? new Map(),
          );
          // Who follows what is told knows who is in.
          for (const world of [ordered, mixed]) {
            const members = new Set<string>();
            for (const change of world.log.changes("m")) {
              if (change.playerId !== playerId) continue;
              const enters = change.kind.endsWith("ENTER");
              expect(members.has(change.segment)).toBe(!enters);
              if (enters) members.add(change.segment);
              else members.delete(change.segment);
            }
            expect(members).toEqual(new Set(world.log.state("m", playerId)?.memberSince.keys() ?? []));
          }
        }
        expect(ordered.log.changes("m").some(({ kind }) => kind.startsWith("CORRECTION"))).toBe(false);
        expect(await takeStats(mixed)).toEqual(await takeStats(ordered));
      }),
      { numRuns: countRuns(25) },
    );
  });
});

async function takeStats(
  world: ReturnType<typeof openWorld>,
  untilMs = startMs + 40 * dayMs,
): Promise<readonly SegmentStats[]> {
  const asked = {
    merchantId: "m",
    snapshot: standard,
    segments: [...standard.segments.keys()],
    fromMs: Number.NEGATIVE_INFINITY,
    untilMs,
    signal: neverEnds,
  };
  for await (const { stats } of countFlips(withoutTurns(world), asked)) if (stats !== undefined) return stats;
  throw new Error("no statistics");
}

function withoutTurns({ deps }: ReturnType<typeof openWorld>) {
  return { ...deps, pacer: { ...deps.pacer, soon: (run: () => void) => queueMicrotask(run) } };
}

test("decisions remember what following a player from the beginning remembers, whatever was asked and came before", () => {
  const minute = fc.integer({ min: 0, max: 12 }).map((parts) => 20 * parts);
  const bet = fc.record({ kind: fc.constant("bet"), minute });
  const ask = fc.record({ kind: fc.constant("ask"), minute });
  const memory = openMemory(standard);
  const player = { playerId: "p", attributes: new Map(), restrictions: [] };
  let members = 0;
  fc.assert(
    fc.property(fc.array(fc.oneof(bet, ask), { minLength: 10, maxLength: 40, size: "max" }), (steps) => {
      const world = openWorld();
      for (const { kind, minute: at } of steps) {
        const atMs = startMs + at * minuteMs;
        if (kind === "bet") {
          world.place("p", "bet", atMs);
          world.tracker.touch("m", "p", atMs, "bet");
          continue;
        }
        const history = world.histories.get("m", { kind: "player", id: "p" });
        for (const nowMs of [atMs, atMs, atMs + hourMs]) {
          const facts = makePlayerInput({ merchantId: "m", player, history }, nowMs);
          const truths = world.tracker.remember("m", standard, facts);
          expect(truths).toEqual(advanceMemory(memory, facts, undefined, undefined)?.truths);
          if (truths?.includes(1)) members++;
        }
      }
    }),
    { numRuns: countRuns(100) },
  );
  expect(members).toBeGreaterThan(50);
});

test("decisions remember nothing of a player who was deleted", async () => {
  const world = openWorld();
  const player = { playerId: "p", attributes: new Map(), restrictions: [] };
  const ask = () => {
    const history = world.histories.get("m", { kind: "player", id: "p" });
    const facts = makePlayerInput({ merchantId: "m", player, history }, startMs + 10 * minuteMs);
    return world.tracker.remember("m", standard, facts)?.includes(1);
  };
  for (const minute of [0, 1, 2]) await world.happen("p", "bet", startMs + minute * minuteMs);
  expect(ask()).toBe(true);
  await world.histories.remove("m", { kind: "player", id: "p" });
  await world.tracker.remove("m", "p");
  expect(ask()).toBe(false);
});

test("SEMANTICS 6.2: statistics count every flip up to an instant, and who is in then", async () => {
  const world = openWorld();
  for (const hour of [0, 10, 20]) await world.happen("p", "payment_approved", startMs + hour * hourMs);
  await world.happen("q", "payment_approved", startMs + 20 * hourMs);
  const at = standard.segments.findIndex(({ id }) => id === "lapsed");
  const lapsed = async (untilMs: number) => (await takeStats(world, untilMs))[at];
  const nothing = { segment: at, entries: 0, exits: 0, players: 0, members: 0, medianStayMs: 0 };
  expect(await lapsed(startMs + 92 * hourMs - 1)).toEqual(nothing);
  expect(await lapsed(startMs + 92 * hourMs)).toEqual({ ...nothing, entries: 1, players: 1, members: 1 });
  expect(await lapsed(startMs + 7 * dayMs)).toEqual({
    ...nothing,
    entries: 1,
    exits: 1,
    players: 1,
    medianStayMs: 76 * hourMs,
  });
});

test("members are listed as of any instant, in order of id", async () => {
  const world = openWorld();
  for (const playerId of ["p", "a", "z"]) {
    for (const hour of [0, 1, 2]) world.place(playerId, "payment_approved", startMs + hour * hourMs);
  }
  world.place("z", "bet", startMs + 50 * hourMs);
  const list = async (id: string, atMs: number): Promise<readonly string[]> => {
    const found: string[] = [];
    const segment = standard.segments.findIndex((each) => each.id === id);
    const asked = { merchantId: "m", snapshot: standard, segment, atMs, signal: neverEnds };
    for await (const { playerIds } of listMembers(withoutTurns(world), asked)) found.push(...playerIds);
    return found;
  };
  expect(await list("lapsed", startMs + 74 * hourMs - 1)).toEqual([]);
  expect(await list("lapsed", startMs + 74 * hourMs)).toEqual(["a", "p"]);
  expect(await list("active", startMs - 1)).toEqual([]);
  expect(await list("active", startMs)).toEqual(["a", "p", "z"]);
});

describe("a new rule set", () => {
  test("is told as differences, as of its activation", async () => {
    const world = openWorld();
    for (const hour of [0, 1, 2]) await world.happen("p", "payment_approved", startMs + hour * hourMs);
    await world.happen("p", "bet", startMs + 3 * hourMs);
    await world.passTo(startMs + 5 * hourMs);
    const segments = [
      { id: "active", when: "feature.deposits_7d >= 4" },
      { id: "depositor", when: "feature.deposits_7d >= 2" },
      ...ruleSet.segments.slice(2),
    ];
    await world.activate(compileForTest(JSON.stringify({ ...ruleSet, segments }), 2));
    expect(world.log.changes("m").slice(1)).toMatchObject([
      { segment: "active", kind: "EXIT", atMs: startMs + 5 * hourMs, ruleSetVersion: 2 },
      { segment: "depositor", kind: "ENTER", atMs: startMs + 5 * hourMs, ruleSetVersion: 2 },
    ]);
    await world.passTo(startMs + 10 * dayMs);
    expect(world.told().slice(3)).toEqual([["p", "depositor", "EXIT", 7 * dayMs + hourMs]]);
  });

  test("takes everybody out of what it no longer has", async () => {
    const world = openWorld();
    await world.happen("p", "payment_approved", startMs);
    await world.activate(compileForTest(JSON.stringify({ ...ruleSet, segments: [] }), 2));
    expect(world.told().slice(1)).toEqual([["p", "active", "EXIT", 0]]);
  });
});

describe("after a restart", () => {
  test("it goes on where it was, and finds events that nobody looked at", async () => {
    const log = createMemoryMemberships();
    const before = openWorld({ log });
    for (const hour of [0, 1, 2]) await before.happen("p", "payment_approved", startMs + hour * hourMs);
    await before.happen("q", "payment_approved", startMs);
    before.tracker.close();
    const after = openWorld({ log });
    for (const hour of [0, 1, 2]) after.place("p", "payment_approved", startMs + hour * hourMs);
    for (const hour of [0, 1, 2]) after.place("q", "payment_approved", startMs + hour * hourMs);
    after.place("r", "payment_approved", startMs);
    await after.passTo(startMs + 3 * hourMs);
    const told = after.told().length;
    await after.activate(standard);
    expect(after.told().slice(told)).toEqual([["r", "active", "ENTER", 0]]);
    await after.passTo(startMs + 74 * hourMs);
    expect(
      after
        .told()
        .slice(told + 1)
        .sort(),
    ).toEqual([
      ["p", "lapsed", "ENTER", 74 * hourMs],
      ["q", "lapsed", "ENTER", 74 * hourMs],
    ]);
  });
});

test("a player who was looked at while all are reviewed keeps the look that comes next", async () => {
  const log = createMemoryMemberships();
  const before = openWorld({ log });
  await before.happen("p", "payment_approved", startMs);
  await before.passTo(startMs + 8 * dayMs);
  before.tracker.close();
  // The state as it was when the review began to read, without a next look, is visited after a deposit.
  let visitLate = (): void => {};
  const forEachState: typeof log.forEachState = async (merchantId, visit) => {
    const stale = log.state(merchantId, "p")!;
    await new Promise<void>((resolve) => {
      visitLate = () => resolve(visit("p", stale));
    });
  };
  const after = openWorld({ log: { ...log, forEachState } });
  after.place("p", "payment_approved", startMs);
  await after.passTo(startMs + 8 * dayMs);
  const reviewed = after.tracker.review("m");
  await after.happen("p", "payment_approved", startMs + 8 * dayMs);
  visitLate();
  await after.settle();
  await reviewed;
  await after.passTo(startMs + 16 * dayMs);
  expect(log.changes("m").map(({ kind, atMs }) => [kind, (atMs - startMs) / dayMs])).toEqual([
    ["ENTER", 0],
    ["EXIT", 7],
    ["ENTER", 8],
    ["EXIT", 15],
  ]);
});

describe("what was stored and not looked at before a restart", () => {
  const restartWith = async (player: Partial<Player>) => {
    const log = createMemoryMemberships();
    const before = openWorld({ log });
    for (const hour of [0, 1, 2]) await before.happen("p", "payment_approved", startMs + hour * hourMs);
    await before.passTo(startMs + 80 * hourMs);
    before.tracker.close();
    const after = openWorld({ log });
    for (const hour of [0, 1, 2]) after.place("p", "payment_approved", startMs + hour * hourMs);
    await after.players.put("m", { playerId: "p", attributes: new Map(), restrictions: [], ...player });
    await after.passTo(startMs + 81 * hourMs);
    await after.activate(standard);
    const told = () =>
      after.log.changes("m").map(({ segment, kind, suppressedBy }) => `${segment} ${kind} ${suppressedBy}`);
    return { told, after };
  };
  const restriction = (fromMs: number): Restriction => ({
    kind: "SELF_EXCLUSION",
    source: "register",
    fromMs,
    checkedAtMs: startMs + 80 * hourMs,
    clear: false,
    returned: false,
  });

  test("a restriction is told after it", async () => {
    const { told } = await restartWith({ restrictions: [restriction(startMs + 80 * hourMs)] });
    expect(told().slice(2)).toEqual(["lapsed ENTER RESTRICTED"]);
  });

  test("a restriction of later is told when it begins", async () => {
    const { told, after } = await restartWith({ restrictions: [restriction(startMs + 90 * hourMs)] });
    await after.passTo(startMs + 90 * hourMs - 1);
    expect(told().slice(2)).toEqual([]);
    await after.passTo(startMs + 90 * hourMs);
    expect(told().slice(2)).toEqual(["lapsed ENTER RESTRICTED"]);
  });

  test("an attribute is told after it", async () => {
    const tier = { value: "gold", setAtMs: startMs + 80 * hourMs, source: "crm" };
    const { told } = await restartWith({ attributes: new Map([["tier", tier]]) });
    expect(told().slice(2)).toEqual(["gold ENTER "]);
  });
});

describe("whether a player may be contacted", () => {
  const exclusion: Restriction = {
    kind: "SELF_EXCLUSION",
    source: "register",
    fromMs: startMs,
    checkedAtMs: startMs,
    clear: false,
    returned: false,
  };

  test("is said with every change, and again for campaigns when it is another", async () => {
    const world = openWorld();
    for (const hour of [0, 1, 2]) await world.happen("p", "payment_approved", startMs + hour * hourMs);
    await world.passTo(startMs + 80 * hourMs);
    await world.change({ restrictions: [{ ...exclusion, fromMs: startMs + 80 * hourMs }] });
    await world.passTo(startMs + 8 * dayMs);
    const told = world.log
      .changes("m")
      .map(({ segment, kind, atMs, suppressedBy }) => [segment, kind, atMs - startMs, suppressedBy]);
    expect(told).toEqual([
      ["active", "ENTER", 0, ""],
      ["lapsed", "ENTER", 74 * hourMs, ""],
      ["lapsed", "ENTER", 74 * hourMs, "RESTRICTED"],
      ["lapsed", "EXIT", 7 * dayMs, "RESTRICTED"],
      ["active", "EXIT", 7 * dayMs + 2 * hourMs, "RESTRICTED"],
    ]);
  });

  test("changes by time alone too", async () => {
    const world = openWorld();
    for (const hour of [0, 1, 2]) await world.happen("p", "payment_approved", startMs + hour * hourMs);
    const marketing_opt_out = {
      value: true,
      setAtMs: startMs + 2 * hourMs,
      ttlMs: 90 * hourMs,
      source: "crm",
    };
    await world.change({
      attributes: new Map([["marketing_opt_out", marketing_opt_out]]),
      restrictions: [{ ...exclusion, fromMs: startMs + 80 * hourMs }],
    });
    await world.passTo(startMs + 79 * hourMs);
    expect(world.log.changes("m").at(-1)).toMatchObject({ segment: "lapsed", suppressedBy: "OPTED_OUT" });
    await world.passTo(startMs + 80 * hourMs);
    expect(world.log.changes("m").at(-1)).toMatchObject({
      segment: "lapsed",
      kind: "ENTER",
      suppressedBy: "RESTRICTED",
    });
  });

  test.each([
    { name: "a rule over features", when: "feature.bets_1h >= 3", says: ["", "RESTRICTED", ""] },
    { name: "a rule over segments", when: 'segment("busy")', says: ["", "RESTRICTED", ""] },
    { name: "no rule that is over payments", when: 'payment.method == "card"', says: [""] },
    { name: "no rule that only watches", when: "feature.bets_1h >= 3", mode: "SHADOW", says: [""] },
    { name: "every rule, whatever else holds", says: ["RESTRICTED"] },
  ])("is said by $name", async ({ when, mode, says }) => {
    const rule = {
      id: "harmed",
      class: "SAFER_GAMBLING",
      on_unknown: "SKIP",
      ...(when !== undefined && { when }),
      ...(mode !== undefined && { mode }),
      effects: { actions: [{ kind: "SUPPRESS_MARKETING" }] },
    };
    const segments = [
      { id: "active", campaign: true, when: "feature.deposits_7d >= 1" },
      { id: "busy", when: "feature.bets_1h >= 3" },
    ];
    const world = openWorld();
    await world.activate(compileForTest(JSON.stringify({ ...ruleSet, segments, rules: [rule] })));
    await world.happen("p", "payment_approved", startMs);
    for (const minute of [10, 20, 30]) await world.happen("p", "bet", startMs + minute * minuteMs);
    await world.passTo(startMs + 71 * minuteMs);
    const told = world.log.changes("m").filter(({ segment }) => segment === "active");
    expect(told.map(({ kind, atMs, suppressedBy }) => [kind, atMs - startMs, suppressedBy])).toEqual(
      says.map((by) => ["ENTER", 0, by]),
    );
  });

  test("a player who is being deleted leaves everything at once", async () => {
    const world = openWorld();
    await world.happen("p", "payment_approved", startMs);
    await world.tracker.remove("m", "p");
    await world.tracker.remove("m", "nobody");
    expect(world.log.changes("m").at(-1)).toMatchObject({
      segment: "active",
      kind: "EXIT",
      suppressedBy: "RESTRICTED",
    });
    expect(world.log.state("m", "p")).toBeUndefined();
    expect(world.tracker.counts().scheduled).toBe(0);
  });

  test("a player who was deleted and comes back begins anew", async () => {
    const world = openWorld();
    for (const minute of [0, 1, 2]) await world.happen("p", "bet", startMs + minute * minuteMs);
    await world.histories.remove("m", { kind: "player", id: "p" });
    await world.tracker.remove("m", "p");
    const before = world.told().length;
    for (const minute of [3, 4, 5]) await world.happen("p", "bet", startMs + minute * minuteMs);
    expect(world.told().slice(before)).toEqual([["p", "busy", "ENTER", 5 * minuteMs]]);
  });

  test("a deleted player leaves everything", async () => {
    const world = openWorld();
    await world.happen("p", "payment_approved", startMs);
    await world.players.delete("m", "p");
    await world.histories.remove("m", { kind: "player", id: "p" });
    world.tracker.touch("m", "p", Number.NEGATIVE_INFINITY);
    await world.settle();
    expect(world.log.changes("m").at(-1)).toMatchObject({
      segment: "active",
      kind: "EXIT",
      suppressedBy: "RESTRICTED",
    });
    expect(world.log.state("m", "p")).toBeUndefined();
  });
});
