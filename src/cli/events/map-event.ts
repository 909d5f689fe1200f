import type { MessageInitShape } from "@bufbuild/protobuf";
import type { CsvRecord } from "../../core/csv.ts";
import type { EventSchema } from "../../gen/switchyard/v1/event_pb.js";
import { encodeInstant } from "../../rpc/codec/time.ts";
import type { ColumnMap, EventsMap } from "../replay/column-map.ts";
import { listColumns } from "../replay/map-row.ts";
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
} from "../replay/readers.ts";

export type EventInit = MessageInitShape<typeof EventSchema>;

export type EventMapper = (record: CsvRecord, row: number) => RecordResult<EventInit>;

export type EventMapperResult =
  | { readonly ok: true; readonly mapEvent: EventMapper }
  | { readonly ok: false; readonly unknown: readonly UnknownColumn[] };

type NamedReader = readonly [name: string, read: Reader<boolean | number | string>];

type TypeReader = {
  readonly matches: (fields: readonly string[]) => boolean;
  readonly type: string;
  readonly hasAmount: boolean;
  readonly isPaymentFact: boolean;
  readonly attributes: readonly NamedReader[];
};

/** Ties the `events` part of a column map to the titles of an export, once, so that a row costs only look-ups. */
export function makeEventMapper(
  map: ColumnMap,
  events: EventsMap,
  titles: readonly string[],
): EventMapperResult {
  const unknown = listColumns(map).filter(({ column }) => !titles.includes(column));
  if (unknown.length > 0) return { ok: false, unknown };
  const read = makeReaders(map, events, (column) => titles.indexOf(column));
  return {
    ok: true,
    mapEvent: (record, row) =>
      readRecord(record, titles, (fields, note) => {
        const type = read.types.find(({ matches }) => matches(fields));
        if (type !== undefined) return readEvent(read, type, { fields, note, row });
        note("", "unmapped-row", "no entry of events.types fits the row");
        return {};
      }),
  };
}

function makeReaders(map: ColumnMap, events: EventsMap, indexOf: (column: string) => number) {
  const idReader = ({
    column,
    row,
  }: EventsMap["event_id"]): ((fields: readonly string[], number: number) => string) => {
    if (column === undefined) return (_, number) => `${row ?? ""}${number}`;
    const index = indexOf(column);
    return (fields) => fields[index]!;
  };
  return {
    time: makeTimeReader(map.time, indexOf),
    playerId: makeReader(map.player_id, indexOf, true),
    currency: makeReader(map.currency, indexOf, true),
    amount: makeAmountReader(map.amount, indexOf),
    eventId: idReader(events.event_id),
    paymentId: idReader(map.payment_id),
    source: events.source,
    types: events.types.map(
      (type): TypeReader => ({
        matches: makeMatcher(type.when, indexOf),
        type: type.type,
        hasAmount: type.amount,
        isPaymentFact: /^(?:payment|withdrawal)_/.test(type.type),
        attributes: Object.entries(type.attributes ?? {}).map(
          ([name, source]): NamedReader => [name, makeAttributeReader(source, indexOf)],
        ),
      }),
    ),
  };
}

function makeMatcher(
  when: EventsMap["types"][number]["when"],
  indexOf: (column: string) => number,
): (fields: readonly string[]) => boolean {
  const wanted = Object.entries(when).map(
    ([column, texts]) => [indexOf(column), new Set(typeof texts === "string" ? [texts] : texts)] as const,
  );
  return (fields) => wanted.every(([index, texts]) => texts.has(fields[index]!));
}

function readEvent(
  read: ReturnType<typeof makeReaders>,
  type: TypeReader,
  {
    fields,
    note,
    row,
  }: { readonly fields: readonly string[]; readonly note: RowNotes; readonly row: number },
): EventInit {
  const currencyCode = type.hasAmount ? (read.currency(fields, note) ?? "") : "";
  const attributes: NonNullable<EventInit["attributes"]> = {};
  for (const [name, readAttribute] of type.attributes) {
    const value = readAttribute(fields, note);
    if (typeof value === "string") attributes[name] = { kind: { case: "stringValue", value } };
    else if (typeof value === "number") attributes[name] = { kind: { case: "numberValue", value } };
    else if (typeof value === "boolean") attributes[name] = { kind: { case: "boolValue", value } };
  }
  return {
    eventId: read.eventId(fields, row),
    playerId: read.playerId(fields, note) ?? "",
    type: type.type,
    occurredAt: encodeInstant(read.time(fields, note) ?? 0),
    source: read.source,
    ...(type.hasAmount
      ? { amount: { minorUnits: BigInt(read.amount(fields, note, currencyCode) ?? 0), currencyCode } }
      : {}),
    attributes,
    ...(type.isPaymentFact ? { paymentId: read.paymentId(fields, row) } : {}),
  };
}
