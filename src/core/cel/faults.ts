import type { ConditionFault } from "./environment.ts";
import type { FaultRule } from "./refusals.ts";

/** Faults told of one condition at most; the rest are dropped, since the first ones are usually the cause. */
const faultsMax = 20;

/** Longest piece of the author's text that a message repeats, in code points. */
const quotedMax = 40;

/** Where the checks of one condition leave what they find. */
export type FaultSink = {
  /** Adds a fault at a UTF-16 offset of the text; one rule is told once per place. Returns undefined, what a failed check yields. */
  readonly add: (offset: number, rule: FaultRule, message: string) => undefined;
  /** The faults so far in order of place, at most 20. */
  readonly list: () => readonly ConditionFault[];
};

/** Makes the sink for the faults of one text. Lines end at LF, CR LF or CR, as in CEL. */
export function createFaultSink(text: string): FaultSink {
  const found = new Map<string, { readonly offset: number; readonly fault: ConditionFault }>();
  return {
    add: (offset, rule, message) => {
      const key = `${offset} ${rule}`;
      if (found.size < faultsMax && !found.has(key)) {
        found.set(key, { offset, fault: { ...locate(text, offset), rule, message } });
      }
    },
    list: () => [...found.values()].sort((a, b) => a.offset - b.offset).map(({ fault }) => fault),
  };
}

function locate(text: string, offset: number): { line: number; column: number } {
  const lines = text.slice(0, offset).split(/\r\n|\r|\n/);
  return { line: lines.length, column: (lines.at(-1)?.length ?? 0) + 1 };
}

/** The author's text as a message shows it: in quotes, control characters escaped, cut to 40 code points. */
export function quote(text: string): string {
  const points = [...text];
  return JSON.stringify(points.length > quotedMax ? `${points.slice(0, quotedMax).join("")}...` : text);
}

/** ` (did you mean "x"?)` for the nearest of the names, where one is near; else nothing. */
export function suggest(name: string, names: Iterable<string>): string {
  const nearest = findNearest(name, names);
  return nearest === undefined ? "" : ` (did you mean ${quote(nearest)}?)`;
}

/** Names that are looked through at most: thousands of faults may each ask. */
const candidatesMax = 256;

/**
 * The name that is the fewest edits away, at most a third of the length; the first in order where several are. Of names of one or two letters, such
 * as codes of countries, any is as near as any other.
 */
export function findNearest(name: string, names: Iterable<string>): string | undefined {
  const candidates = [...names];
  if (name.length < 3 || candidates.length > candidatesMax) return undefined;
  let best: string | undefined;
  let bestDistance = Math.floor(name.length / 3) + 1;
  for (const candidate of candidates.sort()) {
    if (Math.abs(candidate.length - name.length) >= bestDistance) continue;
    const distance = measureEdits(name, candidate);
    if (distance < bestDistance) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best;
}

function measureEdits(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (let i = 1; i <= from.length; i++) {
    const next = [i];
    for (let j = 1; j <= to.length; j++) {
      const change = row[j - 1]! + (from[i - 1] === to[j - 1] ? 0 : 1);
      next.push(Math.min(change, row[j]! + 1, next[j - 1]! + 1));
    }
    row = next;
  }
  return row[to.length]!;
}
