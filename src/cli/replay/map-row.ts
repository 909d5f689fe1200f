import type { MessageInitShape } from "@bufbuild/protobuf";
import { findCardNumber } from "../../core/card-number.ts";
import type { CsvRecord } from "../../core/csv.ts";
import { exponentOf } from "../../core/iso4217.ts";
import type { DecideRequestSchema } from "../../gen/switchyard/v1/decision_pb.js";
import { encodeInstant } from "../../rpc/codec/time.ts";
import { type Parsed, parseMajorUnits, parseMinorUnits } from "../amount.ts";
import { parseInstant } from "../instant.ts";
import type { AttributeSource, ColumnMap, FieldSource, Path } from "./column-map.ts";

type DecideInit = MessageInitShape<typeof DecideRequestSchema>;

/** A row of an export, ready to be decided. `row` counts data rows from 1 in the order of the file, `line` lines of text. */
export type ReplayPayment = {
  readonly row: number;
  readonly line: number;
  readonly timeMs: number;
  readonly playerId: string;
  readonly request: DecideInit;
};

/** Why a row can't be decided. */
export type RowFault = {
  readonly line: number;
  /** The column of the export; empty where the row as a whole is wrong. */
  readonly column: string;
  readonly rule: string;
  readonly message: string;
};

type MappedRow =
  | { readonly ok: true; readonly payment: ReplayPayment }
  | { readonly ok: false; readonly faults: readonly RowFault[] };

export type RowMapper = (record: CsvRecord, row: number) => MappedRow;

export type RowMapperResult =
  | { readonly ok: true; readonly mapRow: RowMapper }
  /** Columns that the map names and the export lacks, with where the map names them. */
  | { readonly ok: false; readonly unknown: readonly { readonly path: Path; readonly column: string }[] };

/** Collects what is wrong with one row. */
type RowNotes = (column: string, rule: string, message: string) => undefined;

type Reader<T> = (fields: readonly string[], note: RowNotes) => T | undefined;

/** Ties a column map to the titles of an export, once, so that a row costs only look-ups. */
export function makeRowMapper(map: ColumnMap, titles: readonly string[]): RowMapperResult {
  const unknown = listColumns(map).filter(({ column }) => !titles.includes(column));
  if (unknown.length > 0) return { ok: false, unknown };
  const read = makeReaders(map, (column) => titles.indexOf(column));
  return {
    ok: true,
    mapRow(record, row) {
      const faults: RowFault[] = [];
      const note: RowNotes = (column, rule, message) => {
        faults.push({ line: record.line, column, rule, message });
        return undefined;
      };
      const { fields } = record;
      if (fields.length !== titles.length) {
        note("", "columns", `has ${fields.length} columns, the header has ${titles.length}`);
        return { ok: false, faults };
      }
      const payment = readPayment(read, { map, fields, note, row, line: record.line });
      return faults.length === 0 ? { ok: true, payment } : { ok: false, faults };
    },
  };
}

type Readers = ReturnType<typeof makeReaders>;

function makeReaders(map: ColumnMap, indexOf: (column: string) => number) {
  const required = (source: FieldSource) => makeReader(source, indexOf, true);
  const optional = (source: FieldSource | undefined) =>
    source === undefined ? undefined : makeReader(source, indexOf, false);
  const card = map.card ?? {};
  return {
    time: makeTimeReader(map.time, indexOf),
    paymentId:
      map.payment_id.column === undefined
        ? undefined
        : makeReader({ column: map.payment_id.column }, indexOf, true),
    playerId: required(map.player_id),
    kind: required(map.kind),
    method: required(map.method),
    currency: required(map.currency),
    amount: makeAmountReader(map.amount, indexOf),
    texts: pickReaders({
      brand: optional(map.brand),
      playerCountry: optional(map.player_country),
      ipCountry: optional(map.ip_country),
      deviceId: optional(map.device_id),
      ip: optional(map.ip),
    }),
    card: pickReaders({
      bin: optional(card.bin),
      lastFour: optional(card.last_four),
      scheme: optional(card.scheme),
      funding: optional(card.funding),
      issuer: optional(card.issuer),
      issuerCountry: optional(card.issuer_country),
      fingerprint: optional(card.fingerprint),
    }),
    attributes: Object.entries(map.attributes ?? {}).map(
      ([name, source]) => [name, makeAttributeReader(source, indexOf)] as const,
    ),
  };
}

function readPayment(
  read: Readers,
  given: {
    readonly map: ColumnMap;
    readonly fields: readonly string[];
    readonly note: RowNotes;
    readonly row: number;
    readonly line: number;
  },
): ReplayPayment {
  const { map, fields, note, row, line } = given;
  const timeMs = read.time(fields, note) ?? 0;
  const playerId = read.playerId(fields, note) ?? "";
  const currencyCode = read.currency(fields, note) ?? "";
  const minorUnits = BigInt(read.amount(fields, note, currencyCode) ?? 0);
  const card = readTexts(read.card, fields, note);
  const request: DecideInit = {
    merchantId: map.merchant,
    paymentId: read.paymentId?.(fields, note) ?? `${map.payment_id.row ?? ""}${row}`,
    playerId,
    kind: read.kind(fields, note) ?? "",
    method: read.method(fields, note) ?? "",
    amount: { minorUnits, currencyCode },
    ...readTexts(read.texts, fields, note),
    ...(card === undefined ? {} : { card }),
    ...readAttributes(read.attributes, fields, note),
    ...(map.time.decide_at ? { decideAt: encodeInstant(timeMs) } : {}),
  };
  return { row, line, timeMs, playerId, request };
}

/** Every column that the map names, with the path at which it does. */
function listColumns(map: ColumnMap): readonly { readonly path: Path; readonly column: string }[] {
  const found: { readonly path: Path; readonly column: string }[] = [];
  const visit = (path: Path, value: unknown): void => {
    if (typeof value !== "object" || value === null) return;
    for (const [key, child] of Object.entries(value)) {
      if (key === "column" && typeof child === "string") found.push({ path: [...path, key], column: child });
      // The keys below `values` are cells of the export, not keys of the map.
      else if (key !== "values") visit([...path, key], child);
    }
  };
  visit([], map);
  return found;
}

function makeReader(
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

function makeTimeReader(time: ColumnMap["time"], indexOf: (column: string) => number): Reader<number> {
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
function makeAmountReader(amount: ColumnMap["amount"], indexOf: (column: string) => number) {
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

function makeAttributeReader(
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

type NamedReaders = readonly (readonly [name: string, read: Reader<string>])[];

function pickReaders(readers: Readonly<Record<string, Reader<string> | undefined>>): NamedReaders {
  return Object.entries(readers).filter((entry): entry is [string, Reader<string>] => entry[1] !== undefined);
}

/** The texts that are there, by name; undefined where there are none. */
function readTexts(
  readers: NamedReaders,
  fields: readonly string[],
  note: RowNotes,
): Record<string, string> | undefined {
  let texts: Record<string, string> | undefined;
  for (const [name, read] of readers) {
    const text = read(fields, note);
    if (text === undefined) continue;
    texts ??= {};
    texts[name] = text;
  }
  return texts;
}

function readAttributes(
  readers: Readers["attributes"],
  fields: readonly string[],
  note: RowNotes,
): Pick<DecideInit, "attributes"> {
  if (readers.length === 0) return {};
  const attributes: NonNullable<DecideInit["attributes"]> = {};
  for (const [name, read] of readers) {
    const value = read(fields, note);
    if (typeof value === "string") attributes[name] = { kind: { case: "stringValue", value } };
    else if (typeof value === "number") attributes[name] = { kind: { case: "numberValue", value } };
    else if (typeof value === "boolean") attributes[name] = { kind: { case: "boolValue", value } };
  }
  return { attributes };
}

const quotedMax = 40;

/** A cell for a message: cut to 40 characters, and never a card number. */
function quoteCell(text: string): string {
  if (findCardNumber(text) !== undefined) return "(withheld: it looks like a card number)";
  return JSON.stringify(text.length > quotedMax ? `${text.slice(0, quotedMax)}...` : text);
}
