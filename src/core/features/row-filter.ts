import type { SlotSource } from "../cel/environment.ts";
import type { Expr, Frame, MembershipList, Value } from "../cel/expr.ts";
import { listChildren } from "../cel/intern.ts";
import { buildPredicate, createPredicateCache, type PredicateCache } from "../cel/predicate.ts";
import { readReads } from "../cel/reads.ts";
import { type Label, reversedType } from "../history/history.ts";

/** What `where`, `hit` and the like are judged in: one per rule set, used by one judgement at a time. */
export type EventFrame = {
  readonly slots: readonly SlotSource[];
  readonly frame: Frame;
  readonly cache: PredicateCache;
};

/** A row as conditions see it, beside its label. Reused from row to row. */
export type RowView = {
  atMs: number;
  amountMinor: number;
  row: number;
  readWide: (row: number, place: number) => number;
  nowMs: number;
};

/** Of all rows of a label: none match, all match, or each has to be asked. */
export type Verdict = "none" | "all" | "ask";

/** A condition over rows. What is unknown is no match. */
export type RowFilter = {
  readonly judgeLabel: (label: Label) => Verdict;
  readonly judgeRow: (label: Label, view: RowView) => boolean;
};

type SlotRead = { readonly slot: number; readonly name: string };

/** Reads the value of one slot from a row; a constant of the label where the label says it. */
type RowRead = {
  readonly slot: number;
  readonly isOfRow: boolean;
  readonly read: (view: RowView) => Value;
};

export function createEventFrame(slots: readonly SlotSource[], lists: readonly MembershipList[]): EventFrame {
  const frame: Frame = {
    values: new Array<Value>(slots.length).fill(undefined),
    segments: new Uint8Array(0),
    lists,
    locals: [],
    nowMs: 0,
    evalErrors: 0,
  };
  return { slots, frame, cache: createPredicateCache() };
}

/**
 * Builds the filter of rows that have one of these types and for which a condition over event slots holds (all where it is absent).
 *
 * Fails: throws where the condition reads a slot of another kind, which the checker refuses.
 */
export function buildRowFilter(
  types: readonly string[],
  where: Expr | undefined,
  events: EventFrame,
): RowFilter {
  const known = new Set(types);
  known.delete(reversedType);
  if (where === undefined) {
    return { judgeLabel: ({ type }) => (known.has(type) ? "all" : "none"), judgeRow: () => true };
  }
  const condition = buildCondition(where, events);
  return {
    judgeLabel: (label) => (known.has(label.type) ? condition.judgeLabel(label) : "none"),
    judgeRow: condition.judgeRow,
  };
}

/** As `buildRowFilter`, whatever the type. */
export function buildCondition(expr: Expr, { slots, frame, cache }: EventFrame): RowFilter {
  const reads = [...readReads(expr).slots].map((slot) => nameSlot(slot, slots[slot]));
  const predicate = buildPredicate(expr, cache);
  const canSettle = isMonotone(expr);
  const readers = new WeakMap<Label, readonly RowRead[]>();
  const openLabel = (label: Label): readonly RowRead[] => {
    let found = readers.get(label);
    if (found === undefined) {
      found = reads.map((read) => openSlot(read, label));
      readers.set(label, found);
    }
    return found;
  };
  return {
    judgeLabel: (label) => {
      if (!canSettle) return "ask";
      const found = openLabel(label);
      for (const { slot, isOfRow, read } of found) frame.values[slot] = isOfRow ? undefined : read(noRow);
      const truth = predicate(frame);
      // A truth that holds while all that only rows tell is unknown, holds for every row.
      if (truth !== undefined) return truth ? "all" : "none";
      return found.some(({ isOfRow }) => isOfRow) ? "ask" : "none";
    },
    judgeRow: (label, view) => {
      for (const { slot, read } of openLabel(label)) frame.values[slot] = read(view);
      frame.nowMs = view.nowMs;
      return predicate(frame) === true;
    },
  };
}

const noRow: RowView = { atMs: 0, amountMinor: 0, row: -1, readWide: () => Number.NaN, nowMs: 0 };

function nameSlot(slot: number, source: SlotSource | undefined): SlotRead {
  if (source?.kind === "event") return { slot, name: source.name };
  if (source?.kind === "now") return { slot, name: "now" };
  throw new Error(`conditions over events do not read ${source?.kind ?? "nothing"}`);
}

/** Whether a part that becomes known never takes back what is settled, and nothing but slots tells of rows and of now. */
function isMonotone(expr: Expr): boolean {
  if (expr.op === "has" || expr.op === "within" || expr.op === "silent") return false;
  return listChildren(expr).every(isMonotone);
}

function openSlot({ slot, name }: SlotRead, label: Label): RowRead {
  const constant = (value: Value): RowRead => ({ slot, isOfRow: false, read: () => value });
  const ofRow = (read: (view: RowView) => Value): RowRead => ({ slot, isOfRow: true, read });
  switch (name) {
    case "type":
      return constant(label.type);
    case "currency":
      return constant(label.currency === "" ? undefined : label.currency);
    case "at":
      return ofRow(({ atMs }) => atMs);
    case "now":
      return ofRow(({ nowMs }) => nowMs);
    case "amount_minor":
      return label.currency === "" ? constant(undefined) : ofRow(({ amountMinor }) => amountMinor);
  }
  const plain = label.values.get(name);
  if (plain !== undefined) return constant(plain);
  const place = label.wides.indexOf(name);
  if (place < 0) return constant(undefined);
  return ofRow(({ row, readWide }) => {
    const value = readWide(row, place);
    return Number.isNaN(value) ? undefined : value;
  });
}
