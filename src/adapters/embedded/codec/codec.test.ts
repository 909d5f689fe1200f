import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { countRuns } from "../../../../test/helpers/property-runs.ts";
import {
  arbitraryHold,
  arbitraryPlayer,
  arbitraryRecord,
  limitedDecision,
  limitedPlayer,
  samplePayment,
  samplePlayer,
} from "../../../../test/helpers/stored-samples.ts";
import { decodeHold, encodeHold } from "./hold.ts";
import { packObject, unpackObject } from "./pack.ts";
import { decodePaymentRecord, encodePaymentRecord, readKeepUntilMs } from "./payment-record.ts";
import { decodePlayer, encodePlayer } from "./player.ts";

const paymentOfVersion4 =
  "BAGhlO4vAADzAaGU7i8ACHBsYXllci0xUvETiGpUDTQ1NzEwNDM1LzEyMzQAAAHSJDAxOTJmNmEwLTFjMmQtNzAwMC04MDAwLTAwMDAwMDAwMDAwMQAAAwEDCGFkeWVuLWV1BW1pZC0xVApxAjAxABAHcGF5LTEtMSAwMTIzNDU2Nzg5YWJjZGVmMDEyMzQ1Njc4OWFiY2RlZvANANHS09TV1tfY2drb3PHqYAACBAhhZHllbi1ldQVtaWQtMVQKcQIwMQAQB3BheS0xLTIgMDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWbwDQDh4uPk5ebn6Onq6+zx6mAAAwQIYWR5ZW4tZXUFbWlkLTFUCnECMDEAEAdwYXktMS0zIDAxMjM0NTY3ODlhYmNkZWYwMTIzNDU2Nzg5YWJjZGVm8A0A8QDx8QDy8QDz8QD08QD18QD28QD38QD48QD58QD68QD78QD88epgAPMBoXE4pKAGMjAyNi0xAQtkZXBvc2l0LWRheS8B8S7g8cNQ8ZRw8ROIavMBoXSmBgDwAAN2aXBcAAACPkABA3ZpcAE+AQl2aXAtcm91dGUyAAABOQABPgDwAAADIDAxMjM0NTY3ODlhYmNkZWYwMTIzNDU2Nzg5YWJjZGVmAQFP8wGhcSrpAADzAaFxKukA8PAAAADw8PA=";
const playerOfVersion2 =
  "ApWSqXZpcF9sZXZlbJQDAdQAAKNjcm2QkpejREFZpUdST1NTzROIo0VVUstCehcSrpAAAK1FdXJvcGUvQmVybGlulctCehcSrpAAAMtCehlO4vAAAMPNIyijRVVSl6xST0xMSU5HX1dFRUujTkVUzRtYo0VVUstCehcSrpAAAKNVVEOVy0J6FxKukAAAy0J6GU7i8AAAwtQAANQAAJGlcC1vbGSlcC1vbmU=";

describe("stored records", () => {
  it("come back as they were: players", () => {
    fc.assert(
      fc.property(arbitraryPlayer, (player) => {
        expect(decodePlayer(player.playerId, encodePlayer(player))).toStrictEqual(player);
      }),
      { numRuns: countRuns(300) },
    );
  });

  it("come back as they were: payments", () => {
    fc.assert(
      fc.property(arbitraryRecord, (record) => {
        const bytes = encodePaymentRecord(record);
        expect(decodePaymentRecord(record.paymentId, bytes)).toStrictEqual(record);
        expect(readKeepUntilMs(bytes)).toBe(record.keepUntilMs);
        // What was read is written again from its bytes.
        expect(encodePaymentRecord(decodePaymentRecord(record.paymentId, bytes)).equals(bytes)).toBe(true);
      }),
      { numRuns: countRuns(300) },
    );
  });

  it("come back as they were: holds", () => {
    fc.assert(
      fc.property(arbitraryHold, (hold) => {
        expect(decodeHold(hold.paymentId, encodeHold(hold))).toStrictEqual(hold);
      }),
      { numRuns: countRuns(300) },
    );
  });

  it("keep apart what is absent and what is undefined, in objects of any shape", () => {
    const value = { a: undefined, list: [undefined, null], text: "\u0000", nested: { b: -1.5 } };
    expect(unpackObject(packObject(1, value))).toStrictEqual(value);
  });

  // Written once and never regenerated: a layout that was released must be read for ever.
  it.each([
    ["1", "AZKSqXZpcF9sZXZlbJQDAdQAAKNjcm2Q", samplePlayer("p")],
    ["2", playerOfVersion2, limitedPlayer("p")],
  ])("of players of version %s are read as they were written", (_version, base64, player) => {
    expect(decodePlayer("p", Buffer.from(base64, "base64"))).toStrictEqual(player);
  });

  it("of payments of version 4 are read as they were written", () => {
    const payment = decodePaymentRecord("pay", Buffer.from(paymentOfVersion4, "base64"));
    expect(payment).toStrictEqual(samplePayment("pay", { decision: limitedDecision }));
  });

  it("that end too early are refused", () => {
    const bytes = encodePaymentRecord(samplePayment("pay"));
    for (let length = 1; length < bytes.length; length++)
      expect(() => decodePaymentRecord("pay", bytes.subarray(0, length)), `${length} bytes`).toThrow(
        RangeError,
      );
  });

  it.each([0, 99, 255])("of version %s are refused by name", (version) => {
    const player = encodePlayer(samplePlayer("p"));
    player[0] = version;
    expect(() => decodePlayer("p", player)).toThrow(`a stored player has layout version ${version}`);
    const payment = encodePaymentRecord(samplePayment("pay"));
    payment[0] = version;
    expect(() => decodePaymentRecord("pay", payment)).toThrow(
      `a stored payment has layout version ${version}`,
    );
    expect(() => readKeepUntilMs(payment)).toThrow(/layout version/);
  });
});
