import { describe, expect, test } from "vitest";
import {
  makeApproval as approve,
  detailOf,
  makeIngestHold as hold,
  listRows,
  makeIngestHouse,
  ingestNowMs as nowMs,
  makeOutcomeFact as outcomeFact,
  takeEvents as take,
} from "../../test/helpers/ingest-house.ts";
import type { RawEvent } from "../core/events/check-event.ts";
import { hashWide } from "../core/history/hash-wide.ts";

const hourMs = 3_600_000;
const _dayMs = 24 * hourMs;

describe("payment facts", () => {
  test("SEMANTICS 6.1: a fact is told once per payment, attempt and stage, whoever tells it", () => {
    const house = makeIngestHouse();
    const { placed } = house.ingest.recordFacts("default", [outcomeFact({ atMs: nowMs - 2 * hourMs })]);
    expect(placed).toEqual([{ kind: "added", late: false }]);
    expect(take(house, approve({ eventId: "w-1" }))).toEqual(["MERGED"]);
    expect(listRows(house, "ann")).toHaveLength(1);
    expect(take(house, approve({ eventId: "w-2", attemptId: "2", occurredAtMs: nowMs - 1 }))).toEqual([
      "ACCEPTED",
    ]);
    expect(take(house, approve({ eventId: "w-3", occurredAtMs: nowMs, type: "payment_cleared" }))).toEqual([
      "ACCEPTED",
    ]);
    expect(listRows(house, "ann")).toHaveLength(3);
  });

  test("approvals and declines are rows of their card's history though no limit is over cards, and blocks of their BIN's", () => {
    const house = makeIngestHouse();
    const card = "fingerprint:f-9";
    const decline = outcomeFact({ type: "payment_declined", outcome: "HARD", card, bin: "457104" });
    house.ingest.recordFacts("default", [
      outcomeFact({ attemptId: "1", card, bin: "457104" }),
      outcomeFact({ attemptId: "1", type: "payment_attempted", card }),
      { ...decline, attemptId: "2", code: "51" },
      { ...decline, attemptId: "3", code: "5C", block: "bin", blockUntilMs: nowMs + hourMs },
    ]);
    const typesOf = (id: string, kind: "card" | "bin") =>
      listRows(house, id, kind)
        .map((row) => row.split(" ")[1])
        .sort();
    expect(typesOf(card, "card")).toEqual(["payment_approved", "payment_declined", "payment_declined"]);
    expect(typesOf("457104", "bin")).toEqual(["payment_declined"]);
    const reversed = { reversed_type: "payment_approved", card };
    take(house, {
      ...approve({ eventId: "w-9", reverses: "w-1", type: "event_reversed", attributes: reversed }),
      attemptId: "1",
      amount: undefined,
    });
    expect(typesOf(card, "card")).toEqual(["payment_declined", "payment_declined"]);
  });

  test("SEMANTICS 6.1: the first arrival sets the instant, an outcome's amount wins, differences are told and counted", () => {
    const house = makeIngestHouse();
    take(house, approve());
    const outcome = outcomeFact({ atMs: nowMs, amountMinor: 4500 });
    const { placed } = house.ingest.recordFacts("default", [outcome]);
    expect(placed[0]).toMatchObject({ kind: "merged", differs: expect.arrayContaining(["amount", "at"]) });
    const [row] = listRows(house, "ann");
    expect(row).toMatch(new RegExp(`^${nowMs - hourMs} payment_approved 4500 EUR`));
    expect(detailOf(house, approve({ eventId: "w-2" }))).toBe("told before; it differed in amount");
    expect(listRows(house, "ann")[0]).toBe(row);
    const wallet = house.ingest.listSources("default").find(({ source }) => source === "wallet");
    expect(wallet?.verdicts).toEqual(
      new Map([
        ["ACCEPTED", 1],
        ["MERGED", 1],
      ]),
    );
  });

  test("SEMANTICS 6.1: a payment event without payment_id is accepted only from a source declared sole for its type", () => {
    const soleSources = new Map([["wallet", new Set(["payment_approved"])]]);
    const house = makeIngestHouse({ soleSources });
    const bare = approve({ paymentId: "", attemptId: "" });
    expect(take(house, bare, bare)).toEqual(["ACCEPTED", "DUPLICATE"]);
    const others = [
      { ...bare, source: "gateway" },
      { ...bare, type: "payment_refunded" },
    ];
    const { outcomes } = house.ingest.ingest("default", others);
    expect(outcomes.map(({ faults }) => faults[0]?.field)).toEqual(["payment_id", "payment_id"]);
    expect(listRows(house, "ann")).toHaveLength(1);
  });

  test("are rows of every subject that limits are over, converted into their currency", () => {
    const house = makeIngestHouse({ limitsOver: ["card", "device"] });
    const attributes = { card: "token:t-1", ip: "1.2.3.4", method: "card" };
    take(house, approve({ attributes, amount: { minorUnits: 1100, currencyCode: "USD" } }));
    const [row] = listRows(house, "ann");
    expect(row).toContain("1100 USD kind=deposit method=card");
    expect(row).toMatch(/,1000\]$/);
    // A card's history tells whose payment it was; a player's need not.
    const [ofCard] = listRows(house, "token:t-1", "card");
    expect(ofCard).toContain(`,${hashWide("ann")},`);
    expect(ofCard!.replace(`,${hashWide("ann")}`, "")).toBe(row);
    expect(listRows(house, "1.2.3.4", "ip")).toEqual([]);
  });

  test("take instant, rates and subjects of the hold of their payment, and settle it", () => {
    const house = makeIngestHouse({ limitsOver: ["card"] });
    void house.limits.hold("default", hold());
    take(house, approve({ amount: { minorUnits: 2500, currencyCode: "EUR" } }));
    expect(house.limits.get("default", "pay-1")).toBeUndefined();
    const [row] = listRows(house, "ann");
    expect(row).toContain("method=card");
    // counted_at, and half of what was converted, half up.
    expect(row).toContain(`,${nowMs - 2 * hourMs},`);
    expect(row).toMatch(/,5,2778\]$/);
    const [ofKey] = listRows(house, "limit-9 x", "key");
    expect(ofKey!.replace(`,${hashWide("ann")}`, "")).toBe(row);
  });

  test.each<readonly [string, Partial<RawEvent>, number | undefined]>([
    ["an attempt does not settle", { type: "payment_attempted" }, 2],
    ["a voided payment settles", { type: "payment_voided" }, undefined],
    ["a decline of the payment settles", { type: "payment_declined", attemptId: "" }, undefined],
    ["a decline of one attempt of two uses up one", { type: "payment_declined" }, 1],
    ["a refund does not settle", { type: "payment_refunded" }, 2],
  ])("%s what the payment holds", (_, part, want) => {
    const house = makeIngestHouse();
    void house.limits.hold("default", hold());
    take(house, approve(part));
    expect(house.limits.get("default", "pay-1")?.authorisations).toBe(want);
  });

  test("a decline of one attempt lets go of nothing while another may be open", () => {
    const house = makeIngestHouse();
    void house.limits.hold("default", hold({ state: "UNKNOWN", authorisations: 1 }));
    take(house, approve({ type: "payment_declined" }));
    expect(house.limits.get("default", "pay-1")?.state).toBe("UNKNOWN");
    take(house, approve({ type: "payment_declined", attemptId: "" }));
    expect(house.limits.get("default", "pay-1")).toBeUndefined();
  });

  test("a decline of the last attempt of the plan settles what the payment holds", () => {
    const house = makeIngestHouse();
    void house.limits.hold("default", hold({ authorisations: 1 }));
    take(house, approve({ type: "payment_declined" }));
    expect(house.limits.get("default", "pay-1")).toBeUndefined();
  });

  test("that were told again a moment before a later revision was decided settle nothing of it", () => {
    const house = makeIngestHouse();
    const voided = approve({ type: "payment_voided", occurredAtMs: nowMs - 1000 });
    take(house, voided);
    void house.limits.hold("default", hold({ revision: 1, instantMs: nowMs }));
    take(house, voided);
    expect(house.limits.get("default", "pay-1")?.revision).toBe(1);
  });

  test("that were there before settle no hold of a later revision", () => {
    const house = makeIngestHouse();
    take(house, approve({ type: "payment_voided" }));
    void house.limits.hold("default", hold({ revision: 1, instantMs: nowMs }));
    expect(take(house, approve({ type: "payment_voided" }))).toEqual(["DUPLICATE"]);
    expect(house.limits.get("default", "pay-1")?.revision).toBe(1);
  });
});
