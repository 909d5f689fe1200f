import { normaliseScheme } from "../card-scheme.ts";
import { type CsvRecord, parseCsv } from "../csv.ts";
import type { BinFacts, Funding } from "./bin-table.ts";

/** What is wrong with a BIN file, and in which line. `column` names the header; empty where the whole line is meant. */
export type BinFault = {
  readonly line: number;
  readonly column: string;
  readonly rule: string;
  readonly message: string;
};

/** One row of the file: the BINs `low` to `high`, both inclusive and as numbers of `digits` digits. */
export type BinRow = {
  readonly line: number;
  readonly digits: number;
  readonly low: number;
  readonly high: number;
  readonly facts: BinFacts;
};

const columns = [
  "iin_start",
  "iin_end",
  "scheme",
  "brand",
  "type",
  "prepaid",
  "country",
  "bank_name",
] as const;

type Column = (typeof columns)[number];

export const binRowsMax = 1_000_000;

/** Reads the rows of a BIN file; see `readBinTable` for the format. Faults are in order of the lines. */
export function readBinRows(text: string): { readonly rows: readonly BinRow[]; readonly faults: BinFault[] } {
  const parsed = parseCsv(text);
  if (!parsed.ok) return { rows: [], faults: [{ column: "", ...parsed.fault }] };
  const [header, ...records] = parsed.records;
  const faults: BinFault[] = [];
  const places = readHeader(header, faults);
  if (places === undefined) return { rows: [], faults };
  if (records.length > binRowsMax) {
    const message = `${records.length} rows; at most ${binRowsMax} are allowed`;
    return { rows: [], faults: [{ line: 1, column: "", rule: "too-many", message }] };
  }

  const rows: BinRow[] = [];
  for (const record of records) {
    if (record.fields.length !== header!.fields.length) {
      const message = `${record.fields.length} fields, where the header has ${header!.fields.length}`;
      faults.push({ line: record.line, column: "", rule: "field-count", message });
      continue;
    }
    const row = readRow(record, places, faults);
    if (row !== undefined) rows.push(row);
  }
  return { rows, faults };
}

function readHeader(
  header: CsvRecord | undefined,
  faults: BinFault[],
): Readonly<Record<Column, number>> | undefined {
  const names = header?.fields.map((name) => name.trim()) ?? [];
  const places = {} as Record<Column, number>;
  for (const column of columns) {
    places[column] = names.indexOf(column);
    const isTwice = names.lastIndexOf(column) !== places[column];
    if (places[column] >= 0 && !isTwice) continue;
    const message = `the header ${isTwice ? "has this column twice" : "lacks this column"}`;
    faults.push({ line: header?.line ?? 1, column, rule: isTwice ? "duplicate" : "required", message });
  }
  return faults.length === 0 ? places : undefined;
}

/** Returns undefined where the row has faults. */
function readRow(
  { line, fields }: CsvRecord,
  places: Readonly<Record<Column, number>>,
  faults: BinFault[],
): BinRow | undefined {
  const before = faults.length;
  const fail = (column: Column, rule: string, message: string): undefined => {
    faults.push({ line, column, rule, message });
  };
  const textOf = (column: Column): string => fields[places[column]]!.trim();

  const start = textOf("iin_start");
  const end = textOf("iin_end") || start;
  if (!/^[0-9]{6,8}$/.test(start)) {
    fail("iin_start", "digits", `"${start}" is not 6 to 8 digits`);
  } else if (end.length !== start.length || !/^[0-9]+$/.test(end)) {
    fail("iin_end", "digits", `"${end}" is not ${start.length} digits like iin_start`);
  } else if (end < start) {
    fail("iin_end", "order", `${end} is below iin_start ${start}`);
  }
  const facts: BinFacts = {
    scheme: normaliseScheme(textOf("scheme")),
    brand: textOf("brand") || undefined,
    funding: readFunding(textOf("type"), fail),
    prepaid: readPrepaid(textOf("prepaid"), fail),
    issuer: textOf("bank_name") || undefined,
    issuerCountry: readCountry(textOf("country"), fail),
  };
  if (faults.length > before) return undefined;
  return { line, digits: start.length, low: Number(start), high: Number(end), facts };
}

type Fail = (column: Column, rule: string, message: string) => undefined;

function readFunding(text: string, fail: Fail): Funding | undefined {
  const plain = text.toLowerCase();
  if (plain === "credit" || plain === "debit" || plain === "prepaid" || plain === "charge") return plain;
  return plain === ""
    ? undefined
    : fail("type", "one-of", `"${text}" is not credit, debit, prepaid or charge`);
}

function readPrepaid(text: string, fail: Fail): boolean | undefined {
  switch (text.toLowerCase()) {
    case "":
      return undefined;
    case "y":
    case "yes":
    case "true":
    case "1":
      return true;
    case "n":
    case "no":
    case "false":
    case "0":
      return false;
    default:
      return fail("prepaid", "one-of", `"${text}" is neither y nor n`);
  }
}

/** Any two letters: files know XK, which ISO does not. */
function readCountry(text: string, fail: Fail): string | undefined {
  const plain = text.toUpperCase();
  if (/^[A-Z]{2}$/.test(plain)) return plain;
  return plain === "" ? undefined : fail("country", "alpha-2", `"${text}" is not a code of two letters`);
}
