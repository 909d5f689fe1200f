import { BlockList, isIP } from "node:net";
import fc from "fast-check";
import { expect, it } from "vitest";
import { arbitraryExpr, arbitraryFrame } from "../../../test/helpers/arbitrary-expr.ts";
import type { CompareOp, Expr, Frame, Scalar, ScalarType, Value } from "./expr.ts";
import { buildPredicate, createPredicateCache } from "./predicate.ts";

/** One random condition in one random frame. */
const runs = 20_000;

it("judges as a plain recursive evaluator does, errors counted alike", () => {
  const cache = createPredicateCache();
  fc.assert(
    fc.property(arbitraryExpr("bool", 3), arbitraryFrame, (expr, frame) => {
      const wanted = { ...frame, locals: [], evalErrors: 0 };
      const want = evaluate(expr, wanted);
      frame.evalErrors = 0;
      expect(buildPredicate(expr, cache)(frame)).toBe(want);
      expect(frame.evalErrors).toBe(wanted.evalErrors);
    }),
    { numRuns: runs },
  );
});

/** The meaning of the typed form, written as plainly as possible and slow: ints as bigint, text as lists of code points. */
function evaluate(expr: Expr, frame: Frame): Value {
  switch (expr.op) {
    case "const":
      return expr.value;
    case "listConst":
      return expr.values;
    case "slot":
      return frame.values[expr.slot];
    case "local":
      return frame.locals[expr.depth];
    case "has":
      return frame.values[expr.slot] !== undefined;
    case "segment":
      return [false, true, undefined][frame.segments[expr.segment]!];
    case "not":
      return negateTruth(evaluate(expr.arg, frame));
    case "and":
      return conjoin(expr.args.map((arg) => () => evaluate(arg, frame)));
    case "or":
      return negateTruth(conjoin(expr.args.map((arg) => () => negateTruth(evaluate(arg, frame)))));
    case "all":
      return conjoin(eachElement(expr, frame));
    case "exists":
      return negateTruth(conjoin(eachElement(expr, frame).map((judge) => () => negateTruth(judge()))));
    case "cond": {
      const test = evaluate(expr.test, frame);
      return test === undefined ? undefined : evaluate(test ? expr.then : expr.else, frame);
    }
    default:
      return applyToKnown(expr, frame);
  }
}

function negateTruth(truth: Value): Value {
  return truth === undefined ? undefined : !truth;
}

function conjoin(judges: readonly (() => Value)[]): Value {
  const truths: Value[] = [];
  for (const judge of judges) {
    truths.push(judge());
    if (truths.at(-1) === false) {
      return false;
    }
  }
  return truths.includes(undefined) ? undefined : true;
}

function eachElement(expr: Extract<Expr, { op: "exists" | "all" }>, frame: Frame): (() => Value)[] {
  const list = evaluate(expr.list, frame) as readonly Scalar[] | undefined;
  if (list === undefined) {
    return [() => undefined];
  }
  return list.map((element) => () => {
    frame.locals[expr.depth] = element;
    return evaluate(expr.body, frame);
  });
}

type Strict = Exclude<
  Expr,
  {
    op:
      | "const"
      | "listConst"
      | "slot"
      | "local"
      | "has"
      | "segment"
      | "not"
      | "and"
      | "or"
      | "all"
      | "exists"
      | "cond";
  }
>;

/** Operations that are unknown where any part is. */
function applyToKnown(expr: Strict, frame: Frame): Value {
  const values: Value[] = [];
  for (const part of partsOf(expr)) {
    const value = evaluate(part, frame);
    if (value === undefined) {
      return undefined;
    }
    values.push(value);
  }
  const result = apply(expr, values as (Scalar | readonly Scalar[])[], frame);
  if (result === undefined) {
    frame.evalErrors++;
  }
  return result;
}

function partsOf(expr: Strict): Expr[] {
  switch (expr.op) {
    case "compare":
    case "in":
    case "arithmetic":
    case "string":
      return [expr.left, expr.right];
    case "inList":
    case "matches":
      return [expr.left];
    case "negate":
    case "size":
    case "convert":
      return [expr.arg];
    case "within":
    case "silent":
      return [expr.at, expr.duration];
    case "localHour":
    case "localWeekday":
      return [expr.at];
    case "cidr":
      return [expr.ip];
  }
}

function apply(expr: Strict, [left, right]: readonly (Scalar | readonly Scalar[])[], frame: Frame): Value {
  switch (expr.op) {
    case "compare":
      return compare(expr.how, left!, right!);
    case "in":
      return (right as readonly Scalar[]).some((element) => element === left);
    case "arithmetic":
      return calculate(expr, left as never, right as never);
    case "string":
      return (left as string)[
        ({ startsWith: "startsWith", endsWith: "endsWith", contains: "includes" } as const)[expr.how]
      ](right as string);
    case "inList":
      return frame.lists[expr.list]!.has(left as string);
    case "matches":
      return new RegExp(expr.pattern, "u").test(left as string);
    case "negate":
      return expr.type === "double" ? -(left as number) : Number(-BigInt(left as number));
    case "size":
      return [...(left as string | readonly Scalar[])].length;
    case "convert":
      return convert(left as Scalar, expr.arg.type as ScalarType, expr.type);
    case "within":
      return frame.nowMs - (right as number) < (left as number) && (left as number) <= frame.nowMs;
    case "silent":
      return frame.nowMs - (left as number) >= (right as number);
    case "localHour":
      return Temporal.Instant.fromEpochMilliseconds(left as number).toZonedDateTimeISO(expr.zone).hour;
    case "localWeekday":
      return Temporal.Instant.fromEpochMilliseconds(left as number).toZonedDateTimeISO(expr.zone).dayOfWeek;
    case "cidr":
      return isIn(expr.prefix, left as string);
  }
}

function compare(how: CompareOp, left: Scalar | readonly Scalar[], right: Scalar | readonly Scalar[]): Value {
  if (Array.isArray(left) && Array.isArray(right)) {
    const same = left.length === right.length && left.every((element, index) => element === right[index]);
    return same === (how === "eq");
  }
  const [a, b] = typeof left === "string" ? order(left, right as string) : [left as number, right as number];
  return { eq: a === b, ne: a !== b, lt: a < b, le: a <= b, gt: a > b, ge: a >= b }[how];
}

/** Two numbers that stand in the order of two texts. */
function order(left: string, right: string): [number, number] {
  const a = [...left].map((letter) => letter.codePointAt(0)!);
  const b = [...right].map((letter) => letter.codePointAt(0)!);
  const at = a.findIndex((point, index) => point !== b[index]);
  return at < 0 ? [a.length, b.length] : [a[at]!, b[at] ?? -1];
}

function calculate(expr: Extract<Expr, { op: "arithmetic" }>, left: never, right: never): Value {
  if (expr.type === "string") {
    return `${left}${right}`;
  }
  if (expr.type === "double") {
    return { add: left + right, sub: left - right, mul: left * right, div: left / right, mod: 0 }[expr.how];
  }
  const [a, b] = [BigInt(left), BigInt(right)];
  if ((expr.how === "div" || expr.how === "mod") && b === 0n) {
    return undefined;
  }
  const exact = { add: () => a + b, sub: () => a - b, mul: () => a * b, div: () => a / b, mod: () => a % b }[
    expr.how
  ]();
  const [min, max] = {
    int: [-(2n ** 53n) + 1n, 2n ** 53n - 1n],
    timestamp: [-62_135_596_800_000n, 253_402_300_799_999n],
    duration: [-9_223_372_036_854n, 9_223_372_036_854n],
    bool: [0n, 0n],
  }[expr.type] as [bigint, bigint];
  return exact >= min && exact <= max ? Number(exact) : undefined;
}

function convert(value: Scalar, from: ScalarType, to: "int" | "double" | "string"): Value {
  if (to === "string") {
    if (from === "timestamp") {
      return Temporal.Instant.fromEpochMilliseconds(value as number).toString({
        fractionalSecondDigits: (value as number) % 1000 === 0 ? 0 : 3,
      });
    }
    return from === "duration"
      ? `${((value as number) / 1000).toFixed(3)}s`.replace(".000s", "s")
      : `${value}`;
  }
  if (to === "double") {
    return from === "string" ? readDouble(value as string) : Number(value);
  }
  switch (from) {
    case "timestamp":
      return Math.floor((value as number) / 1000);
    case "duration":
      return Number(BigInt(value as number) / 1000n);
    case "string":
      return /^-?\d+$/.test(value as string) ? convert(Number(value), "double", "int") : undefined;
    default: {
      const whole = Math.trunc(value as number);
      return Math.abs(whole) < 2 ** 53 ? whole : undefined;
    }
  }
}

function readDouble(text: string): number | undefined {
  if (/^(NaN|-?Infinity)$/.test(text)) {
    return Number(text);
  }
  const value = Number(text.trim() === "" ? "none" : text);
  return Number.isFinite(value) ? value : undefined;
}

function isIn(prefix: string, text: string): boolean | undefined {
  const family = isIP(text);
  if (family === 0) {
    return undefined;
  }
  const [address, length] = prefix.split("/") as [string, string];
  const network = new BlockList();
  network.addSubnet(address, Number(length), isIP(address) === 4 ? "ipv4" : "ipv6");
  return network.check(text, family === 4 ? "ipv4" : "ipv6");
}
