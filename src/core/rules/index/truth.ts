import type { Frame } from "../../cel/expr.ts";

/** Three-valued truth as a number, as `frame.segments` has it. */
export const FALSE = 0;
export const TRUE = 1;
export const UNKNOWN = 2;

/** Truth of a list test. */
export function lookUp(frame: Frame, slot: number, list: number): number {
  const value = frame.values[slot];
  if (value === undefined) {
    return UNKNOWN;
  }
  return frame.lists[list]!.has(value as string) ? TRUE : FALSE;
}

/** Where counters of calls start again, before they would leave the 32 bits that they are kept in. */
export const CALLS_MAX = 0x7fff_ffff;
