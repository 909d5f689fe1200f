import { createExprReader } from "./decode.ts";
import {
  arithmeticOps,
  compareOps,
  type EncodedExprs,
  listTypeBase,
  ops,
  stringOps,
  types,
} from "./encoding.ts";
import type { Expr, ExprType, Predicate, Scalar } from "./expr.ts";
import { createInterner } from "./intern.ts";
import { buildInternedPredicate, createPredicateCache } from "./predicate.ts";

/** Encoded conditions, opened for use. */
export type OpenExprs = {
  /** How many conditions there are. */
  readonly count: number;
  /** The closure of condition `root` (its index at `encodeExprs`); equal parts of all conditions share one closure. */
  readonly predicate: (root: number) => Predicate;
  /** Condition `root` as it was encoded, for explaining; equal parts are one object. */
  readonly expr: (root: number) => Expr;
};

/** The tables that a record's operands point into, while they grow. */
type Pools = {
  readonly number: (value: number) => number;
  readonly text: (value: string) => number;
  readonly finish: () => Pick<EncodedExprs, "numbers" | "text" | "textEnds">;
};

/** Encodes conditions. Strings must be well-formed Unicode (a lone surrogate would come back as U+FFFD). */
export function encodeExprs(exprs: readonly Expr[]): EncodedExprs {
  const { intern } = createInterner();
  const pools = createPools();
  const offsets = new Map<Expr, number>();
  const words: number[] = [];
  const place = (expr: Expr): number => {
    let offset = offsets.get(expr);
    if (offset === undefined) {
      const operands = encodeOperands(expr, place, pools);
      offset = words.length;
      offsets.set(expr, offset);
      words.push(ops.indexOf(expr.op));
      for (const operand of operands) {
        words.push(operand);
      }
    }
    return offset;
  };
  const roots = Int32Array.from(exprs, (expr) => place(intern(expr)));
  return { words: Int32Array.from(words), roots, ...pools.finish() };
}

/** The buffers to transfer with a message that holds the encoded conditions; they are unusable here afterwards. */
export function transferList(encoded: EncodedExprs): ArrayBuffer[] {
  return [
    encoded.words.buffer,
    encoded.numbers.buffer,
    encoded.text.buffer,
    encoded.textEnds.buffer,
    encoded.roots.buffer,
  ];
}

/**
 * Opens encoded conditions. Opening costs nothing; each call for a condition decodes and compiles only what no earlier call needed, so a
 * caller can spread the work over slices of time.
 */
export function openExprs(encoded: EncodedExprs): OpenExprs {
  const read = createExprReader(encoded);
  const cache = createPredicateCache();
  const readRoot = (root: number): Expr => {
    const offset = encoded.roots[root];
    if (offset === undefined) {
      throw new Error(`no condition ${root} among ${encoded.roots.length}`);
    }
    return read(offset);
  };
  return {
    count: encoded.roots.length,
    predicate: (root) => buildInternedPredicate(readRoot(root), cache),
    expr: readRoot,
  };
}

function createPools(): Pools {
  const numbers: number[] = [];
  const numberIndexes = new Map<number, number>();
  const texts: Uint8Array[] = [];
  const textIndexes = new Map<string, number>();
  const encoder = new TextEncoder();
  return {
    number: (value) => {
      if (Object.is(value, -0)) {
        // A map takes -0 for 0, so this rare value is stored anew each time.
        return numbers.push(value) - 1;
      }
      let index = numberIndexes.get(value);
      if (index === undefined) {
        index = numbers.push(value) - 1;
        numberIndexes.set(value, index);
      }
      return index;
    },
    text: (value) => {
      let index = textIndexes.get(value);
      if (index === undefined) {
        index = texts.push(encoder.encode(value)) - 1;
        textIndexes.set(value, index);
      }
      return index;
    },
    finish: () => ({ numbers: Float64Array.from(numbers), ...joinTexts(texts) }),
  };
}

function joinTexts(texts: readonly Uint8Array[]): Pick<EncodedExprs, "text" | "textEnds"> {
  const textEnds = new Int32Array(texts.length);
  let end = 0;
  for (const [index, part] of texts.entries()) {
    end += part.length;
    textEnds[index] = end;
  }
  const text = new Uint8Array(end);
  for (const [index, part] of texts.entries()) {
    text.set(part, textEnds[index]! - part.length);
  }
  return { text, textEnds };
}

function encodeOperands(expr: Expr, place: (part: Expr) => number, pools: Pools): readonly number[] {
  switch (expr.op) {
    case "const":
      return [encodeType(expr.type), encodeScalar(expr.value, pools)];
    case "listConst":
      return [
        encodeType(expr.type.list),
        expr.values.length,
        ...expr.values.map((value) => encodeScalar(value, pools)),
      ];
    case "slot":
      return [encodeType(expr.type), expr.slot];
    case "local":
      return [encodeType(expr.type), expr.depth];
    case "has":
      return [expr.slot];
    case "segment":
      return [expr.segment];
    case "not":
    case "size":
      return [place(expr.arg)];
    case "and":
    case "or":
      return [expr.args.length, ...expr.args.map(place)];
    case "cond":
      return [encodeType(expr.type), place(expr.test), place(expr.then), place(expr.else)];
    case "compare":
      return [compareOps.indexOf(expr.how), place(expr.left), place(expr.right)];
    case "in":
      return [place(expr.left), place(expr.right)];
    case "inList":
      return [place(expr.left), expr.list];
    case "exists":
    case "all":
      return [expr.depth, place(expr.list), place(expr.body)];
    case "arithmetic":
      return [encodeType(expr.type), arithmeticOps.indexOf(expr.how), place(expr.left), place(expr.right)];
    case "negate":
    case "convert":
      return [encodeType(expr.type), place(expr.arg)];
    case "string":
      return [stringOps.indexOf(expr.how), place(expr.left), place(expr.right)];
    case "matches":
      return [place(expr.left), pools.text(expr.pattern)];
    case "within":
    case "silent":
      return [place(expr.at), place(expr.duration)];
    case "localHour":
    case "localWeekday":
      return [place(expr.at), pools.text(expr.zone)];
    case "cidr":
      return [place(expr.ip), pools.text(expr.prefix)];
  }
}

function encodeType(type: ExprType): number {
  return typeof type === "string" ? types.indexOf(type) : listTypeBase + types.indexOf(type.list);
}

function encodeScalar(value: Scalar, pools: Pools): number {
  switch (typeof value) {
    case "boolean":
      return value ? 1 : 0;
    case "string":
      return pools.text(value);
    case "number":
      return pools.number(value);
  }
}
