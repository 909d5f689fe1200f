import type { MessageInitShape } from "@bufbuild/protobuf";
import type { CsvRecord } from "../../core/csv.ts";
import type { OutcomeResult } from "../../core/outcome-report.ts";
import type { DecideRequestSchema } from "../../gen/switchyard/v1/decision_pb.js";
import { encodeInstant } from "../../rpc/codec/time.ts";
import type { ColumnMap, FieldSource, Path } from "./column-map.ts";
import {
  makeAmountReader,
  makeAttributeReader,
  makeReader,
  makeTimeReader,
  type Reader,
  type RecordResult,
  type RowNotes,
  readRecord,
  type UnknownColumn,
} from "./readers.ts";

type DecideInit = MessageInitShape<typeof DecideRequestSchema>;

/** A row of an export, ready to be decided. `row` counts data rows from 1 in the order of the file, `line` lines of text. */
export type ReplayPayment = {
  readonly row: number;
  readonly line: number;
  readonly timeMs: number;
  readonly playerId: string;
  readonly request: DecideInit;
  /** What became of it, where the export says so. */
  readonly outcome: OutcomeResult | undefined;
  /** Codes of its answer, by their names in the report; absent where the export says none. */
  readonly answer?: Readonly<Record<string, string>>;
};

export type RowMapper = (record: CsvRecord, row: number) => RecordResult<ReplayPayment>;

export type RowMapperResult =
  | { readonly ok: true; readonly mapRow: RowMapper }
  | { readonly ok: false; readonly unknown: readonly UnknownColumn[] };

/** Ties a column map to the titles of an export, once, so that a row costs only look-ups. */
export function makeRowMapper(map: ColumnMap, titles: readonly string[]): RowMapperResult {
  const unknown = listColumns(map).filter(({ column }) => !titles.includes(column));
  if (unknown.length > 0) return { ok: false, unknown };
  const read = makeReaders(map, (column) => titles.indexOf(column));
  return {
    ok: true,
    mapRow: (record, row) =>
      readRecord(record, titles, (fields, note) =>
        readPayment(read, { map, fields, note, row, line: record.line }),
      ),
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
    outcome: optional(map.outcome),
    answer: pickReaders({
      responseCode: optional(map.answer?.response_code),
      pspCode: optional(map.answer?.psp_code),
      adviceCode: optional(map.answer?.advice_code),
    }),
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
  const outcome = read.outcome?.(fields, note) as OutcomeResult | undefined;
  const answer = outcome === "DECLINED" ? readTexts(read.answer, fields, note) : undefined;
  return { row, line, timeMs, playerId, request, outcome, ...(answer === undefined ? {} : { answer }) };
}

/** Every column that the map names, with the path at which it does. */
export function listColumns(map: ColumnMap): readonly UnknownColumn[] {
  const found: UnknownColumn[] = [];
  const visit = (path: Path, value: unknown): void => {
    if (typeof value !== "object" || value === null) return;
    for (const [key, child] of Object.entries(value)) {
      if (key === "column" && typeof child === "string") found.push({ path: [...path, key], column: child });
      // The keys below `when` are columns.
      else if (key === "when")
        for (const column of Object.keys(child as object))
          found.push({ path: [...path, key, column], column });
      // The keys below `values` are cells of the export, not keys of the map.
      else if (key !== "values") visit([...path, key], child);
    }
  };
  visit([], map);
  return found;
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
