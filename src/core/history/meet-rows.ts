/**
 * What a row says that was told before: the same, something else, or, of a payment, more (`SEMANTICS.md` 6.1).
 */
import type { EventValue } from "../events/event.ts";
import type { Label, NewRow } from "./history.ts";

/** A row that is there, with its label spelt out. */
export type KnownRow = {
  readonly atMs: number;
  readonly amountMinor: number;
  readonly label: Label;
  readonly wides: ArrayLike<number>;
};

/** Names of what differs: `type`, `at`, `amount` (its currency too), then attributes by name. */
export function compareRows(known: KnownRow, row: NewRow): readonly string[] {
  const differs = compareHeads(known, row);
  for (const name of namesOf(known.label, row.label)) {
    const wide = readWide(known, name);
    const same =
      known.label.values.get(name) === row.label.values.get(name) && Object.is(wide, readWide(row, name));
    if (!same) differs.push(name);
  }
  return differs;
}

export type MergedRow = {
  /** Names of what both tell, and differently. */
  readonly differs: readonly string[];
  /** What to keep from now on; undefined where the row told nothing new. */
  readonly kept:
    | { readonly amountMinor: number; readonly label: Label; readonly wides: number[] }
    | undefined;
};

/**
 * A payment fact told twice. What was told first stands, what was left out is filled in, and with `amountWins` the new amount is taken, together with
 * what it was converted to.
 */
export function mergeRows(known: KnownRow, row: NewRow, amountWins: boolean): MergedRow {
  const differs = compareHeads(known, row);
  const takesAmount = amountWins && differs.includes("amount");
  const values = new Map<string, EventValue>(known.label.values);
  const wides = new Map<string, number>();
  let isNew = takesAmount;
  for (const name of namesOf(known.label, row.label)) {
    const plain = row.label.values.get(name);
    const before = values.get(name);
    if (before === undefined && plain !== undefined) {
      values.set(name, plain);
      isNew = true;
    }
    const wide = readWide(row, name);
    const wideBefore = readWide(known, name);
    isNew ||= Number.isNaN(wideBefore) && !Number.isNaN(wide);
    wides.set(name, Number.isNaN(wideBefore) || (takesAmount && isConversion(name)) ? wide : wideBefore);
    const plainDiffers = before !== undefined && plain !== undefined && before !== plain;
    if (plainDiffers || (!isConversion(name) && tellApart(wideBefore, wide))) differs.push(name);
  }
  if (!isNew) return { differs, kept: undefined };
  const names = [
    ...known.label.wides,
    ...row.label.wides.filter((name) => !known.label.wides.includes(name)),
  ];
  return {
    differs,
    kept: {
      amountMinor: takesAmount ? row.amountMinor : known.amountMinor,
      label: {
        type: known.label.type,
        currency: takesAmount ? row.label.currency : known.label.currency,
        values,
        wides: names,
      },
      wides: names.map((name) => wides.get(name)!),
    },
  };
}

function compareHeads(known: KnownRow, row: NewRow): string[] {
  const differs: string[] = [];
  if (known.label.type !== row.label.type) differs.push("type");
  if (known.atMs !== row.atMs) differs.push("at");
  if (known.amountMinor !== row.amountMinor || known.label.currency !== row.label.currency)
    differs.push("amount");
  return differs;
}

function namesOf(a: Label, b: Label): readonly string[] {
  return [...new Set([...a.values.keys(), ...b.values.keys(), ...a.wides, ...b.wides])].sort();
}

function readWide(row: { readonly label: Label; readonly wides: ArrayLike<number> }, name: string): number {
  const place = row.label.wides.indexOf(name);
  return place < 0 ? Number.NaN : (row.wides[place] ?? Number.NaN);
}

/** What the amount was converted to and by which rates: it follows the amount. */
function isConversion(name: string): boolean {
  return name === "rates" || name.startsWith("in:");
}

function tellApart(before: number, now: number): boolean {
  return !Number.isNaN(before) && !Number.isNaN(now) && before !== now;
}
