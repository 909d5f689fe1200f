import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { countRuns } from "../../../test/helpers/property-runs.ts";
import type { HistoryHead } from "./pack.ts";
import { packHead, packRows, readHead, readRows } from "./pack.ts";
import { RowColumns, writeId } from "./row-columns.ts";
import type { RowValues } from "./subject-rows.ts";

const places = 3;
const arbitraryRow: fc.Arbitrary<RowValues> = fc.record({
  id: fc.nat({ max: 2 ** 48 - 1 }),
  atMs: fc.nat({ max: 2 ** 45 }),
  amountMinor: fc.maxSafeInteger(),
  label: fc.nat({ max: 0x3ffff }),
  wides: fc.array(fc.oneof(fc.double(), fc.constant(Number.NaN)), { minLength: places, maxLength: places }),
});

function pack(rows: readonly RowValues[]): Uint8Array {
  const columns = new RowColumns(4096, () => places);
  columns.reach(1);
  const slab = columns.slabOf(0);
  const start = 7;
  for (const [at, { id, atMs, amountMinor, label, wides }] of rows.entries()) {
    const row = start + at;
    writeId(slab, row, id);
    slab.atMs[row] = atMs;
    slab.amount[row] = columns.amounts.write(amountMinor);
    slab.label[row] = label;
    slab.extra[row] = columns.wides.write(wides);
  }
  return packRows({ slab, wides: columns.wides, start, count: rows.length });
}

function unpack(bytes: Uint8Array): RowValues[] {
  const rows: RowValues[] = [];
  readRows(
    bytes,
    () => places,
    (row) => {
      rows.push(row);
    },
  );
  return rows;
}

describe("packRows", () => {
  it("comes back as it was, wherever the bytes lie", () => {
    fc.assert(
      fc.property(fc.array(arbitraryRow, { maxLength: 20 }), (rows) => {
        const bytes = pack(rows);
        const moved = new Uint8Array(bytes.length + 3);
        moved.set(bytes, 3);
        expect(unpack(moved.subarray(3))).toEqual(rows);
      }),
      { numRuns: countRuns(200) },
    );
  });

  it("is refused where it is cut, longer, or of another version", () => {
    const rows = [{ id: 5, atMs: 1, amountMinor: 2, label: 3, wides: [1, Number.NaN, 3] }];
    const bytes = pack(rows);
    for (let end = 0; end < bytes.length; end++)
      expect(() => unpack(bytes.slice(0, end))).toThrow(RangeError);
    expect(() => unpack(Uint8Array.of(...bytes, 0))).toThrow(/1 bytes lie behind/);
    expect(() => unpack(Uint8Array.of(2, ...bytes.slice(1)))).toThrow(/version 2/);
    expect(() =>
      readRows(
        bytes,
        () => 2,
        () => {},
      ),
    ).toThrow(/no wide place 2/);
  });
});

describe("packHead", () => {
  it("comes back as it was, with its tiles", () => {
    const tile = { fromMs: 0, untilMs: 60_000, label: 7, count: 3, sumMinor: -1, minMinor: -5, maxMinor: 4 };
    const heads: HistoryHead[] = [
      { count: 3, oldestMs: 10, newestMs: 2 ** 42, fold: undefined },
      { count: 0, oldestMs: Number.NaN, newestMs: Number.NaN, fold: undefined },
      {
        count: 1,
        oldestMs: 70_000,
        newestMs: 70_000,
        fold: {
          exactFromMs: 65_000,
          spanMs: 60_000,
          tiles: [tile, { ...tile, fromMs: 60_000, untilMs: 65_000 }],
        },
      },
    ];
    for (const head of heads) expect(readHead(packHead(head))).toEqual(head);
  });

  it("is refused where it is cut or of another version", () => {
    const fold = { exactFromMs: 1, spanMs: 60_000, tiles: [] };
    const bytes = packHead({ count: 1, oldestMs: 1, newestMs: 1, fold });
    for (let end = 0; end < bytes.length; end++) {
      expect(() => readHead(bytes.slice(0, end))).toThrow(RangeError);
    }
    expect(() => readHead(Uint8Array.of(0, ...bytes.slice(1)))).toThrow(/version 0/);
  });
});
