import { countCodePoints } from "./code-points.ts";
import { type BuildPart, type Evaluator, failEvaluation } from "./evaluator.ts";
import type { ArithmeticOp, Expr, Scalar, ScalarType } from "./expr.ts";

/** CEL's timestamps run from year 1 to year 9999. */
const timestampMsMin = -62_135_596_800_000;
const timestampMsMax = 253_402_300_799_999;
/** CEL's durations are 64 bits of nanoseconds, some 292 years either way. */
const durationMsMax = 9_223_372_036_854;

/** A value, or undefined where the operation has none (an evaluation error). */
type Operation = (left: Scalar, right: Scalar) => Scalar | undefined;

/** Compiles a sum, difference, product, quotient or rest. Errors: division of ints by zero, results out of the type's range. */
export function buildArithmetic(expr: Extract<Expr, { op: "arithmetic" }>, build: BuildPart): Evaluator {
  const left = build(expr.left);
  const right = build(expr.right);
  const operate = chooseOperation(expr.how, expr.type);
  return (frame) => {
    const a = left(frame);
    if (a === undefined) {
      return undefined;
    }
    const b = right(frame);
    if (b === undefined) {
      return undefined;
    }
    return operate(a as Scalar, b as Scalar) ?? failEvaluation(frame);
  };
}

function chooseOperation(how: ArithmeticOp, type: ScalarType): Operation {
  if (type === "string") {
    return (left, right) => (left as string) + (right as string);
  }
  const calculate = chooseCalculation(how, type);
  const check = chooseRangeCheck(type);
  return (left, right) => check(calculate(left as number, right as number));
}

function chooseCalculation(how: ArithmeticOp, type: ScalarType): (left: number, right: number) => number {
  switch (how) {
    case "add":
      return (left, right) => left + right;
    case "sub":
      return (left, right) => left - right;
    case "mul":
      return (left, right) => left * right;
    case "div":
      // A quotient of two safe integers never rounds up to the next integer, so the cut is exact.
      return type === "double" ? (left, right) => left / right : (left, right) => Math.trunc(left / right);
    case "mod":
      return (left, right) => left % right;
  }
}

/** Passes a result on where its type can hold it. A division by zero arrives here as an infinity or NaN. */
function chooseRangeCheck(type: ScalarType): (value: number) => number | undefined {
  switch (type) {
    case "double":
      return (value) => value;
    case "int":
      return checkInt;
    case "timestamp":
      return checkTimestamp;
    case "duration":
      return checkDuration;
    case "bool":
    case "string":
      throw new Error(`no arithmetic gives a ${type}`);
  }
}

function checkInt(value: number): number | undefined {
  // Adding 0 makes -0 the one zero that ints have.
  return Number.isSafeInteger(value) ? value + 0 : undefined;
}

function checkTimestamp(value: number): number | undefined {
  return value >= timestampMsMin && value <= timestampMsMax ? value : undefined;
}

function checkDuration(value: number): number | undefined {
  return Math.abs(value) <= durationMsMax ? value + 0 : undefined;
}

/** Compiles unary minus. */
export function buildNegate(expr: Extract<Expr, { op: "negate" }>, build: BuildPart): Evaluator {
  const read = build(expr.arg);
  const isDouble = expr.type === "double";
  return (frame) => {
    const value = read(frame) as number | undefined;
    if (value === undefined) {
      return undefined;
    }
    return isDouble ? -value : 0 - value;
  };
}

/** Compiles `size()`: code points of a string, elements of a list. */
export function buildSize(expr: Extract<Expr, { op: "size" }>, build: BuildPart): Evaluator {
  const read = build(expr.arg);
  if (expr.arg.type === "string") {
    return (frame) => {
      const value = read(frame) as string | undefined;
      return value === undefined ? undefined : countCodePoints(value);
    };
  }
  return (frame) => (read(frame) as readonly Scalar[] | undefined)?.length;
}

/** Compiles `int()`, `double()` and `string()`; a value that does not convert is an evaluation error. */
export function buildConvert(expr: Extract<Expr, { op: "convert" }>, build: BuildPart): Evaluator {
  const read = build(expr.arg);
  const from = expr.arg.type;
  if (typeof from !== "string") {
    throw new Error(`a list does not convert to ${expr.type}`);
  }
  const convert = chooseConversion(from, expr.type);
  return (frame) => {
    const value = read(frame);
    return value === undefined ? undefined : (convert(value as Scalar) ?? failEvaluation(frame));
  };
}

function chooseConversion(
  from: ScalarType,
  to: "int" | "double" | "string",
): (value: Scalar) => Scalar | undefined {
  switch (to) {
    case "int":
      return chooseIntConversion(from);
    case "double":
      return from === "string" ? (value) => readDouble(value as string) : (value) => value;
    case "string":
      return (value) => formatScalar(value, from);
  }
}

/** To int: doubles lose their fraction, instants and durations become whole seconds (as in CEL). */
function chooseIntConversion(from: ScalarType): (value: Scalar) => number | undefined {
  switch (from) {
    case "string":
      return (value) => (/^[+-]?\d{1,20}$/.test(value as string) ? checkInt(Number(value)) : undefined);
    case "timestamp":
      return (value) => Math.floor((value as number) / 1000);
    case "duration":
      return (value) => checkInt(Math.trunc((value as number) / 1000));
    case "int":
    case "double":
      return (value) => checkInt(Math.trunc(value as number));
    case "bool":
      throw new Error("a bool does not convert to int");
  }
}

function readDouble(text: string): number | undefined {
  if (/^[+-]?(\d{1,400}(\.\d{0,400})?|\.\d{1,400})([eE][+-]?\d{1,4})?$/.test(text)) {
    const value = Number(text);
    return Number.isFinite(value) ? value : undefined;
  }
  switch (text) {
    case "NaN":
      return Number.NaN;
    case "Infinity":
    case "+Infinity":
      return Number.POSITIVE_INFINITY;
    case "-Infinity":
      return Number.NEGATIVE_INFINITY;
    default:
      return undefined;
  }
}

/** The text of a value as CEL's `string()` gives it: instants as RFC 3339 in UTC, durations in seconds. */
export function formatScalar(value: Scalar, type: ScalarType): string {
  switch (type) {
    case "timestamp":
      return new Date(value as number).toISOString().replace(".000Z", "Z");
    case "duration":
      return formatDuration(value as number);
    default:
      return String(value);
  }
}

function formatDuration(valueMs: number): string {
  const sign = valueMs < 0 ? "-" : "";
  const ms = Math.abs(valueMs);
  const fraction = ms % 1000 === 0 ? "" : `.${String(ms % 1000).padStart(3, "0")}`;
  return `${sign}${Math.floor(ms / 1000)}${fraction}s`;
}
