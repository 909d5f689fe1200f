import { parseCsv } from "../../core/csv.ts";
import type { ColumnMap, Path } from "./column-map.ts";
import { makeRowMapper, type ReplayPayment } from "./map-row.ts";
import { describeUnknown, type RowFault, readRows } from "./readers.ts";

/** An export read by a column map. */
export type PaymentExport = {
  /** Rows of data in the file, good and bad. */
  readonly rowCount: number;
  /** In order of time, then row. */
  readonly payments: readonly ReplayPayment[];
  readonly badRowCount: number;
  /** What is wrong with bad rows, in order of line; the first 10,000. */
  readonly faults: readonly RowFault[];
};

export type ExportResult =
  | { readonly ok: true; readonly export: PaymentExport }
  | { readonly ok: false; readonly faults: readonly string[] };

/**
 * Reads the text of an export: CSV with titles in its first row. Every row becomes a payment or a bad row, rows that repeat another one
 * included; none is dropped.
 *
 * Fails: where the text is no CSV, has no titles or two of one name, or lacks a column that the map names. Source: `SEMANTICS.md` 1.7.
 */
export function readExport(input: {
  readonly text: string;
  readonly file: string;
  readonly map: ColumnMap;
  readonly locate: (path: Path) => string;
}): ExportResult {
  const { text, file, map, locate } = input;
  const parsed = parseCsv(text);
  if (!parsed.ok) {
    const { line, rule, message } = parsed.fault;
    return { ok: false, faults: [`${file}:${line} ${rule} ${message}`] };
  }
  const [header, ...rows] = parsed.records;
  if (header === undefined) return { ok: false, faults: [`${file}: is empty, not even titles of columns`] };
  const titles = header.fields;
  const twice = titles.filter((title, i) => titles.indexOf(title) !== i);
  if (twice.length > 0)
    return { ok: false, faults: [`${file}:1 two columns are called ${JSON.stringify(twice[0])}`] };
  const mapper = makeRowMapper(map, titles);
  if (!mapper.ok) {
    const faults = describeUnknown(mapper.unknown, { file, titles, locate });
    return { ok: false, faults };
  }
  const { values, badRowCount, faults } = readRows(rows, mapper.mapRow);
  const payments = values.toSorted((a, b) => a.timeMs - b.timeMs || a.row - b.row);
  return { ok: true, export: { rowCount: rows.length, payments, badRowCount, faults } };
}
