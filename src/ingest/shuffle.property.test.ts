import fc from "fast-check";
import { expect, test } from "vitest";
import {
  type IngestHouse,
  ingestNowMs,
  listRows,
  makeIngestHouse,
  makeRawEvent,
} from "../../test/helpers/ingest-house.ts";
import { countRuns } from "../../test/helpers/property-runs.ts";
import type { RawEvent } from "../core/events/check-event.ts";

const players = ["ann", "bob", "cid"] as const;
const minuteMs = 60_000;

/** Each draft becomes the event with the number of its place, so that no two events share an id by accident. */
type Draft = {
  readonly kind: "bet" | "approve" | "decline" | "reverse" | "replace" | "session";
  readonly player: (typeof players)[number];
  readonly minute: number;
  readonly amount: number;
  readonly card: string;
  readonly target: number;
};

const drafts: fc.Arbitrary<readonly Draft[]> = fc.array(
  fc.record({
    kind: fc.constantFrom("bet", "bet", "approve", "approve", "decline", "reverse", "replace", "session"),
    player: fc.constantFrom(...players),
    minute: fc.nat(20),
    amount: fc.integer({ min: 1, max: 1000 }),
    card: fc.constantFrom("f-1", "f-2"),
    target: fc.nat(30),
  }),
  { maxLength: 30 },
);

/** No two events take the same one back or its place: then the last word would depend on who says it. */
function toEvents(all: readonly Draft[]): readonly RawEvent[] {
  const targets = new Set<number>();
  return all.flatMap((draft, at) => toEvent(draft, at, all, targets) ?? []);
}

function toEvent(
  { kind, player, minute, amount, card, target }: Draft,
  at: number,
  all: readonly Draft[],
  targets: Set<number>,
): RawEvent | undefined {
  const base = {
    eventId: `e-${at}`,
    playerId: player,
    occurredAtMs: ingestNowMs - minute * minuteMs,
    amount: { minorUnits: amount, currencyCode: "EUR" },
  };
  switch (kind) {
    case "bet":
      return makeRawEvent({ ...base, attributes: { game: card } });
    case "session":
      return makeRawEvent({ ...base, type: "session_start", amount: undefined });
    case "approve":
      return makeRawEvent({
        ...base,
        type: "payment_approved",
        paymentId: `pay-${at}`,
        attributes: { card },
      });
    case "decline":
      return makeRawEvent({
        ...base,
        type: "payment_declined",
        paymentId: `pay-${at}`,
        attributes: { card },
      });
    case "reverse":
    case "replace": {
      // Of the same player, as it was sent; what takes something back is not taken back itself.
      const old = all[target];
      const isPlain = old !== undefined && (old.kind === "bet" || old.kind === "session");
      if (!isPlain || old.player !== player || targets.has(target)) return undefined;
      targets.add(target);
      const reverses = `e-${target}`;
      if (kind === "replace") return makeRawEvent({ ...base, reverses });
      return makeRawEvent({ ...base, type: "event_reversed", amount: undefined, reverses });
    }
  }
}

function listAll(house: IngestHouse): readonly (readonly string[])[] {
  return [
    ...players.map((id) => listRows(house, id)),
    ...["f-1", "f-2"].map((id) => listRows(house, `fingerprint:${id}`, "card")),
  ];
}

function ingestAll(events: readonly RawEvent[], batchSize: number): IngestHouse {
  const house = makeIngestHouse({ limitsOver: ["card"] });
  for (let at = 0; at < events.length; at += batchSize) {
    house.ingest.ingest("default", events.slice(at, at + batchSize));
  }
  return house;
}

test("shuffling and repeating a stream leaves the same rows, merges of players included", () => {
  fc.assert(
    fc.property(
      drafts,
      fc.infiniteStream(fc.nat()),
      fc.integer({ min: 1, max: 40 }),
      fc.boolean(),
      (all, dice, batchSize, merges) => {
        const alias = makeRawEvent({
          eventId: "alias",
          occurredAtMs: ingestNowMs - 5 * minuteMs,
          type: "player_alias",
          attributes: { alias: "bob" },
        });
        const events = merges ? [...toEvents(all), alias] : toEvents(all);
        const twice = [...events, ...events.filter(() => dice.next().value % 3 === 0)];
        const shuffled = twice
          .map((event) => ({ event, at: dice.next().value }))
          .sort((a, b) => a.at - b.at)
          .map(({ event }) => event);
        expect(listAll(ingestAll(shuffled, batchSize))).toEqual(listAll(ingestAll(events, 1000)));
      },
    ),
    { numRuns: countRuns(250) },
  );
});
