import type { SlotSource } from "../cel/environment.ts";
import type { Expr } from "../cel/expr.ts";
import { quote } from "../cel/faults.ts";
import { readReads } from "../cel/reads.ts";
import type { Purpose } from "../facts.ts";
import { type Declarations, nameSource, purposesOf } from "./environment.ts";

/** What a rule set declares, as far as it says what may be used for what. */
export type ProtectedSource = {
  readonly declarations: Pick<Declarations, "attributes" | "playerAttributes">;
  /** What the conditions of segments read. */
  readonly slots: readonly SlotSource[];
  /** A segment; without its condition where that is faulty. */
  readonly segmentAt: (ordinal: number) => {
    readonly id: string;
    readonly purposes: readonly Purpose[];
    readonly expr: Expr | undefined;
  };
};

export type ProtectedFinder = {
  /** What a condition over these slots reads, itself or through segments; `undefined` where all of it may be used to sell. */
  readonly inCondition: (expr: Expr, slots: readonly SlotSource[]) => string | undefined;
  readonly inSegment: (ordinal: number) => string | undefined;
};

/** Finds what only safer gambling or anti-money-laundering may use (`SEMANTICS.md` 3.9), named for people. Remembers segments. */
export function createProtectedFinder(source: ProtectedSource): ProtectedFinder {
  const known = new Map<number, string | undefined>();
  const inSegment = (ordinal: number): string | undefined => {
    if (known.has(ordinal)) return known.get(ordinal);
    // Set before the search, so that a circle ends.
    known.set(ordinal, undefined);
    const { id, purposes, expr } = source.segmentAt(ordinal);
    const inside = expr && inCondition(expr, source.slots);
    const what = isProtected(purposes)
      ? `the segment ${quote(id)}`
      : inside && `${inside}, read by the segment ${quote(id)}`;
    known.set(ordinal, what);
    return what;
  };
  const inCondition: ProtectedFinder["inCondition"] = (expr, slots) => {
    const reads = readReads(expr);
    for (const slot of reads.slots) {
      const read = slots[slot]!;
      if (isProtected(purposesOf(read, source.declarations))) return nameSource(read);
    }
    for (const ordinal of reads.segments) {
      const what = inSegment(ordinal);
      if (what !== undefined) return what;
    }
    return undefined;
  };
  return { inCondition, inSegment };
}

function isProtected(purposes: readonly Purpose[]): boolean {
  return purposes.length > 0 && purposes.every((purpose) => purpose === "rg" || purpose === "aml");
}
