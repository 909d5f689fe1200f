import { expect, it } from "vitest";
import { HistoryTable } from "./history-table.ts";

const wides = ["payment", "in:EUR", "in:USD"];
const converted = { type: "payment_approved", currency: "SEK", values: new Map(), wides };
const plain = { type: "payment_approved", currency: "EUR", values: new Map(), wides: ["payment"] };
const subject = { kind: "psp", id: "alpha" } as const;

/** 40 rows in SEK and EUR by turns, a second each, of which the oldest were folded; one amount in USD is not known. */
function fill(): HistoryTable {
  const table = new HistoryTable({ rowsMax: 20, slabRows: 4096 });
  const number = table.open("m", subject);
  for (let id = 0; id < 40; id++) {
    const label = id % 2 === 0 ? converted : plain;
    const values = label === converted ? [id, 100 + id, id === 6 ? Number.NaN : 7] : [id];
    const row = { id, atMs: id * 1_000, amountMinor: 1_000 + id, label, wides: values };
    table.place(number, row, { isPaymentFact: true });
  }
  return table;
}

it("tiles keep the sums of what their rows were converted to, through the disk too", () => {
  const table = fill();
  const number = table.open("m", subject);
  const { tiles, start } = table.view(number)!;
  const folded = 40 - table.countRows(number);
  const sek = tiles.filter(({ convertedMinor }) => convertedMinor !== undefined);
  const eur = tiles.filter(({ convertedMinor }) => convertedMinor === undefined);
  expect([sek.length, eur.length]).toEqual([1, 1]);
  const ids = Array.from({ length: folded }, (_, id) => id).filter((id) => id % 2 === 0);
  expect(sek[0]).toMatchObject({
    count: ids.length,
    sumMinor: ids.reduce((sum, id) => sum + 1_000 + id, 0),
    convertedMinor: [ids.reduce((sum, id) => sum + 100 + id, 0), Number.NaN],
  });
  const packed = { head: table.packHead(number), chunks: [table.packRows(number, 0)] };
  table.markClean(number);
  table.evict(number);
  table.unpackInto(number, packed);
  expect(table.view(number)!.tiles).toEqual(tiles);
  expect(table.view(number)!.atMs[start]).toBe(folded * 1_000);
});

it("histories without other currencies are packed as they always were", () => {
  const table = new HistoryTable({ rowsMax: 20, slabRows: 4096 });
  const number = table.open("m", subject);
  for (let id = 0; id < 40; id++) {
    const row = { id, atMs: id * 1_000, amountMinor: 1, label: plain, wides: [id] };
    table.place(number, row, { isPaymentFact: true });
  }
  const headBytes = 23;
  const foldBytes = 20;
  const tileBytes = 52;
  expect(table.view(number)!.tiles).toHaveLength(1);
  expect(table.packHead(number)).toHaveLength(headBytes + foldBytes + tileBytes);
});
