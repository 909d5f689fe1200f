import { fromJson, type JsonObject } from "@bufbuild/protobuf";
import { type CsvRecord, parseCsv } from "../../core/csv.ts";
import { EventSchema } from "../../gen/switchyard/v1/event_pb.js";
import { describeUnknown, type RecordResult, type RowFault, readRows } from "../replay/readers.ts";
import type { LoadedMap, Source } from "../replay/source.ts";
import { type EventInit, makeEventMapper } from "./map-event.ts";

/** A file of events. */
export type EventFile = {
  /** Rows in the file, good and bad. */
  readonly rowCount: number;
  /** In the order of the file. */
  readonly events: readonly EventInit[];
  readonly badRowCount: number;
  readonly faults: readonly RowFault[];
};

export type EventFileResult =
  | { readonly ok: true; readonly file: EventFile }
  | { readonly ok: false; readonly faults: readonly string[] };

/**
 * Reads events by a column map: CSV with titles in its first row, or JSON lines of flat objects whose keys are the columns.
 *
 * Fails: where the text is neither, or the map has no `events` or names a column that is not there.
 */
export function readMappedEvents({ text, file }: Source, { map, locate }: LoadedMap): EventFileResult {
  if (map.events === undefined)
    return { ok: false, faults: [`the map has no \`events\`, so no row can become one (docs/replay.md)`] };
  const table = file.replace(/\.gz$/, "").endsWith(".jsonl")
    ? readJsonTable(text, file)
    : readCsvTable(text, file);
  if (!table.ok) return table;
  const mapper = makeEventMapper(map, map.events, table.titles);
  if (!mapper.ok) {
    return {
      ok: false,
      faults: describeUnknown(mapper.unknown, { file, titles: table.titles, locate }),
    };
  }
  return { ok: true, file: collect(table.rows, mapper.mapEvent) };
}

/** Reads JSON lines, each an event in the JSON mapping of protobuf. Blank lines are left out. */
export function readEventLines({ text }: Pick<Source, "text">): EventFile {
  const rows = text
    .split("\n")
    .map((line, at) => ({ line: at + 1, text: line.trim() }))
    .filter((row) => row.text !== "");
  return collect(rows, ({ line, text: json }) => {
    try {
      return { ok: true, value: fromJson(EventSchema, JSON.parse(json) as JsonObject) };
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      return { ok: false, faults: [{ line, column: "", rule: "event", message }] };
    }
  });
}

function collect<Row>(
  rows: readonly Row[],
  read: (row: Row, number: number) => RecordResult<EventInit>,
): EventFile {
  const { values: events, badRowCount, faults } = readRows(rows, read);
  return { rowCount: rows.length, events, badRowCount, faults };
}

type Table =
  | { readonly ok: true; readonly titles: readonly string[]; readonly rows: readonly CsvRecord[] }
  | { readonly ok: false; readonly faults: readonly string[] };

function readCsvTable(text: string, file: string): Table {
  const parsed = parseCsv(text);
  if (!parsed.ok) {
    const { line, rule, message } = parsed.fault;
    return { ok: false, faults: [`${file}:${line} ${rule} ${message}`] };
  }
  const [header, ...rows] = parsed.records;
  if (header === undefined) return { ok: false, faults: [`${file}: is empty, not even titles of columns`] };
  return { ok: true, titles: header.fields, rows };
}

/** Columns are the keys of all lines; what a line lacks is an empty cell. */
function readJsonTable(text: string, file: string): Table {
  const objects: { readonly line: number; readonly object: Readonly<Record<string, unknown>> }[] = [];
  const titles = new Set<string>();
  for (const [at, line] of text.split("\n").entries()) {
    if (line.trim() === "") continue;
    const object = parseObject(line);
    if (object === undefined) return { ok: false, faults: [`${file}:${at + 1} is no JSON object`] };
    for (const key of Object.keys(object)) titles.add(key);
    objects.push({ line: at + 1, object });
  }
  const columns = [...titles];
  const rows = objects.map(({ line, object }) => ({
    line,
    fields: columns.map((column) => toCell(object[column])),
  }));
  return { ok: true, titles: columns, rows };
}

function parseObject(line: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(line);
    if (typeof value === "object" && value !== null && !Array.isArray(value))
      return value as Readonly<Record<string, unknown>>;
  } catch {
    // Told by the caller, with the line.
  }
  return undefined;
}

function toCell(value: unknown): string {
  if (value === undefined || value === null) return "";
  return typeof value === "string" ? value : JSON.stringify(value);
}
