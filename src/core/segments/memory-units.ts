import type { Expr } from "../cel/expr.ts";
import { readReads } from "../cel/reads.ts";
import type { RuleSnapshot } from "../rules/snapshot.ts";

/** Segments that move together: one with a memory, or the states of a journey in which one has a least stay. */
export type Unit = {
  readonly ordinals: readonly number[];
  readonly isJourney: boolean;
  readonly conditions: readonly Expr[];
  readonly exit: Expr | undefined;
  readonly dwellMinMs: readonly number[];
};

/** All units that have members without a payment, each after those that it reads. */
export function listUnits(
  { segments, lifecycles, segmentExit }: RuleSnapshot,
  conditions: readonly Expr[],
  intern: (expr: Expr) => Expr,
): readonly Unit[] {
  const units: Unit[] = [];
  const inJourney = new Map<number, Unit>();
  for (const { states } of lifecycles) {
    const ordinals = states.map(({ segment }) => segment);
    const dwellMinMs = ordinals.map((ordinal) => segments[ordinal]!.dwellMinMs);
    if (dwellMinMs.every((ms) => ms === 0)) continue;
    const parts = ordinals.map((ordinal) => conditions[ordinal]!);
    const unit: Unit = { ordinals, isJourney: true, conditions: parts, exit: undefined, dwellMinMs };
    for (const ordinal of ordinals) inJourney.set(ordinal, unit);
  }
  const exitOf = (ordinal: number): Expr | undefined => {
    const exit = segmentExit(ordinal);
    return exit && intern(exit);
  };
  const seen = new Set<number>();
  const visit = (ordinal: number): void => {
    if (seen.has(ordinal)) return;
    seen.add(ordinal);
    const { hasMemory, dwellMinMs, needsPayment } = segments[ordinal]!;
    const journey = inJourney.get(ordinal);
    const exit = journey === undefined && hasMemory ? exitOf(ordinal) : undefined;
    for (const expr of [...(journey?.conditions ?? [conditions[ordinal]!]), ...(exit ? [exit] : [])]) {
      for (const read of readReads(expr).segments) visit(read);
    }
    if (needsPayment || !hasMemory) return;
    if (journey === undefined) {
      const condition = conditions[ordinal]!;
      units.push({
        ordinals: [ordinal],
        isJourney: false,
        conditions: [condition],
        exit,
        dwellMinMs: [dwellMinMs],
      });
    } else if (!units.includes(journey)) units.push(journey);
  };
  for (const ordinal of segments.keys()) visit(ordinal);
  return units;
}
