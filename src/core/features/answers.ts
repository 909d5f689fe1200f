import type { EventValue } from "../events/event.ts";
import { hashWide } from "../history/hash-wide.ts";
import type { History, Label } from "../history/history.ts";
import type { AggregateSpec } from "./feature.ts";
import { createLabelCodes } from "./label-codes.ts";
import { buildCondition, buildRowFilter, type EventFrame, type RowView } from "./row-filter.ts";
import type { CurrentRow, Source } from "./stream.ts";
import type { Span } from "./windows.ts";

const eventAll = 1;
const eventAsk = 2;
const answerAll = 4;
const answerAsk = 8;

/** How many events of the span were answered, or were not. */
export type CountAnswered = (source: Source, last: number, span: Span) => number;

/** The nearest answers that come after where the backward pass stands. */
type Nearest = {
  /** Instant of the nearest. */
  atMs: number;
  /** How many there are at that instant. */
  count: number;
  /** Instant of the nearest after these. */
  laterMs: number;
};

/**
 * Builds FOLLOWED and UNANSWERED: an answer comes at the event's instant or later, but before `answerWithinMs` has passed, and is not the event
 * itself. UNANSWERED leaves out events for which the time has not passed yet.
 *
 * Source: the comments of `Aggregate` in `rule_set.proto`.
 */
export function buildCountAnswered(spec: AggregateSpec, events: EventFrame): CountAnswered {
  const { answerKey, answerWithinMs, includeCurrent } = spec;
  const wantsAnswer = spec.function === "FOLLOWED";
  const filter = buildRowFilter(spec.events, spec.where, events);
  const answers = new Set(spec.answers);
  const hit = wantsAnswer && spec.hit !== undefined ? buildCondition(spec.hit, events) : undefined;

  const judge = (label: Label): number => {
    const event = filter.judgeLabel(label);
    const answer = !answers.has(label.type) ? "none" : (hit?.judgeLabel(label) ?? "all");
    const ofEvent = event === "all" ? eventAll : event === "ask" ? eventAsk : 0;
    return ofEvent + (answer === "all" ? answerAll : answer === "ask" ? answerAsk : 0);
  };
  const codes = createLabelCodes(judge);
  const keys = createKeyReader(answerKey);
  const view: RowView = { atMs: 0, amountMinor: 0, row: -1, readWide: readNothing, nowMs: 0 };
  const isEvent = (code: number, label: Label): boolean =>
    (code & eventAll) !== 0 || ((code & eventAsk) !== 0 && filter.judgeRow(label, view));
  const isAnswer = (code: number, label: Label): boolean =>
    (code & answerAll) !== 0 || ((code & answerAsk) !== 0 && hit!.judgeRow(label, view));

  return ({ history, current, nowMs }, last, { afterMs, throughMs }) => {
    const nearest = new Map<number, Nearest>();
    view.nowMs = nowMs;
    let count = 0;
    const judgeEvent = (atMs: number, key: number, answersItself: boolean): void => {
      if (atMs <= afterMs || atMs > throughMs || (!wantsAnswer && nowMs - atMs < answerWithinMs)) return;
      const isAnswered = findNearest(nearest, key, atMs, answersItself) - atMs < answerWithinMs;
      if (isAnswered === wantsAnswer) count++;
    };
    // The payment at hand can follow and answer; nothing has followed it yet.
    if (includeCurrent && current !== undefined) {
      const { label, readWide } = current;
      view.atMs = nowMs;
      view.amountMinor = current.amountMinor;
      view.row = -1;
      view.readWide = (_row, place) => readWide(place);
      if (isAnswer(judge(label), label)) noteAnswer(nearest, keys.ofCurrent(current), nowMs);
    }
    if (history === undefined) return count;
    const { start, atMs, readAmount, label, labels, readWide } = history;
    const look = (row: number): Label => {
      view.atMs = atMs[row]!;
      view.amountMinor = readAmount(row);
      view.row = row;
      view.readWide = readWide;
      return labels.get(label[row]!);
    };
    for (let row = last; row >= start; ) {
      const groupMs = atMs[row]!;
      if (groupMs <= afterMs) break;
      let first = row;
      while (first > start && atMs[first - 1] === groupMs) first--;
      for (let at = row; at >= first; at--) {
        const code = codes.of(labels, label[at]!);
        if (code < answerAll) continue;
        const found = look(at);
        if (isAnswer(code, found)) noteAnswer(nearest, keys.ofRow(history, at), groupMs);
      }
      for (let at = row; at >= first; at--) {
        const code = codes.of(labels, label[at]!);
        if ((code & (eventAll | eventAsk)) === 0) continue;
        const found = look(at);
        if (isEvent(code, found)) judgeEvent(groupMs, keys.ofRow(history, at), isAnswer(code, found));
      }
      row = first - 1;
    }
    return count;
  };
}

function readNothing(): number {
  return Number.NaN;
}

function noteAnswer(nearest: Map<number, Nearest>, key: number, atMs: number): void {
  const found = nearest.get(key);
  if (found === undefined) nearest.set(key, { atMs, count: 1, laterMs: Number.POSITIVE_INFINITY });
  else if (found.atMs === atMs) found.count++;
  else {
    found.laterMs = found.atMs;
    found.atMs = atMs;
    found.count = 1;
  }
}

/** Instant of the nearest answer that is not the event itself; Infinity where there is none. */
function findNearest(
  nearest: ReadonlyMap<number, Nearest>,
  key: number,
  atMs: number,
  answersItself: boolean,
): number {
  const found = nearest.get(key);
  if (found === undefined || Number.isNaN(key)) return Number.POSITIVE_INFINITY;
  const isOnlyItself = answersItself && found.atMs === atMs && found.count === 1;
  return isOnlyItself ? found.laterMs : found.atMs;
}

type KeyReader = {
  /** NaN where the event has no value: nothing answers it. */
  readonly ofRow: (history: History, row: number) => number;
  readonly ofCurrent: (current: CurrentRow) => number;
};

/** Reads what event and answer share as a number, so that a text is the same in a plain and in a wide place. */
function createKeyReader(name: string): KeyReader {
  if (name === "") return { ofRow: () => 0, ofCurrent: () => 0 };
  const plains = new WeakMap<Label, number>();
  const ofLabel = (label: Label): number => {
    let key = plains.get(label);
    if (key === undefined) {
      key = readKey(label.values.get(name));
      plains.set(label, key);
    }
    return key;
  };
  return {
    ofCurrent: ({ label, readWide }) => {
      const place = label.wides.indexOf(name);
      return place < 0 ? ofLabel(label) : readWide(place);
    },
    ofRow: ({ label, labels, readWide }, row) => {
      const found = labels.get(label[row]!);
      const place = found.wides.indexOf(name);
      return place < 0 ? ofLabel(found) : readWide(row, place);
    },
  };
}

function readKey(value: EventValue | undefined): number {
  if (value === undefined) return Number.NaN;
  return typeof value === "string" ? hashWide(value) : Number(value);
}
