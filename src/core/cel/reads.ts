import type { Expr } from "./expr.ts";
import { listChildren } from "./intern.ts";

/** What a condition reads itself. */
export type Reads = {
  readonly slots: ReadonlySet<number>;
  readonly segments: ReadonlySet<number>;
  readonly lists: ReadonlySet<number>;
};

/** Collects the slots, segments and lists that an expression names. */
export function readReads(expr: Expr): Reads {
  const reads = { slots: new Set<number>(), segments: new Set<number>(), lists: new Set<number>() };
  const rest = [expr];
  for (let part = rest.pop(); part !== undefined; part = rest.pop()) {
    if (part.op === "slot" || part.op === "has") reads.slots.add(part.slot);
    else if (part.op === "segment") reads.segments.add(part.segment);
    else if (part.op === "inList") reads.lists.add(part.list);
    rest.push(...listChildren(part));
  }
  return reads;
}
