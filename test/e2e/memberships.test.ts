/** Who enters and leaves segments, as watchers over both protocols are told: by events, by time alone, after restarts and kills. */
import { rm } from "node:fs/promises";
import { fromJson } from "@bufbuild/protobuf";
import { type Client, createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import fc from "fast-check";
import { describe, expect, onTestFinished, test } from "vitest";
import { AnalyticsService } from "../../src/gen/switchyard/v1/analytics_pb.js";
import { EventResult_Verdict, EventSchema, EventService } from "../../src/gen/switchyard/v1/event_pb.js";
import {
  PlayerService,
  type WatchMembershipResponse,
  WatchMembershipResponse_Kind,
} from "../../src/gen/switchyard/v1/player_pb.js";
import { countRuns } from "../helpers/property-runs.ts";
import {
  connectAdmin,
  makeDataDirectory,
  post,
  spawnService,
  startService,
  type TestService,
} from "../helpers/service.ts";
import { openSteppedTime } from "../helpers/stepped-time.ts";

const hourMs = 3_600_000;
const startMs = Date.UTC(2026, 4, 4, 12);
const complete = { complete_since: "2026-01-01T00:00:00Z" };

const features = [
  {
    id: "deposits_7d",
    aggregate: { function: "COUNT", events: ["payment_approved"], window: { rolling: "7d" } },
  },
  {
    id: "last_seen",
    aggregate: { function: "LAST", of: "at", events: ["payment_approved", "bet", "session_start"] },
  },
  { id: "bets_1h", aggregate: { function: "COUNT", events: ["bet"], window: { rolling: "1h" } } },
];
const active = { id: "active", when: "feature.deposits_7d >= 1" };
const busy = { id: "busy", when: "feature.bets_1h >= 3", exit_when: "feature.bets_1h == 0", dwell_min: "2h" };
const lapsed = {
  id: "lapsed",
  campaign: true,
  when: 'feature.deposits_7d >= 3 && silent(feature.last_seen, duration("72h"))',
};
const ruleSet = {
  name: "memberships",
  psps: [{ id: "psp", methods: ["card"] }],
  features,
  segments: [active, busy, lapsed],
};

/** An event of a player, so many hours after the start. */
type Happening = { readonly playerId: string; readonly type: string; readonly hour: number };

/** The clock goes from event to event, or, for merchants with `clock: request`, is that of the events. */
type World = ReturnType<typeof makeWorld>;

/** A service with a clock that only goes when told to. */
async function openWorld(merchant: { readonly clock?: "request" } & Record<string, unknown> = complete) {
  const time = openSteppedTime(startMs);
  const service = await startService({ merchants: { default: merchant }, ...time });
  onTestFinished(() => service.stop());
  const world = makeWorld(service);
  await world.push(ruleSet);
  const passTo = (hour: number): void => time.passTo(startMs + hour * hourMs);
  return {
    ...world,
    passTo,
    /** The clock goes to each event, then it happens. */
    live: async (playerId: string, type: string, ...hours: readonly number[]): Promise<void> => {
      for (const hour of hours) {
        passTo(hour);
        await world.ingest([{ playerId, type, hour }]);
      }
    },
  };
}

function makeWorld(service: TestService) {
  const players = connectAdmin(PlayerService, service);
  let lastEvent = 0;
  return {
    service,
    players,
    push: async (document: object): Promise<void> => {
      const content = Buffer.from(JSON.stringify(document)).toString("base64");
      const { status, body } = await post(service, "RuleSetService/Push", {
        document: { content, format: "JSON" },
        author: "test",
        activate: true,
        confirmLoosening: true,
      });
      expect(status, JSON.stringify(body)).toBe(200);
    },
    ingest: async (events: readonly Happening[], prefix = "e"): Promise<void> => {
      const { results } = await connectAdmin(EventService, service).ingestEvents({
        events: events.map((event) => fromJson(EventSchema, makeEvent(event, `${prefix}-${++lastEvent}`))),
      });
      const told = new Set(results.map(({ verdict }) => EventResult_Verdict[verdict]));
      expect(told).toEqual(new Set(["ACCEPTED"]));
    },
    members: async (segment: string, atMs?: number): Promise<readonly string[]> => {
      const at = atMs === undefined ? {} : { at: toTimestamp(atMs) };
      const pages = await collect(players.listSegmentMembers({ segment, ...at }));
      return pages.flatMap(({ playerIds }) => playerIds);
    },
    watch: (watching: Partial<Watching> = {}) => watch({ client: players, ...watching }),
  };
}

function makeEvent({ playerId, type, hour }: Happening, eventId: string) {
  const amount = { minorUnits: "100", currencyCode: "EUR" };
  return {
    eventId,
    playerId,
    type,
    occurredAt: new Date(startMs + hour * hourMs).toISOString(),
    source: type === "exclusion_set" ? "register" : "test",
    ...(type === "payment_approved" ? { paymentId: eventId } : {}),
    ...(type === "payment_approved" || type === "bet" ? { amount } : {}),
  };
}

function toTimestamp(atMs: number) {
  return { seconds: BigInt(Math.floor(atMs / 1_000)), nanos: (atMs % 1_000) * 1_000_000 };
}

function toMs({ seconds, nanos }: { readonly seconds: bigint; readonly nanos: number }): number {
  return Number(seconds) * 1_000 + nanos / 1_000_000;
}

/** All messages of a stream that ends. */
async function collect<T>(stream: AsyncIterable<T>): Promise<readonly T[]> {
  const all: T[] = [];
  for await (const each of stream) all.push(each);
  return all;
}

type Watching = {
  readonly client: Client<typeof PlayerService>;
  readonly segments: string[];
  readonly afterSequence: number;
};

/** A watcher that keeps its place: `take` waits for so many more. */
function watch({ client, segments = [], afterSequence = 0 }: Partial<Watching> & Pick<Watching, "client">) {
  const end = new AbortController();
  onTestFinished(() => end.abort());
  const request = { segments, afterSequence: BigInt(afterSequence) };
  // Opened by the first take: of a call that nobody reads nobody would hear that it was ended.
  let stream: AsyncIterator<WatchMembershipResponse> | undefined;
  const take = async (count: number): Promise<readonly WatchMembershipResponse[]> => {
    const taken: WatchMembershipResponse[] = [];
    while (taken.length < count) {
      stream ??= client.watchMembership(request, { signal: end.signal })[Symbol.asyncIterator]();
      const { value, done } = await stream.next();
      if (done === true) break;
      taken.push(value);
    }
    return taken;
  };
  return { take, told: async (count: number) => (await take(count)).map(describeChange) };
}

/** As `p lapsed ENTER 92h RESTRICTED`. */
function describeChange({ playerId, segment, kind, at, suppressedBy }: WatchMembershipResponse): string {
  const hour = (toMs(at!) - startMs) / hourMs;
  return `${playerId} ${segment} ${WatchMembershipResponse_Kind[kind]} ${hour}h ${suppressedBy}`.trim();
}

describe("watching", () => {
  test("over Connect and gRPC tells who enters by events and leaves by time alone, to the millisecond", async () => {
    const world = await openWorld();
    const grpc = createClient(PlayerService, createGrpcTransport({ baseUrl: world.service.adminUrl }));
    const watchers = [world.watch(), world.watch({ client: grpc })];
    await world.live("p", "payment_approved", 0, 10, 20);
    for (const watcher of watchers) expect(await watcher.told(1)).toEqual(["p active ENTER 0h"]);
    // From here on nothing happens but time.
    world.passTo(92);
    for (const watcher of watchers) expect(await watcher.told(1)).toEqual(["p lapsed ENTER 92h"]);
    world.passTo(30 * 24);
    for (const watcher of watchers) {
      expect(await watcher.told(2)).toEqual(["p lapsed EXIT 168h", "p active EXIT 188h"]);
    }
    const only = world.watch({ segments: ["lapsed"] });
    expect(await only.told(2)).toEqual(["p lapsed ENTER 92h", "p lapsed EXIT 168h"]);
    const rest = await world.watch({ afterSequence: 2 }).take(2);
    expect(rest.map(({ sequence }) => sequence)).toEqual([3n, 4n]);
  });

  test("tells what a late event corrects", async () => {
    const world = await openWorld();
    const watcher = world.watch();
    await world.live("p", "payment_approved", 0, 10, 20);
    world.passTo(100);
    expect(await watcher.told(2)).toEqual(["p active ENTER 0h", "p lapsed ENTER 92h"]);
    await world.ingest([{ playerId: "p", type: "bet", hour: 50 }]);
    expect(await watcher.told(1)).toEqual(["p lapsed CORRECTION_EXIT 92h"]);
    expect(await world.members("lapsed")).toEqual([]);
    world.passTo(130);
    expect(await watcher.told(1)).toEqual(["p lapsed ENTER 122h"]);
    // Known since 5 h before what was told as the beginning: the player was there all along.
    await world.ingest([{ playerId: "q", type: "payment_approved", hour: 128 }]);
    expect(await watcher.told(1)).toEqual(["q active ENTER 128h"]);
  });

  test.each([
    ["an event", (world: World) => world.ingest([{ playerId: "p", type: "exclusion_set", hour: 93 }])],
    [
      "SetRestriction",
      (world: World) =>
        post(world.service, "PlayerService/SetRestriction", {
          playerId: "p",
          restriction: { kind: "SELF_EXCLUSION", source: "register" },
        }),
    ],
  ])(
    "tells at once by %s that members of campaigns must not be contacted, before anything else of the player",
    async (_, exclude) => {
      const world = await openWorld();
      const watcher = world.watch();
      await world.live("p", "payment_approved", 0, 10, 20);
      await world.live("q", "payment_approved", 21, 22, 23);
      world.passTo(93);
      expect(await watcher.told(3)).toEqual([
        "p active ENTER 0h",
        "q active ENTER 21h",
        "p lapsed ENTER 92h",
      ]);
      await exclude(world);
      expect(await watcher.told(1)).toEqual(["p lapsed ENTER 92h RESTRICTED"]);
      world.passTo(96);
      expect(await watcher.told(1)).toEqual(["q lapsed ENTER 95h"]);
      world.passTo(300);
      expect((await watcher.told(4)).filter((told) => told.startsWith("p"))).toEqual([
        "p lapsed EXIT 168h RESTRICTED",
        "p active EXIT 188h RESTRICTED",
      ]);
    },
  );

  test("lets a deleted player leave everything", async () => {
    const world = await openWorld();
    const watcher = world.watch();
    await world.live("p", "payment_approved", 0, 1, 2);
    world.passTo(80);
    expect(await watcher.told(2)).toEqual(["p active ENTER 0h", "p lapsed ENTER 74h"]);
    await world.players.deletePlayer({ playerId: "p", author: "test", reason: "asked to" });
    expect(await watcher.told(2)).toEqual(["p active EXIT 80h RESTRICTED", "p lapsed EXIT 80h RESTRICTED"]);
    expect(await world.members("active")).toEqual([]);
  });

  test("tells what a new rule set makes of everybody, as of its activation", async () => {
    const world = await openWorld();
    const watcher = world.watch();
    await world.live("p", "payment_approved", 0, 1);
    world.passTo(5);
    await watcher.take(1);
    const depositor = { id: "depositor", when: "feature.deposits_7d >= 2" };
    await world.push({ ...ruleSet, segments: [depositor, busy] });
    expect(await watcher.told(2)).toEqual(["p active EXIT 5h", "p depositor ENTER 5h"]);
    world.passTo(8 * 24);
    expect(await watcher.told(1)).toEqual(["p depositor EXIT 168h"]);
  });

  test("is unknown while a segment is warming, and tells when it is warm", async () => {
    const world = await openWorld({});
    const watcher = world.watch();
    await world.live("p", "payment_approved", 0, 30);
    const explain = () => world.players.explainSegment({ playerId: "p", segment: "active" });
    const cold = await explain();
    expect(cold).toMatchObject({ warming: true, truth: 3 });
    expect((toMs(cold.flipsAt!) - startMs) / hourMs).toBe(168);
    expect(await world.members("active")).toEqual([]);
    world.passTo(168);
    expect(await watcher.told(1)).toEqual(["p active ENTER 168h"]);
    expect(await explain()).toMatchObject({ warming: false, truth: 1 });
  });

  test("refuses sequences that are no longer kept or were never given, and segments that there are not", async () => {
    const world = await openWorld();
    await world.live("p", "payment_approved", 0);
    expect(await world.watch().told(1)).toEqual(["p active ENTER 0h"]);
    await expect(world.watch({ afterSequence: -1 }).take(1)).rejects.toThrow(/must not be negative/);
    await expect(world.watch({ afterSequence: 2 }).take(1)).rejects.toThrow(/out_of_range/);
    await expect(world.watch({ segments: ["nobody"] }).take(1)).rejects.toThrow(/not_found/);
  });
});

/** Who is in by an instant, for those who apply what they are told one after the other. */
function replay(
  changes: readonly WatchMembershipResponse[],
  segment: string,
  atMs: number,
): readonly string[] {
  const members = new Set<string>();
  for (const { playerId, kind, at, ...change } of changes) {
    if (change.segment !== segment || toMs(at!) > atMs) continue;
    if (WatchMembershipResponse_Kind[kind]!.endsWith("ENTER")) members.add(playerId);
    else members.delete(playerId);
  }
  return [...members].sort();
}

/** All that is told of events that came in order, up to the newest: as many changes as the statistics count. */
async function takeAll(world: World): Promise<readonly WatchMembershipResponse[]> {
  const segments = await readStats(world);
  return world.watch().take(segments.reduce((sum, { entries, exits }) => sum + Number(entries + exits), 0));
}

async function readStats({ service }: World) {
  const messages = await collect(connectAdmin(AnalyticsService, service).getSegmentStats({}));
  return messages.at(-1)!.segments;
}

const segmentIds = ["active", "busy", "lapsed"];

describe("lists, explanations and statistics", () => {
  const happenings = fc.array(
    fc.record({
      playerId: fc.constantFrom("p", "q", "r"),
      type: fc.constantFrom("payment_approved", "payment_approved", "bet", "session_start"),
      hour: fc.integer({ min: 0, max: 4 * 24 * 20 }).map((quarter) => quarter / 4),
    }),
    { minLength: 1, maxLength: 20 },
  );
  const endHour = 25 * 24;

  test("a replay of what was told gives the members at any instant", async () => {
    await fc.assert(
      fc.asyncProperty(happenings, async (all) => {
        const world = await openWorld({ ...complete, clock: "request" });
        const inOrder = [...all].sort((a, b) => a.hour - b.hour);
        await world.ingest([...inOrder, { playerId: "z", type: "session_start", hour: endHour }]);
        const told = await takeAll(world);
        for (const segment of segmentIds) {
          for (const hour of [...inOrder.map((event) => event.hour), 100.5, 300, endHour]) {
            const atMs = startMs + hour * hourMs;
            const listed = await world.members(segment, atMs);
            expect([segment, hour, replay(told, segment, atMs)]).toEqual([segment, hour, listed]);
          }
        }
      }),
      { numRuns: countRuns(5), endOnFailure: true },
    );
  });

  test("a replay of what was told gives the members in the end, in whatever order events came", async () => {
    await fc.assert(
      fc.asyncProperty(happenings, async (all) => {
        const world = await openWorld({ ...complete, clock: "request" });
        const watcher = world.watch();
        for (const event of all) await world.ingest([event]);
        const newestMs = startMs + Math.max(...all.map(({ hour }) => hour)) * hourMs;
        const listed = await Promise.all(segmentIds.map((segment) => world.members(segment)));
        const told: WatchMembershipResponse[] = [];
        const isSame = () =>
          segmentIds.every((id, at) => String(replay(told, id, newestMs)) === String(listed[at]));
        // Where the two never agree nothing more is told, and the test runs out of time.
        while (!isSame()) told.push(...(await watcher.take(1)));
      }),
      { numRuns: countRuns(5), endOnFailure: true },
    );
  });

  test("flips_at is when the watchers are told, again and again until nothing flips", async () => {
    const world = await openWorld();
    const watcher = world.watch();
    await world.live("p", "payment_approved", 0, 10, 20);
    await world.live("p", "bet", 30, 30.25, 30.5);
    expect(await watcher.told(2)).toEqual(["p active ENTER 0h", "p busy ENTER 30.5h"]);
    const told: string[] = [];
    for (;;) {
      const flips = new Map<string, number>();
      for (const segment of segmentIds) {
        const { flipsAt } = await world.players.explainSegment({ playerId: "p", segment });
        if (flipsAt !== undefined) flips.set(segment, toMs(flipsAt));
      }
      if (flips.size === 0) break;
      const firstMs = Math.min(...flips.values());
      const hour = (firstMs - startMs) / hourMs;
      world.passTo(hour - 1 / 3_600_000);
      for (const segment of segmentIds) {
        const wasIn = (await world.members(segment)).includes("p");
        const isIn = (await world.members(segment, firstMs)).includes("p");
        expect([segment, hour, wasIn !== isIn]).toEqual([segment, hour, flips.get(segment) === firstMs]);
      }
      world.passTo(hour);
      const due = [...flips.values()].filter((atMs) => atMs === firstMs).length;
      const changes = await watcher.take(due);
      expect(changes.map(({ at }) => toMs(at!))).toEqual(changes.map(() => firstMs));
      told.push(...changes.map(describeChange));
    }
    expect(told).toEqual([
      "p busy EXIT 32.5h",
      "p lapsed ENTER 102.5h",
      "p lapsed EXIT 168h",
      "p active EXIT 188h",
    ]);
  });

  test("statistics count what the watchers were told", async () => {
    const world = await openWorld({ ...complete, clock: "request" });
    await world.ingest([
      ...[0, 10, 20].map((hour) => ({ playerId: "p", type: "payment_approved", hour })),
      ...[0, 1, 2].map((hour) => ({ playerId: "q", type: "payment_approved", hour })),
      { playerId: "q", type: "bet", hour: 100 },
    ]);
    await world.ingest([{ playerId: "z", type: "session_start", hour: 600 }]);
    const told = await takeAll(world);
    const segments = await readStats(world);
    const kindsOf = (segment: string, kind: WatchMembershipResponse_Kind) =>
      BigInt(told.filter((change) => change.segment === segment && change.kind === kind).length);
    expect(segments.map(({ segment }) => segment)).toEqual(segmentIds);
    for (const { segment, entries, exits } of segments) {
      expect([segment, entries, exits]).toEqual([
        segment,
        kindsOf(segment, WatchMembershipResponse_Kind.ENTER),
        kindsOf(segment, WatchMembershipResponse_Kind.EXIT),
      ]);
    }
    expect(segments[2]).toMatchObject({ entries: 2n, exits: 2n, players: 2n, members: 0n });
  });
});

describe("after an end", () => {
  test("a watcher goes on where it was, and is told what happened while the service was down", async () => {
    const dataDirectory = await makeDataDirectory();
    onTestFinished(() => rm(dataDirectory, { recursive: true }));
    const open = async (hour: number) => {
      const time = openSteppedTime(startMs + hour * hourMs);
      const service = await startService({ dataDirectory, merchants: { default: complete }, ...time });
      return { ...makeWorld(service), time };
    };
    const first = await open(0);
    await first.push(ruleSet);
    for (const hour of [0, 10, 20]) {
      first.time.passTo(startMs + hour * hourMs);
      await first.ingest([{ playerId: "p", type: "payment_approved", hour }], `first-${hour}`);
    }
    const early = first.watch();
    expect(await early.told(1)).toEqual(["p active ENTER 0h"]);
    // A watcher does not hold up the stop.
    const ended = expect(early.told(1)).rejects.toThrow(/server is stopping/);
    await first.service.stop();
    await ended;
    // The silence was long enough at hour 92, while nobody was there.
    const second = await open(100);
    const watcher = second.watch({ afterSequence: 1 });
    const [change] = await watcher.take(1);
    expect([change!.sequence, describeChange(change!)]).toEqual([2n, "p lapsed ENTER 92h"]);
    second.time.passTo(startMs + 400 * hourMs);
    expect(await watcher.told(2)).toEqual(["p lapsed EXIT 168h", "p active EXIT 188h"]);
    expect((await second.watch().take(4)).map(({ sequence }) => sequence)).toEqual([1n, 2n, 3n, 4n]);
    await second.service.stop();
  });

  test("what a watcher was told stands after kill -9, without gap or repeat, and all is told in the end", async () => {
    const dataDirectory = await makeDataDirectory();
    onTestFinished(() => rm(dataDirectory, { recursive: true, force: true }));
    const merchants = { default: { ...complete, clock: "request" as const } };
    const told: string[] = [];
    let sequence = 0;
    const rounds = countRuns(3);
    for (let round = 0; round < rounds; round++) {
      const service = await spawnService({ dataDirectory, merchants });
      const world = makeWorld(service);
      if (round === 0) await world.push(ruleSet);
      const watcher = world.watch({ afterSequence: sequence });
      const events = Array.from({ length: 60 }, (_, place) => ({
        playerId: `p-${place}`,
        type: "payment_approved",
        hour: round * 400 + place / 60,
      }));
      const takes = (async () => {
        // Of each round's players half are told of before the kill at most; the others after it.
        for (let count = 0; count < 20 + 7 * round; count++) {
          const [change] = await watcher.take(1);
          expect(Number(change!.sequence)).toBe(sequence + 1);
          sequence++;
          told.push(describeChange(change!));
        }
      })();
      await world.ingest(events, `round-${round}`);
      await takes;
      await service.end("SIGKILL");
    }
    const service = await spawnService({ dataDirectory, merchants });
    const world = makeWorld(service);
    const rest = world.watch({ afterSequence: sequence });
    const enters = 60 * rounds;
    const exits = 60 * (rounds - 1);
    const more = await rest.take(enters + exits - told.length);
    expect(more.map((change) => Number(change.sequence))).toEqual(
      more.map((_, place) => sequence + 1 + place),
    );
    const all = [...told, ...more.map(describeChange)];
    expect(new Set(all).size).toBe(all.length);
    expect(all.filter((line) => line.includes("active ENTER"))).toHaveLength(enters);
    expect(all.filter((line) => line.includes("active EXIT"))).toHaveLength(exits);
    const again = (await world.watch().take(all.length)).map(describeChange);
    expect(again).toEqual(all);
    expect(await world.members("active")).toHaveLength(60);
    await service.end("SIGTERM");
  }, 120_000);
});
