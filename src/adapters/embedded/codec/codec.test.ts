import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { countRuns } from "../../../../test/helpers/property-runs.ts";
import {
  arbitraryPlayer,
  arbitraryRecord,
  limitedDecision,
  limitedPlayer,
  samplePayment,
  samplePlayer,
} from "../../../../test/helpers/stored-samples.ts";
import { packObject, unpackObject } from "./pack.ts";
import { decodePaymentRecord, encodePaymentRecord, readKeepUntilMs } from "./payment-record.ts";
import { decodePlayer, encodePlayer } from "./player.ts";

const playerOfVersion2 =
  "ApWSqXZpcF9sZXZlbJQDAdQAAKNjcm2QkpejREFZpUdST1NTzROIo0VVUstCehcSrpAAAK1FdXJvcGUvQmVybGlulctCehcSrpAAAMtCehlO4vAAAMPNIyijRVVSl6xST0xMSU5HX1dFRUujTkVUzRtYo0VVUstCehcSrpAAAKNVVEOVy0J6FxKukAAAy0J6GU7i8AAAwtQAANQAAJGlcC1vbGSlcC1vbmU=";
const paymentOfVersion2 =
  "AgGhlO4vAJUAy0J6GU7i8AAAlqhwbGF5ZXItMadkZXBvc2l0zROIo0VVUqRjYXJkrTQ1NzEwNDM1LzEyMzTcABTZJDAxOTJmNmEwLTFjMmQtNzAwMC04MDAwLTAwMDAwMDAwMDAwMa1BUFBST1ZFX1JPVVRFkJOTngGlRklSU1SoYWR5ZW4tZXWlbWlkLTGkY2FyZKhUSFJFRV9EU6IwMdQAAKhFWFBFQ1RFRKdwYXktMS0x2SAwMTIzNDU2Nzg5YWJjZGVmMDEyMzQ1Njc4OWFiY2RlZtQAANQAAK0AIiIiIiIiIiIiIiIingKnQ0FTQ0FERahhZHllbi1ldaVtaWQtMaRjYXJkqFRIUkVFX0RTojAx1AAAqEVYUEVDVEVEp3BheS0xLTLZIDAxMjM0NTY3ODlhYmNkZWYwMTIzNDU2Nzg5YWJjZGVm1AAA1AAArQAjIyMjIyMjIyMjIyOeA6dDQVNDQURFqGFkeWVuLWV1pW1pZC0xpGNhcmSoVEhSRUVfRFOiMDHUAACoRVhQRUNURUSncGF5LTEtM9kgMDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWbUAADUAACtACQkJCQkJCQkJCQkJMtCehcTikoAAKYyMDI2LTGRkqN2aXCRqHBheW1lbnRzkZepdmlwLXJvdXRlp1NFR01FTlTCwpGoc3RyYXRlZ3mQkahwYXltZW50cwDUAACQkAPZIDAxMjM0NTY3ODlhYmNkZWYwMTIzNDU2Nzg5YWJjZGVmAZGTp3BsYXllcnPLQnoXEq6QAADCy0J6FxKukAAA1AAA1AAAAJCR3AAQq2RlcG9zaXQtZGF5rlNBRkVSX0dBTUJMSU5Hw80u4M3DUM2UcM0TiKNFVVLLQnoXSmBgAADUAADCo3ZpcKZwbGF5ZXIAwpKocGF5bWVudHOicmeQ";

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

  it("keep apart what is absent and what is undefined, in objects of any shape", () => {
    const value = { a: undefined, list: [undefined, null], text: "\u0000", nested: { b: -1.5 } };
    expect(unpackObject(packObject(1, value))).toStrictEqual(value);
  });

  // Written once and never regenerated: a layout that was released must be read for ever.
  it.each([
    ["player", "AZKSqXZpcF9sZXZlbJQDAdQAAKNjcm2Q"],
    [
      "payment",
      "AQGhlO4vAJUAy0J6GU7i8AAAlqhwbGF5ZXItMadkZXBvc2l0zROIo0VVUqRjYXJkrTQ1NzEwNDM1LzEyMzTcABPZJDAxOTJmNmEwLTFjMmQtNzAwMC04MDAwLTAwMDAwMDAwMDAwMa1BUFBST1ZFX1JPVVRFkJOTngGlRklSU1SoYWR5ZW4tZXWlbWlkLTGkY2FyZKhUSFJFRV9EU6IwMdQAAKhFWFBFQ1RFRKdwYXktMS0x2SAwMTIzNDU2Nzg5YWJjZGVmMDEyMzQ1Njc4OWFiY2RlZtQAANQAAK0AIiIiIiIiIiIiIiIingKnQ0FTQ0FERahhZHllbi1ldaVtaWQtMaRjYXJkqFRIUkVFX0RTojAx1AAAqEVYUEVDVEVEp3BheS0xLTLZIDAxMjM0NTY3ODlhYmNkZWYwMTIzNDU2Nzg5YWJjZGVm1AAA1AAArQAjIyMjIyMjIyMjIyOeA6dDQVNDQURFqGFkeWVuLWV1pW1pZC0xpGNhcmSoVEhSRUVfRFOiMDHUAACoRVhQRUNURUSncGF5LTEtM9kgMDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWbUAADUAACtACQkJCQkJCQkJCQkJMtCehcTikoAAKYyMDI2LTGRkqN2aXCRqHBheW1lbnRzkZepdmlwLXJvdXRlp1NFR01FTlTCwpGoc3RyYXRlZ3mQkahwYXltZW50cwDUAACQkAPZIDAxMjM0NTY3ODlhYmNkZWYwMTIzNDU2Nzg5YWJjZGVmAZGTp3BsYXllcnPLQnoXEq6QAADCy0J6FxKukAAA1AAA1AAAAJCQ",
    ],
  ])("of version 1 are read as they were written: %s", (what, base64) => {
    const bytes = Buffer.from(base64, "base64");
    if (what === "player") expect(decodePlayer("p", bytes)).toStrictEqual(samplePlayer("p"));
    else expect(decodePaymentRecord("pay", bytes)).toStrictEqual(samplePayment("pay"));
  });

  it("of before answers were kept have attempts without them", () => {
    const plain = { attemptId: "a-1", psp: "p", outcomeClass: "HARD", atMs: 1, revision: 0 } as const;
    const bytes = encodePaymentRecord(samplePayment("pay", { attempts: [plain] }));
    // An array of 18 values: six that are there, then undefined ones of three bytes each; the older row had 7 of them.
    const at = bytes.lastIndexOf(Buffer.from([0xdc, 0x00, 0x12]));
    const undefinedBytes = 3;
    const end = bytes.indexOf("HARD") + "HARD".length + 2 + 2 * undefinedBytes;
    const older = Buffer.concat([
      bytes.subarray(0, at),
      Buffer.from([0x97]),
      bytes.subarray(at + 3, end),
      bytes.subarray(end + 11 * undefinedBytes),
    ]);
    expect(decodePaymentRecord("pay", older).attempts).toStrictEqual([plain]);
  });

  it("of version 2 are read as they were written", () => {
    const player = decodePlayer("p", Buffer.from(playerOfVersion2, "base64"));
    expect(player).toStrictEqual(limitedPlayer("p"));
    const payment = decodePaymentRecord("pay", Buffer.from(paymentOfVersion2, "base64"));
    expect(payment).toStrictEqual(samplePayment("pay", { decision: limitedDecision }));
  });

  it.each([0, 4, 255])("of version %s are refused by name", (version) => {
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
