import {
  type CelInput,
  CelScalar,
  type CelType,
  celEnv,
  celFunc,
  isCelError,
  listType,
  objectType,
  parse,
  plan,
} from "@bufbuild/cel";
import { create } from "@bufbuild/protobuf";
import { DurationSchema, TimestampSchema, timestampFromMs } from "@bufbuild/protobuf/wkt";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { arbitraryExpr, arbitraryFrame, slotTypes } from "../../../test/helpers/arbitrary-expr.ts";
import type { Expr, ExprType, Frame, Value } from "./expr.ts";
import { formatExpr } from "./format.ts";
import { listChildren } from "./intern.ts";
import { buildPredicate } from "./predicate.ts";

const names = {
  slot: (slot: number) => `s${slot}`,
  segment: (segment: number) => `segment-${segment}`,
  list: (list: number) => `list-${list}`,
};

const celTypes = {
  bool: CelScalar.BOOL,
  int: CelScalar.INT,
  double: CelScalar.DOUBLE,
  string: CelScalar.STRING,
  timestamp: objectType(TimestampSchema),
  duration: objectType(DurationSchema),
};

const samples: { readonly [name: string]: Value } = {
  bool: true,
  int: 1,
  double: 2.5,
  string: "A",
  timestamp: 0,
  duration: 1,
};

describe("formatExpr", () => {
  it("writes CEL that cel-es evaluates to the same truth", () => {
    fc.assert(
      fc.property(
        arbitraryExpr("bool", 3).filter(isPlainCel),
        arbitraryFrame.map(fillFrame),
        (expr, frame) => {
          const truth = buildPredicate(expr)(frame);
          const text = formatExpr(expr, names);
          const answer = evaluateText(text, frame);
          // Ours is narrower (ints to 2^53), so where it gives an error, cel-es may know an answer.
          if (truth !== undefined) {
            expect(answer, text).toBe(truth);
          }
        },
      ),
      { numRuns: 2_000 },
    );
  });

  const amount: Expr = { op: "slot", type: "int", slot: 2 };
  const two: Expr = { op: "const", type: "int", value: 2 };
  const vip: Expr = { op: "segment", type: "bool", segment: 1 };
  const known: Expr = { op: "has", type: "bool", slot: 0 };
  const at: Expr = { op: "slot", type: "timestamp", slot: 6 };
  const text: Expr = { op: "slot", type: "string", slot: 0 };
  const either: Expr = { op: "or", type: "bool", args: [vip, known] };
  const sum = (how: "add" | "sub", left: Expr, right: Expr): Expr => ({
    op: "arithmetic",
    type: "int",
    how,
    left,
    right,
  });
  const duration = (value: number): Expr => ({ op: "const", type: "duration", value });
  it.each<[string, Expr]>([
    [`has(s0)`, known],
    [`segment("segment-1") || has(s0)`, either],
    [`(segment("segment-1") || has(s0)) && has(s0)`, { op: "and", type: "bool", args: [either, known] }],
    [`!segment("segment-1")`, { op: "not", type: "bool", arg: vip }],
    [`!(segment("segment-1") || has(s0))`, { op: "not", type: "bool", arg: either }],
    [`s2 - 2 - s2`, sum("sub", sum("sub", amount, two), amount)],
    [`s2 - (2 + s2)`, sum("sub", amount, sum("add", two, amount))],
    [
      `(s2 + 2) * s2`,
      { op: "arithmetic", type: "int", how: "mul", left: sum("add", amount, two), right: amount },
    ],
    [`-(-2)`, { op: "negate", type: "int", arg: { op: "const", type: "int", value: -2 } }],
    [`within(s6, duration("72h"))`, { op: "within", type: "bool", at, duration: duration(259_200_000) }],
    [`silent(s6, duration("90m"))`, { op: "silent", type: "bool", at, duration: duration(5_400_000) }],
    [`silent(s6, duration("0s"))`, { op: "silent", type: "bool", at, duration: duration(0) }],
    [`local_hour(s6, "Europe/Paris")`, { op: "localHour", type: "int", at, zone: "Europe/Paris" }],
    [`local_weekday(s6, "UTC")`, { op: "localWeekday", type: "int", at, zone: "UTC" }],
    [`in_list(s0, "list-1")`, { op: "inList", type: "bool", left: text, list: 1 }],
    [`cidr(s0, "10.0.0.0/8")`, { op: "cidr", type: "bool", ip: text, prefix: "10.0.0.0/8" }],
    [`s0.matches("^\\\\d\\"$")`, { op: "matches", type: "bool", left: text, pattern: '^\\d"$' }],
    [`timestamp("1970-01-01T00:00:01Z")`, { op: "const", type: "timestamp", value: 1000 }],
    [`double("NaN")`, { op: "const", type: "double", value: Number.NaN }],
    [`-0.0`, { op: "const", type: "double", value: -0 }],
    [`3.0`, { op: "const", type: "double", value: 3 }],
  ])("writes %s", (want, expr) => {
    expect(formatExpr(expr, names)).toBe(want);
  });
});

/**
 * Whether cel-es has all that the condition uses, with the meaning that CEL gives it: it converts odd texts to numbers, has no minus for
 * durations, and orders strings by UTF-16 unit.
 */
function isPlainCel(expr: Expr): boolean {
  const ours = ["has", "inList", "cidr", "within", "silent", "localHour", "localWeekday"];
  const isOdd =
    (expr.op === "convert" && expr.type !== "string" && expr.arg.type === "string") ||
    (expr.op === "negate" && expr.type === "duration") ||
    (expr.op === "compare" && expr.left.type === "string" && expr.how !== "eq" && expr.how !== "ne");
  return !isOdd && !ours.includes(expr.op) && listChildren(expr).every(isPlainCel);
}

/** A frame without anything unknown. */
function fillFrame(frame: Frame): Frame {
  const values = slotTypes.map(
    (type, slot) => frame.values[slot] ?? (typeof type === "string" ? samples[type] : []),
  );
  return { ...frame, values, segments: frame.segments.map((state) => state % 2) };
}

type VariableTypes = { readonly [name: string]: CelType };

function evaluateText(text: string, frame: Frame): unknown {
  const variables: VariableTypes = Object.fromEntries(
    slotTypes.map((type, slot) => [
      `s${slot}`,
      typeof type === "string" ? celTypes[type] : listType(celTypes[type.list]),
    ]),
  );
  const segment = celFunc(
    "segment",
    [CelScalar.STRING],
    CelScalar.BOOL,
    (id) => frame.segments[Number(id.slice(8))] === 1,
  );
  const bindings = Object.fromEntries(
    slotTypes.map((type, slot) => [`s${slot}`, bind(type, frame.values[slot])]),
  );
  const evaluate = plan(celEnv<VariableTypes>({ variables, funcs: [segment] }), parse(text));
  const result = evaluate(bindings);
  return isCelError(result) ? undefined : result;
}

function bind(type: ExprType, value: Value): CelInput {
  if (typeof type !== "string") {
    return (value as readonly Value[]).map((element) => bind(type.list, element)) as CelInput;
  }
  switch (type) {
    case "int":
      return BigInt(value as number);
    case "timestamp":
      return timestampFromMs(value as number);
    case "duration": {
      const ms = value as number;
      return create(DurationSchema, { seconds: BigInt(Math.trunc(ms / 1000)), nanos: (ms % 1000) * 1e6 });
    }
    default:
      return value as CelInput;
  }
}
