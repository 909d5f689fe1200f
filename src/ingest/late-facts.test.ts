import { expect, test } from "vitest";
import { listRows, makeIngestHouse, ingestNowMs as nowMs } from "../../test/helpers/ingest-house.ts";
import { noAnswer, type PaymentFact } from "../core/events/payment-fact.ts";

const hourMs = 3_600_000;

function makeFact(part: Partial<PaymentFact>): PaymentFact {
  return {
    ...{ type: "payment_approved", playerId: "ann", paymentId: "late", attemptId: "1", kind: "deposit" },
    ...{ amountMinor: 5_000, currency: "EUR", atMs: nowMs - 2 * hourMs, countedAtMs: nowMs - 3 * hourMs },
    ...{ method: "card", psp: "alpha", mid: "", brand: "b", scheme: "", funding: "", outcome: "" },
    ...{ card: "", device: "", ip: "", bin: "", ...noAnswer, converted: new Map(), ratesVersion: 7 },
    ...part,
  };
}

test("a fact that comes when the rows of its PSP and brand are folded that far becomes the oldest of them, but for what gives back", () => {
  const house = makeIngestHouse({ limitsOver: ["psp", "brand"] });
  for (let payment = 0; payment < 2_049; payment++) {
    const others = { paymentId: `busy-${payment}`, playerId: `player-${payment}` };
    house.ingest.recordFacts("default", [makeFact({ ...others, atMs: nowMs - hourMs + payment })]);
  }
  const told = [makeFact({}), makeFact({ type: "payment_refunded" })];
  for (let time = 0; time < 2; time++) house.ingest.recordFacts("default", told);
  const listOldest = (kind: "psp" | "brand", id: string) => {
    const { exactFromMs, atMs, start } = house.histories.get("default", { kind, id })!;
    expect(atMs[start]).toBe(exactFromMs);
    const rows = listRows(house, id, kind).map((row) => row.split(" "));
    return rows.filter(([at]) => Number(at) === exactFromMs).map(([, type]) => type);
  };
  expect(listOldest("psp", "alpha").sort()).toEqual([
    ...["payment_approved", "payment_approved", "payment_refunded"],
  ]);
  expect(listOldest("brand", "b")).toEqual(["payment_approved", "payment_approved"]);
});
