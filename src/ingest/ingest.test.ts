import { setImmediate } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import {
  makeApproval as approve,
  detailOf,
  makeRawEvent as event,
  makeIngestHold as hold,
  type IngestHouse,
  listRows,
  makeIngestHouse,
  ingestNowMs as nowMs,
  makeOutcomeFact as outcomeFact,
  takeEvents as take,
} from "../../test/helpers/ingest-house.ts";
import type { RawEvent } from "../core/events/check-event.ts";
import type { Restriction } from "../core/player.ts";

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;

describe("ingest", () => {
  test("gives each event of a batch its own verdict", () => {
    const house = makeIngestHouse();
    const wrong = event({ eventId: "e-2", type: "bett" });
    const future = event({ eventId: "e-3", occurredAtMs: nowMs + dayMs });
    const soon = event({ eventId: "e-4", occurredAtMs: nowMs + 1000 });
    expect(take(house, event(), event(), wrong, future, soon)).toEqual([
      "ACCEPTED",
      "DUPLICATE",
      "REFUSED",
      "QUARANTINED",
      "CLAMPED",
    ]);
    expect(listRows(house, "ann")).toHaveLength(2);
  });

  test("tells a late event, which lands at its own time", () => {
    const house = makeIngestHouse();
    const older = event({ eventId: "e-0", occurredAtMs: nowMs - dayMs });
    expect(take(house, event(), older)).toEqual(["ACCEPTED", "ACCEPTED late"]);
    expect(listRows(house, "ann")[0]).toContain(String(nowMs - dayMs));
  });

  test("keeps the first of two events with one id and different bodies, and names what differs", () => {
    const house = makeIngestHouse();
    const other = event({ amount: { minorUnits: 700, currencyCode: "EUR" } });
    expect(take(house, event(), other)).toEqual(["ACCEPTED", "CONFLICT"]);
    expect(detailOf(house, other)).toContain("amount");
    expect(listRows(house, "ann")[0]).toContain(" 500 EUR");
  });

  test("recognises the second delivery of a clamped event, for which time went on", () => {
    const house = makeIngestHouse();
    const soon = event({ occurredAtMs: nowMs + 60_000 });
    expect(take(house, soon)).toEqual(["CLAMPED"]);
    house.clockAt(nowMs + 1000);
    expect(take(house, soon)).toEqual(["DUPLICATE"]);
  });

  test("keeps merchants apart", () => {
    const house = makeIngestHouse();
    house.ingest.ingest("other", [event()]);
    expect(take(house, event())).toEqual(["ACCEPTED"]);
    expect(house.touched).toEqual(["other/ann", "default/ann"]);
  });

  test("goes by the events' own time where the merchant's clock is that of its requests", () => {
    const house = makeIngestHouse();
    const { outcomes } = house.ingest.ingest("replay", [event({ occurredAtMs: nowMs + dayMs })]);
    expect(outcomes[0]!.verdict).toBe("ACCEPTED");
  });

  test("is durable, and counted, when all that it wrote is", async () => {
    const writes: (() => void)[] = [];
    const house = makeIngestHouse({ settle: () => new Promise((resolve) => writes.push(resolve)) });
    const batch = house.ingest.ingest("default", [event(), event({ eventId: "e-2" }), event({ type: "?" })]);
    let isDurable = false;
    const settled = batch.durable.then(() => {
      isDurable = true;
    });
    writes[1]!();
    await setImmediate();
    expect([isDurable, house.counted]).toEqual([false, []]);
    writes[0]!();
    await settled;
    expect(house.counted).toEqual([{ ACCEPTED: 2, REFUSED: 1 }]);
  });

  test("refuses an event whose label would be one too many, and counts money in any case", () => {
    const house = makeIngestHouse({ labelsMax: 2 });
    const playing = (at: number) =>
      event({ eventId: `e-${at}`, occurredAtMs: nowMs - 10 + at, attributes: { game_type: `t-${at}` } });
    expect(take(house, playing(1), playing(2), playing(3))).toEqual(["ACCEPTED", "ACCEPTED", "REFUSED"]);
    expect(house.ingest.ingest("default", [playing(3)]).outcomes[0]!.faults).toMatchObject([
      { field: "attributes", rule: "too-many-values" },
    ]);
    const paid = approve({ occurredAtMs: nowMs, attributes: { method: "card" } });
    expect(take(house, paid)).toEqual(["ACCEPTED"]);
    expect(listRows(house, "ann").at(-1)).toContain("5000 EUR kind=deposit [");
  });
});

describe("corrections", () => {
  test("take back what came, and what is still to come", () => {
    const house = makeIngestHouse();
    const back = (eventId: string, reverses: string) => event({ eventId, reverses, type: "event_reversed" });
    expect(take(house, event(), back("r-1", "e-1"))).toEqual(["ACCEPTED", "ACCEPTED"]);
    expect(detailOf(house, back("r-2", "e-2"))).toContain("when it comes");
    expect(take(house, event({ eventId: "e-2" }), event())).toEqual(["REVERSED", "REVERSED"]);
    expect(listRows(house, "ann")).toEqual([]);
  });

  test("put another event in the place of one", () => {
    const house = makeIngestHouse();
    const better = event({
      eventId: "e-2",
      occurredAtMs: nowMs,
      reverses: "e-1",
      amount: { minorUnits: 50, currencyCode: "EUR" },
    });
    expect(take(house, event(), better, better)).toEqual(["ACCEPTED", "ACCEPTED", "DUPLICATE"]);
    expect(listRows(house, "ann").map((row) => row.split(" ")[2])).toEqual(["50"]);
  });

  test("take back a payment fact by payment, attempt and type, on every subject", () => {
    const house = makeIngestHouse({ limitsOver: ["card"] });
    const attributes = { card: "f-1" };
    const back = event({
      eventId: "r-1",
      type: "event_reversed",
      reverses: "e-1",
      paymentId: "pay-1",
      attemptId: "1",
      attributes: { ...attributes, reversed_type: "payment_approved" },
    });
    take(house, approve({ attributes }));
    expect(listRows(house, "fingerprint:f-1", "card")).toHaveLength(1);
    expect(take(house, back, approve({ attributes }))).toEqual(["ACCEPTED", "REVERSED"]);
    expect(listRows(house, "ann")).toEqual([]);
    expect(listRows(house, "fingerprint:f-1", "card")).toEqual([]);
  });

  test("put another payment fact in the place of one with the same key", () => {
    const house = makeIngestHouse();
    const amount = { minorUnits: 4000, currencyCode: "EUR" };
    const better = approve({ eventId: "e-2", occurredAtMs: nowMs, reverses: "e-1", amount });
    expect(take(house, approve(), better, better, approve())).toEqual([
      "ACCEPTED",
      "ACCEPTED",
      "DUPLICATE",
      "REVERSED",
    ]);
    expect(listRows(house, "ann").map((row) => row.split(" ")[2])).toEqual(["4000"]);
  });
});

describe("aliases and deleted players", () => {
  const alias = event({
    eventId: "a-1",
    occurredAtMs: nowMs - 1,
    type: "player_alias",
    attributes: { alias: "bob" },
  });

  test("SEMANTICS 6.3: merging aliases sums the windows: both histories are one, before and after", () => {
    const house = makeIngestHouse();
    take(house, event(), event({ playerId: "bob" }));
    expect(take(house, alias, alias)).toEqual(["ACCEPTED", "DUPLICATE"]);
    expect(take(house, event({ playerId: "bob", eventId: "e-2", occurredAtMs: nowMs }))).toEqual([
      "ACCEPTED",
    ]);
    expect(listRows(house, "bob")).toEqual([]);
    expect(listRows(house, "ann").filter((row) => row.includes("bet"))).toHaveLength(3);
    expect(house.players.get("default", "bob")?.mergedInto).toBe("ann");
    expect(house.players.get("default", "ann")?.aliases).toEqual(["bob"]);
  });

  test("SEMANTICS 6.3: what the alias sent before the merge is recognised after it", () => {
    const house = makeIngestHouse();
    take(house, event({ playerId: "bob" }), alias);
    expect(take(house, event({ playerId: "bob" }))).toEqual(["DUPLICATE"]);
  });

  test("SEMANTICS 6.3: merging aliases unites restrictions, takes the lowest limits and moves what is held", () => {
    const house = makeIngestHouse();
    const restriction: Restriction = {
      kind: "SELF_EXCLUSION",
      source: "GAMSTOP",
      fromMs: nowMs - dayMs,
      checkedAtMs: nowMs - dayMs,
      clear: false,
      returned: false,
    };
    const limit = (minorUnits: number, currencyCode: string) => ({
      period: "DAY" as const,
      measure: "GROSS" as const,
      amount: { minorUnits, currencyCode },
      setAtMs: nowMs - dayMs,
      zone: "UTC",
    });
    const stored = (playerId: string) => ({ playerId, attributes: new Map(), restrictions: [] });
    void house.players.put("default", { ...stored("ann"), ownLimits: [limit(10_000, "EUR")] });
    void house.players.put("default", {
      ...stored("bob"),
      restrictions: [restriction],
      // 90.91 EUR.
      ownLimits: [limit(10_000, "USD")],
    });
    void house.limits.hold("default", hold({ playerId: "bob", subjects: [{ kind: "player", id: "bob" }] }));
    take(house, alias);
    const ann = house.players.get("default", "ann");
    expect(ann?.restrictions).toEqual([restriction]);
    expect(ann?.ownLimits).toEqual([limit(10_000, "USD")]);
    expect(house.limits.get("default", "pay-1")).toMatchObject({
      playerId: "ann",
      subjects: [{ kind: "player", id: "ann" }],
    });
    expect(house.players.get("default", "bob")?.restrictions).toEqual([]);
  });

  test("leads chains of aliases to the one that is kept", () => {
    const house = makeIngestHouse();
    const say = (eventId: string, playerId: string, other: string) =>
      event({ eventId, playerId, occurredAtMs: nowMs, type: "player_alias", attributes: { alias: other } });
    take(house, event({ playerId: "cid" }), say("a-1", "bob", "cid"), say("a-2", "ann", "bob"));
    expect(house.players.get("default", "cid")?.mergedInto).toBe("ann");
    take(house, say("a-3", "cid", "ann"));
    expect(house.players.get("default", "ann")?.mergedInto).toBeUndefined();
    expect(listRows(house, "ann").filter((row) => row.includes("bet"))).toHaveLength(1);
  });

  test("refuses a player as alias of itself, and more aliases than there may be", () => {
    const house = makeIngestHouse();
    const say = (other: string) =>
      event({ eventId: `a-${other}`, type: "player_alias", attributes: { alias: other } });
    expect(take(house, say("ann"))).toEqual(["REFUSED"]);
    take(house, ...Array.from({ length: 64 }, (_, at) => say(`p-${at}`)));
    expect(take(house, say("p-64"))).toEqual(["REFUSED"]);
    expect(house.players.get("default", "ann")?.aliases).toHaveLength(64);
  });

  test("SEMANTICS 6.3: late events of a deleted player are counted as such and not taken in", async () => {
    const house = makeIngestHouse();
    await house.players.delete("default", "ann");
    expect(
      take(house, event(), approve(), { ...alias, playerId: "eve", attributes: { alias: "ann" } }),
    ).toEqual(["DELETED_PLAYER", "DELETED_PLAYER", "DELETED_PLAYER"]);
    expect(house.ingest.recordFacts("default", [outcomeFact()]).placed).toEqual([{ kind: "deleted-player" }]);
    expect(listRows(house, "ann")).toEqual([]);
    expect(house.ingest.listSources("default").map(({ source, verdicts }) => [source, ...verdicts])).toEqual([
      ["games", ["DELETED_PLAYER", 2]],
      ["gateway", ["DELETED_PLAYER", 1]],
      ["wallet", ["DELETED_PLAYER", 1]],
    ]);
  });

  test("SEMANTICS 6.3: an exclusion of a deleted player still protects the person", async () => {
    const house = makeIngestHouse();
    await house.players.delete("default", "ann");
    expect(take(house, event({ type: "exclusion_set" }))).toEqual(["DELETED_PLAYER"]);
    expect(house.players.get("default", "ann")?.restrictions).toHaveLength(1);
    expect(listRows(house, "ann")).toEqual([]);
  });
});

describe("what events change of the player", () => {
  const exclude = (part: Partial<RawEvent> = {}) =>
    event({ type: "exclusion_set", source: "GAMSTOP", ...part });
  const restrictionsOf = (house: IngestHouse) => house.players.get("default", "ann")?.restrictions ?? [];

  test("an exclusion is a restriction of its source from its own instant", () => {
    const house = makeIngestHouse();
    take(house, exclude({ attributes: { max_age_seconds: 60 } }));
    expect(restrictionsOf(house)).toEqual([
      {
        kind: "SELF_EXCLUSION",
        source: "GAMSTOP",
        fromMs: nowMs - hourMs,
        checkedAtMs: nowMs - hourMs,
        maxAgeMs: 60_000,
        clear: false,
        returned: false,
      },
    ]);
  });

  test("a restriction that stands is made longer, never shorter, and nothing but time ends it", () => {
    const house = makeIngestHouse();
    const until = (day: number) => ({ until: new Date(nowMs + day * dayMs).toISOString() });
    const timeOut = (eventId: string, day: number) =>
      event({ eventId, type: "time_out_set", source: "site", attributes: until(day) });
    take(house, timeOut("t-1", 2));
    expect(detailOf(house, timeOut("t-2", 1))).toContain("never shorter");
    expect(restrictionsOf(house)[0]?.untilMs).toBe(nowMs + 2 * dayMs);
    take(house, timeOut("t-3", 3));
    expect(restrictionsOf(house)[0]?.untilMs).toBe(nowMs + 3 * dayMs);
    const ended = event({
      eventId: "t-4",
      type: "exclusion_ended",
      source: "site",
      attributes: { kind: "TIME_OUT" },
    });
    expect(detailOf(house, ended)).toContain("has not ended");
    expect(listRows(house, "ann")).toHaveLength(4);
  });

  test("a second delivery repeats what a crash may have lost", () => {
    const house = makeIngestHouse();
    take(house, exclude());
    void house.players.put("default", { playerId: "ann", attributes: new Map(), restrictions: [] });
    expect(take(house, exclude())).toEqual(["DUPLICATE"]);
    expect(restrictionsOf(house)).toHaveLength(1);
  });

  test("a return holds for what has ended, not for what stands", () => {
    const house = makeIngestHouse();
    const ended = { until: new Date(nowMs - 1).toISOString() };
    take(house, exclude({ attributes: ended }), exclude({ eventId: "e-2", source: "site" }));
    const back = event({ eventId: "b-1", type: "player_returned", occurredAtMs: nowMs });
    expect(detailOf(house, back)).toContain("only after the end");
    expect(restrictionsOf(house).map(({ source, returned }) => [source, returned])).toEqual([
      ["GAMSTOP", true],
      ["site", false],
    ]);
  });

  test("a score is an attribute with the age and the name of its model, where it is declared", () => {
    const house = makeIngestHouse({ scores: ["churn"] });
    const push = (eventId: string, score: string, value: number, atMs = nowMs - hourMs) =>
      event({
        eventId,
        type: "score_pushed",
        occurredAtMs: atMs,
        attributes: { score, value, model: "gbm", version: "3", ttl_seconds: 60 },
      });
    expect(detailOf(house, push("s-1", "chrun", 0.5))).toContain("no player attribute chrun");
    take(house, push("s-2", "churn", 0.5));
    expect(house.players.get("default", "ann")?.attributes.get("churn")).toEqual({
      value: 0.5,
      setAtMs: nowMs - hourMs,
      ttlMs: 60_000,
      source: "gbm@3",
    });
    expect(detailOf(house, push("s-3", "churn", 0.1, nowMs - dayMs))).toContain("newer value");
    expect(house.players.get("default", "ann")?.attributes.get("churn")?.value).toBe(0.5);
  });

  test("a registration and a verified country are facts of the player", () => {
    const house = makeIngestHouse();
    const kyc = (eventId: string, country: string) =>
      event({ eventId, type: "kyc_changed", attributes: { country } });
    take(house, event({ type: "player_registered" }), kyc("k-1", "DE"));
    expect(detailOf(house, kyc("k-2", "XX"))).toContain("ISO 3166-1");
    const attributes = house.players.get("default", "ann")?.attributes;
    expect(attributes?.get("registered_at")?.value).toBe(nowMs - hourMs);
    expect(attributes?.get("kyc_country")?.value).toBe("DE");
  });
});
