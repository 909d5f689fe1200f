import type { Expr } from "../cel/expr.ts";
import type { EventValue } from "../events/event.ts";
import type { History, Label, Labels } from "../history/history.ts";
import { dayAt, openZone } from "../local-time.ts";
import { convertMinor, type FxRates } from "../money.ts";
import type { AggregateOf } from "./feature.ts";
import {
  buildCondition,
  buildRowFilter,
  type EventFrame,
  type RowFilter,
  type RowView,
} from "./row-filter.ts";
import { findFirstAfter, type Span } from "./windows.ts";

/** What is gathered from a history for one or more aggregates: rows that match, with a value and a hit each. */
export type StreamSpec = {
  readonly events: readonly string[];
  readonly where: Expr | undefined;
  readonly hit: Expr | undefined;
  readonly of: AggregateOf | undefined;
  /** Whether values are only told apart and given back (then `values` holds their places in `interned`), not calculated with. */
  readonly isInterned: boolean;
  readonly includeCurrent: boolean;
  /** Most rows that are wanted: the newest, or the oldest where `isOldest`. */
  readonly most: number;
  readonly isOldest: boolean;
  /** Whether rows without a value are passed over. */
  readonly needsValue: boolean;
};

/** Matching rows, the newest first. Filled again by every gathering. */
export type Gathered = {
  count: number;
  /** Instants in ms since the epoch, descending. */
  at: Float64Array;
  /** What is aggregated; NaN where the event has none, Infinity where an amount has no rate. */
  values: Float64Array;
  /** 1 where `hit` holds. */
  hits: Uint8Array;
};

/** The payment that is being decided, as the row that it would be. */
export type CurrentRow = {
  readonly label: Label;
  readonly amountMinor: number;
  readonly readWide: (place: number) => number;
};

/** From what is gathered: rows `start..last` of the history, and the current payment. */
export type Source = {
  readonly history: History | undefined;
  readonly current: CurrentRow | undefined;
  readonly nowMs: number;
};

export type Stream = {
  readonly spec: StreamSpec;
  /** Gathers rows with `afterMs < at <= throughMs`, down from row `last`. `rows` has room for all of them. */
  readonly gather: (
    rows: Gathered,
    source: Source,
    last: number,
    span: { readonly afterMs: number; readonly throughMs: number },
  ) => void;
  /** What is known of all rows of a label. */
  readonly codeOf: (labels: Labels, label: number) => number;
  /** The value of all rows of a label, where its code has `valueConstant`. */
  readonly constantOf: (label: number) => number;
  readonly interned: readonly EventValue[];
};

/* Codes of labels: whether all rows are hits, then how their value is had, then what each row has to be asked. */
export const codeSkip = 0;
export const hitAll = 1;
export const valueMask = 14;
export const valueNone = 2;
export const valueAmount = 4;
export const valueConstant = 6;
/** From here on rows take more than a look. */
const firstSlow = 8;
export const valueConverted = 8;
const valueWide = 10;
const valueAt = 12;
const valueDay = 14;
export const hitAsk = 16;
export const matchAsk = 32;
const unjudged = 255;

export function createGathered(): Gathered {
  return { count: 0, at: new Float64Array(64), values: new Float64Array(64), hits: new Uint8Array(64) };
}

/** Makes room for so many rows. */
export function reserveGathered(into: Gathered, rows: number): void {
  if (rows <= into.at.length) return;
  const capacity = Math.max(rows, 2 * into.at.length);
  into.at = new Float64Array(capacity);
  into.values = new Float64Array(capacity);
  into.hits = new Uint8Array(capacity);
}

/** Builds a stream; it knows of each label what there is to know once, for as long as it sees the same labels. */
export function createStream(
  spec: StreamSpec,
  { events, fx }: { readonly events: EventFrame; readonly fx: FxRates },
): Stream {
  const filter = buildRowFilter(spec.events, spec.where, events);
  const hit = spec.hit && buildCondition(spec.hit, events);
  const readDay = buildDayReader(spec.of);
  const interned: EventValue[] = [];
  const places = new Map<EventValue, number>();
  const { most, isOldest, needsValue, includeCurrent } = spec;
  const view: RowView = { atMs: 0, amountMinor: 0, row: -1, readWide: readNothing, nowMs: 0 };

  let into = createGathered();
  let known: Labels | undefined;
  let codes = new Uint8Array(0);
  let constants = new Float64Array(0);
  let widePlaces = new Uint8Array(0);

  const describeLabel = (label: Label): { code: number; constant: number; place: number } => {
    const verdict = filter.judgeLabel(label);
    if (verdict === "none") return { code: codeSkip, constant: Number.NaN, place: 0 };
    const value = describeValue(label, spec, { interned, places });
    const hits = hit?.judgeLabel(label) ?? "none";
    let code = value.kind + (verdict === "ask" ? matchAsk : 0);
    if (hits !== "none") code += hits === "ask" ? hitAsk : hitAll;
    return { code, constant: value.constant, place: value.place };
  };
  const openLabels = (labels: Labels): void => {
    if (labels === known && labels.count() <= codes.length) return;
    const size = Math.max(64, 2 * labels.count());
    codes = new Uint8Array(size).fill(unjudged);
    // There may be hundreds of thousands of labels and hundreds of streams: only what this one needs.
    if (spec.of?.kind === "plain") constants = new Float64Array(size);
    if (spec.of?.kind === "wide") widePlaces = new Uint8Array(size);
    known = labels;
  };
  const codeOf = (labels: Labels, id: number): number => {
    openLabels(labels);
    if (codes[id] !== unjudged) return codes[id]!;
    const { code, constant, place } = describeLabel(labels.get(id));
    codes[id] = code;
    constants[id] = constant;
    widePlaces[id] = place;
    return code;
  };
  const readValue = (code: number, label: Label, constant: number, place: number): number => {
    switch (code & valueMask) {
      case valueAmount:
        return view.amountMinor;
      case valueConverted:
        return convertTo(spec.of, fx, label.currency, view.amountMinor);
      case valueConstant:
        return constant;
      case valueWide:
        return view.readWide(view.row, place);
      case valueAt:
        return view.atMs;
      case valueDay:
        return readDay(view.atMs);
      default:
        return Number.NaN;
    }
  };
  /** Takes the row of the view in, if it matches. */
  const takeView = (code: number, label: Label, constant: number, place: number): void => {
    if ((code & matchAsk) !== 0 && !filter.judgeRow(label, view)) return;
    const value = readValue(code, label, constant, place);
    if (needsValue && Number.isNaN(value)) return;
    const isHit =
      (code & hitAll) !== 0 || ((code & hitAsk) !== 0 && (hit as RowFilter).judgeRow(label, view));
    const at = into.count++;
    into.at[at] = view.atMs;
    into.values[at] = value;
    into.hits[at] = isHit ? 1 : 0;
  };
  const gatherCurrent = ({ label, amountMinor, readWide }: CurrentRow, nowMs: number): void => {
    const { code, constant, place } = describeLabel(label);
    if (code === codeSkip) return;
    view.atMs = nowMs;
    view.amountMinor = amountMinor;
    view.row = -1;
    view.readWide = (_row, wide) => readWide(wide);
    takeView(code, label, constant, place);
  };

  /** Takes a row of a history in, if it matches. */
  const takeRow = (history: History, row: number, code: number): void => {
    const id = history.label[row]!;
    view.atMs = history.atMs[row]!;
    view.amountMinor = history.readAmount(row);
    view.row = row;
    view.readWide = history.readWide;
    takeView(code, history.labels.get(id), constants[id]!, widePlaces[id]!);
  };
  const gatherOldest = (history: History, last: number, { afterMs, throughMs }: Span): void => {
    const { atMs, label, labels } = history;
    for (let row = findFirstAfter(history, afterMs); row <= last && into.count < most; row++) {
      if (atMs[row]! > throughMs) return;
      const code = codeOf(labels, label[row]!);
      if (code !== codeSkip) takeRow(history, row, code);
    }
  };
  const gatherNewest = (history: History, last: number, { afterMs, throughMs }: Span): void => {
    const { start, atMs, amount, readAmount, label, labels } = history;
    openLabels(labels);
    // All that the loop reads is at hand: it runs over every row of the window, for every stream.
    const { at: ats, values, hits } = into;
    const [ownCodes, ownConstants] = [codes, constants];
    let n = into.count;
    for (let row = last; row >= start && n < most; row--) {
      const at = atMs[row]!;
      if (at <= afterMs) break;
      const id = label[row]!;
      let code = ownCodes[id]!;
      if (code === codeSkip) continue;
      if (code === unjudged) code = codeOf(labels, id);
      if (code === codeSkip || at > throughMs) continue;
      const kind = code & valueMask;
      // An amount is always there.
      if (code >= firstSlow || (needsValue && kind !== valueAmount)) {
        into.count = n;
        takeRow(history, row, code);
        n = into.count;
        continue;
      }
      ats[n] = at;
      if (kind === valueAmount) {
        const own = amount[row]!;
        values[n] = own >= 0 ? own : readAmount(row);
      } else values[n] = kind === valueConstant ? ownConstants[id]! : Number.NaN;
      hits[n] = code & hitAll;
      n++;
    }
    into.count = n;
  };

  return {
    spec,
    codeOf,
    constantOf: (id) => constants[id]!,
    interned,
    gather: (rows, { history, current, nowMs }, last, span) => {
      into = rows;
      into.count = 0;
      view.nowMs = nowMs;
      const isCurrentIn = includeCurrent && current !== undefined && span.throughMs >= nowMs;
      if (isCurrentIn && !isOldest) gatherCurrent(current, nowMs);
      if (history !== undefined) (isOldest ? gatherOldest : gatherNewest)(history, last, span);
      // Nothing is newer than the payment at hand.
      if (isCurrentIn && isOldest && into.count < most) gatherCurrent(current, nowMs);
    },
  };
}

function readNothing(): number {
  return Number.NaN;
}

type Interning = { readonly interned: EventValue[]; readonly places: Map<EventValue, number> };

/** How the value of a label's rows is had. */
function describeValue(
  label: Label,
  { of, isInterned }: StreamSpec,
  interning: Interning,
): { readonly kind: number; readonly constant: number; readonly place: number } {
  const none = { kind: valueNone, constant: Number.NaN, place: 0 };
  switch (of?.kind) {
    case undefined:
      return none;
    case "amount":
      if (label.currency === "") return none;
      return { ...none, kind: label.currency === of.currency ? valueAmount : valueConverted };
    case "at":
      return { ...none, kind: valueAt };
    case "localDay":
    case "localWeek":
      return { ...none, kind: valueDay };
    case "plain": {
      const value = label.values.get(of.name);
      if (value === undefined) return none;
      if (isInterned) return { ...none, kind: valueConstant, constant: intern(value, interning) };
      return typeof value === "number" ? { ...none, kind: valueConstant, constant: value } : none;
    }
    case "wide": {
      const place = label.wides.indexOf(of.name);
      return place < 0 ? none : { ...none, kind: valueWide, place };
    }
  }
}

function intern(value: EventValue, { interned, places }: Interning): number {
  let place = places.get(value);
  if (place === undefined) {
    place = interned.length;
    interned.push(value);
    places.set(value, place);
  }
  return place;
}

/** Infinity where there is no rate. */
function convertTo(of: AggregateOf | undefined, fx: FxRates, from: string, amountMinor: number): number {
  const to = of?.kind === "amount" ? of.currency : "";
  return convertMinor(fx, { amountMinor, from, to }) ?? Number.POSITIVE_INFINITY;
}

/** Days are counted from 1970-01-01, a Thursday; weeks start on Mondays. */
function buildDayReader(of: AggregateOf | undefined): (atMs: number) => number {
  if (of?.kind !== "localDay" && of?.kind !== "localWeek") return () => Number.NaN;
  const clock = openZone(of.zone);
  if (of.kind === "localDay") return (atMs) => dayAt(atMs, clock);
  return (atMs) => Math.floor((dayAt(atMs, clock) + 3) / 7);
}
