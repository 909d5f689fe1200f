import { findCardNumber } from "../../core/card-number.ts";
import type { CsvRecord } from "../../core/csv.ts";
import { exponentOf } from "../../core/iso4217.ts";
import { type Parsed, parseMajorUnits, parseMinorUnits } from "../amount.ts";
import { parseInstant } from "../instant.ts";
import type { AttributeSource, ColumnMap, FieldSource, Path } from "./column-map.ts";

/** Why a row can't be decided. */
export type RowFault = {
  readonly line: number;
  /** The column of the export; empty where the row as a whole is wrong. */
  readonly column: string;
  readonly rule: string;
  readonly message: string;
};

/** Collects what is wrong with one row. */
export type RowNotes = (column: string, rule: string, message: string) => undefined;

export type RecordResult<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly faults: readonly RowFault[] };

/** Reads one record; where something was noted, that is its result. */
export function readRecord<T>(
  { line, fields }: CsvRecord,
  titles: readonly string[],
  read: (fields: readonly string[], note: RowNotes) => T,
): RecordResult<T> {
  const faults: RowFault[] = [];
  const note: RowNotes = (column, rule, message) => {
    faults.push({ line, column, rule, message });
    return undefined;
  };
  if (fields.length !== titles.length) {
    note("", "columns", `has ${fields.length} columns, the header has ${titles.length}`);
    return { ok: false, faults };
  }
  const value = read(fields, note);
  return faults.length === 0 ? { ok: true, value } : { ok: false, faults };
}

/** Columns that a map names and the export lacks, with where the map names them. */
export type UnknownColumn = { readonly path: Path; readonly column: string };

/** What to tell of unknown columns, a line each. */
export function describeUnknown(
  unknown: readonly UnknownColumn[],
  {
    file,
    titles,
    locate,
  }: {
    readonly file: string;
    readonly titles: readonly string[];
    readonly locate: (path: Path) => string;
  },
): readonly string[] {
  const has = titles.map((title) => JSON.stringify(title)).join(", ");
  return unknown.map(
    ({ path, column }) =>
      `${locate(path)} ${path.join(".")}: ${file} has no column ${JSON.stringify(column)}, it has ${has}`,
  );
}

/** Bad rows that are named; further ones are counted. */
const faultsMax = 10_000;

/** Rows as they were read, and what is wrong with bad ones, in their order; the first 10,000 faults. */
export type ReadRows<T> = {
  readonly values: readonly T[];
  readonly badRowCount: number;
  readonly faults: readonly RowFault[];
};

/** Reads all rows, numbered from 1; none is dropped in silence. */
export function readRows<Row, T>(
  rows: readonly Row[],
  read: (row: Row, number: number) => RecordResult<T>,
): ReadRows<T> {
  const values: T[] = [];
  const faults: RowFault[] = [];
  let badRowCount = 0;
  for (const [at, row] of rows.entries()) {
    const result = read(row, at + 1);
    if (result.ok) {
      values.push(result.value);
      continue;
    }
    badRowCount++;
    for (const fault of result.faults) if (faults.length < faultsMax) faults.push(fault);
  }
  return { values, badRowCount, faults };
}

export type Reader<T> = (fields: readonly string[], note: RowNotes) => T | undefined;

export function makeReader(
  source: FieldSource,
  indexOf: (column: string) => number,
  isRequired: boolean,
): Reader<string> {
  const { column, value } = source;
  if (column === undefined) return () => value;
  const index = indexOf(column);
  const missing = new Set(source.missing ?? []);
  const values = source.values === undefined ? undefined : new Map(Object.entries(source.values));
  return (fields, note) => {
    const text = fields[index]!;
    if (text === "" || missing.has(text)) {
      return isRequired ? note(column, "required", "is empty") : undefined;
    }
    if (values === undefined) return text;
    const translated = values.get(text) ?? source.otherwise;
    return translated ?? note(column, "unmapped-value", `${quoteCell(text)} is not among the map's values`);
  };
}

export function makeTimeReader(time: ColumnMap["time"], indexOf: (column: string) => number): Reader<number> {
  const { column, format, offset } = time;
  const index = indexOf(column);
  return (fields, note) => {
    const text = fields[index]!;
    const parsed = format === "iso" ? parseInstant(text, offset) : parseUnixTime(text, format);
    return parsed.ok ? parsed.ms : note(column, parsed.rule, `${quoteCell(text)} ${parsed.message}`);
  };
}

function parseUnixTime(text: string, format: "unix_s" | "unix_ms"): Parsed<{ readonly ms: number }> {
  if (!/^[0-9]{1,13}$/.test(text) || (format === "unix_s" && text.length > 11)) {
    return { ok: false, rule: "instant", message: "is no Unix time in whole seconds or milliseconds" };
  }
  return { ok: true, ms: Number(text) * (format === "unix_s" ? 1000 : 1) };
}

/** Reads the amount once its currency, and with it the exponent, is known. */
export function makeAmountReader(amount: ColumnMap["amount"], indexOf: (column: string) => number) {
  const { column, unit } = amount;
  const index = indexOf(column);
  return (fields: readonly string[], note: RowNotes, currencyCode: string): number | undefined => {
    // Without a currency the row is bad already.
    if (currencyCode === "") return undefined;
    const text = fields[index]!;
    const exponent = exponentOf(currencyCode);
    if (exponent === undefined)
      return note(column, "iso-4217", `is in ${quoteCell(currencyCode)}, which is no ISO 4217 code`);
    const parsed = unit === "minor" ? parseMinorUnits(text) : parseMajorUnits(text, exponent);
    if (!parsed.ok) return note(column, parsed.rule, `${quoteCell(text)} ${parsed.message}`);
    if (parsed.minorUnits === 0) return note(column, "positive", `${quoteCell(text)} is not positive`);
    return parsed.minorUnits;
  };
}

export function makeAttributeReader(
  source: AttributeSource,
  indexOf: (column: string) => number,
): Reader<boolean | number | string> {
  const read = makeReader(source, indexOf, false);
  const column = source.column ?? "";
  if (source.type === "text") return read;
  return (fields, note) => {
    const text = read(fields, note);
    if (text === undefined) return undefined;
    if (source.type === "bool") {
      if (text === "true" || text === "false") return text === "true";
      return note(column, "bool", `${quoteCell(text)} is neither true nor false`);
    }
    if (/^-?[0-9]+(\.[0-9]+)?([eE][-+]?[0-9]+)?$/.test(text) && Number.isFinite(Number(text)))
      return Number(text);
    return note(column, "number", `${quoteCell(text)} is no number`);
  };
}

const quotedMax = 40;

/** A cell for a message: cut to 40 characters, and never a card number. */
function quoteCell(text: string): string {
  if (findCardNumber(text) !== undefined) return "(withheld: it looks like a card number)";
  return JSON.stringify(text.length > quotedMax ? `${text.slice(0, quotedMax)}...` : text);
}
