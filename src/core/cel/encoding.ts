/**
 * Conditions as flat buffers, so that a worker thread can hand 10,000 of them over by transfer, and the serving thread can open them one
 * by one.
 *
 * Layout. `words` holds one record per distinct expression: its opcode (index into `ops`), then its operands. An operand is a number as
 * it stands (slot, ordinal, depth, count, index into `types` or an operator table), the offset of a part's record in `words` (parts come
 * before the whole), an index into `numbers`, or an index into the texts. Text i is the UTF-8 in `text` from `textEnds[i - 1]` (0 for the first)
 * up to `textEnds[i]`. `roots[i]` is the offset of expression i. Equal expressions, numbers and texts are stored once.
 *
 *     const         type, value            has        slot               within, silent            at, duration
 *     listConst     type, count, values..  segment    ordinal            localHour, localWeekday   at, text
 *     slot          type, slot             not, size  part               cidr, matches             part, text
 *     local         type, depth            and, or    count, parts..     compare, string           operator, left, right
 *     cond          type, test, then, else in         left, right        arithmetic                type, operator, left, right
 *     negate, convert  type, part          inList     left, ordinal      exists, all               depth, list, body
 *
 * A value is 0 or 1 for a bool, a text's index for a string, else an index into `numbers`. A type is an index into `types`, plus
 * `listTypeBase` for a list of it.
 */
import type { ArithmeticOp, CompareOp, Expr, ScalarType, StringOp } from "./expr.ts";

/** Many conditions in transferable buffers. */
export type EncodedExprs = {
  readonly words: Int32Array<ArrayBuffer>;
  readonly numbers: Float64Array<ArrayBuffer>;
  readonly text: Uint8Array<ArrayBuffer>;
  readonly textEnds: Int32Array<ArrayBuffer>;
  /** By index of the expression given to `encodeExprs`. */
  readonly roots: Int32Array<ArrayBuffer>;
};

/** The scalar types by their code. */
export const types: readonly ScalarType[] = ["bool", "int", "double", "string", "timestamp", "duration"];
/** Added to the code of the element type for a list. */
export const listTypeBase = 8;
/** Operators by their code. */
export const compareOps: readonly CompareOp[] = ["eq", "ne", "lt", "le", "gt", "ge"];
export const arithmeticOps: readonly ArithmeticOp[] = ["add", "sub", "mul", "div", "mod"];
export const stringOps: readonly StringOp[] = ["startsWith", "endsWith", "contains"];
/** Kinds of expression by their opcode. */
export const ops: readonly Expr["op"][] = [
  "const",
  "listConst",
  "slot",
  "local",
  "has",
  "segment",
  "not",
  "and",
  "or",
  "cond",
  "compare",
  "in",
  "inList",
  "exists",
  "all",
  "arithmetic",
  "negate",
  "string",
  "matches",
  "size",
  "convert",
  "within",
  "silent",
  "localHour",
  "localWeekday",
  "cidr",
];
