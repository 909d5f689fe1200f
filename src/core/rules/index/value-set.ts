import type { Scalar } from "../../cel/expr.ts";

/** A place on the number line where membership flips: just before `at`, or just after it. */
export type Cut = { readonly at: number; readonly after: boolean };

/**
 * The values of one variable for which an expression is true.
 *
 * `text` (strings and bools): the values listed, or all others where `negated`. `numbers`: membership left of the first cut is `startIn` and
 * flips at each of the ascending `cuts`; `nan` says it for NaN, which no comparison but `!=` holds for. `flat`: all values of whatever type,
 * or none.
 */
export type ValueSet =
  | { readonly kind: "text"; readonly negated: boolean; readonly values: ReadonlySet<string | boolean> }
  | {
      readonly kind: "numbers";
      readonly startIn: boolean;
      readonly cuts: readonly Cut[];
      readonly nan: boolean;
    }
  | { readonly kind: "flat"; readonly all: boolean };

type NumberSet = Extract<ValueSet, { kind: "numbers" }>;

/** The set of the listed values; undefined where numbers and other values are mixed. */
export function makePoints(values: readonly Scalar[]): ValueSet | undefined {
  if (values.every((value) => typeof value === "number")) {
    const points = [...new Set(values.filter((value) => !Number.isNaN(value)))].sort((a, b) => a - b);
    const cuts = points.flatMap((at) => [
      { at, after: false },
      { at, after: true },
    ]);
    return { kind: "numbers", startIn: false, cuts, nan: false };
  }
  const others = values.filter((value) => typeof value !== "number");
  return others.length === values.length
    ? { kind: "text", negated: false, values: new Set(others) }
    : undefined;
}

/** The numbers on one side of a bound; nothing where the bound is NaN. */
export function makeHalfLine(how: "lt" | "le" | "gt" | "ge", bound: number): ValueSet {
  if (Number.isNaN(bound)) {
    return { kind: "numbers", startIn: false, cuts: [], nan: false };
  }
  const below = how === "lt" || how === "le";
  const after = how === "le" || how === "gt";
  return { kind: "numbers", startIn: below, cuts: [{ at: bound, after }], nan: false };
}

export function complementSet(set: ValueSet): ValueSet {
  switch (set.kind) {
    case "text":
      return { ...set, negated: !set.negated };
    case "numbers":
      return { ...set, startIn: !set.startIn, nan: !set.nan };
    case "flat":
      return { kind: "flat", all: !set.all };
  }
}

/** The values in both sets; undefined where they are of different kinds. */
export function intersectSets(a: ValueSet, b: ValueSet): ValueSet | undefined {
  if (a.kind === "flat") {
    return a.all ? b : a;
  }
  if (b.kind === "flat") {
    return b.all ? a : b;
  }
  if (a.kind === "text" && b.kind === "text") {
    return { kind: "text", ...intersectText(a, b) };
  }
  return a.kind === "numbers" && b.kind === "numbers" ? intersectNumbers(a, b) : undefined;
}

/** The listed values of a finite set (`negated` false) or of a set of all but finitely many; undefined for proper ranges. */
export function listPoints(
  set: ValueSet,
): { readonly negated: boolean; readonly values: readonly Scalar[] } | undefined {
  if (set.kind === "text") {
    return { negated: set.negated, values: [...set.values] };
  }
  if (set.kind === "flat") {
    return { negated: set.all, values: [] };
  }
  // NaN equals nothing, so it is in no finite set and in every other.
  if (set.nan !== set.startIn || set.cuts.length % 2 !== 0) {
    return undefined;
  }
  const values: number[] = [];
  for (let i = 0; i < set.cuts.length; i += 2) {
    const before = set.cuts[i]!;
    const after = set.cuts[i + 1]!;
    if (before.at !== after.at) {
      return undefined;
    }
    values.push(before.at);
  }
  return { negated: set.startIn, values };
}

type TextSet = { readonly negated: boolean; readonly values: ReadonlySet<string | boolean> };

function intersectText(a: TextSet, b: TextSet): TextSet {
  if (a.negated && b.negated) {
    return { negated: true, values: new Set([...a.values, ...b.values]) };
  }
  const listed = a.negated ? b : a;
  const other = a.negated ? a : b;
  const kept = [...listed.values].filter((value) => other.values.has(value) !== other.negated);
  return { negated: false, values: new Set(kept) };
}

function intersectNumbers(a: NumberSet, b: NumberSet): NumberSet {
  const cuts: Cut[] = [];
  let inA = a.startIn;
  let inB = b.startIn;
  let i = 0;
  let j = 0;
  while (i < a.cuts.length || j < b.cuts.length) {
    const nextA = a.cuts[i];
    const nextB = b.cuts[j];
    const order = compareCuts(nextA, nextB);
    const cut = (order <= 0 ? nextA : nextB)!;
    const was = inA && inB;
    if (order <= 0) {
      inA = !inA;
      i++;
    }
    if (order >= 0) {
      inB = !inB;
      j++;
    }
    if ((inA && inB) !== was) {
      cuts.push(cut);
    }
  }
  return { kind: "numbers", startIn: a.startIn && b.startIn, cuts, nan: a.nan && b.nan };
}

function compareCuts(a: Cut | undefined, b: Cut | undefined): number {
  if (a === undefined || b === undefined) {
    return a === undefined ? 1 : -1;
  }
  if (a.at !== b.at) {
    return a.at < b.at ? -1 : 1;
  }
  return Number(a.after) - Number(b.after);
}
