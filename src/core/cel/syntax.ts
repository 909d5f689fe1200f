import type { Expr as CelExpr, ParsedExpr } from "@bufbuild/cel-spec/cel/expr/syntax_pb.js";
import type { Scalar } from "./expr.ts";
import type { FaultSink } from "./faults.ts";
import { refusals } from "./refusals.ts";

/** Most nodes of one condition's syntax tree. */
const nodesMax = 2000;

/** Most elements of one list literal. */
const listMax = 1000;

/** Deepest syntax tree: operators in a row, such as a + b + c, nest without any bracket. */
const depthMax = 128;

/**
 * The syntax tree of a condition, macros recognised. `offset` is where faults about the node are shown, in UTF-16 units: the start of
 * what it is about, for operators the operator.
 */
export type Node =
  | {
      readonly kind: "literal";
      readonly offset: number;
      readonly type: "bool" | "int" | "double" | "string";
      readonly value: Scalar;
    }
  | { readonly kind: "name"; readonly offset: number; readonly name: string }
  | { readonly kind: "member"; readonly offset: number; readonly of: Node; readonly name: string }
  /** `has(of.name)`. */
  | { readonly kind: "has"; readonly offset: number; readonly of: Node; readonly name: string }
  /** A function, a method (with target), or an operator under CEL's name for it, such as `_&&_`. */
  | {
      readonly kind: "call";
      readonly offset: number;
      readonly name: string;
      readonly target: Node | undefined;
      readonly args: readonly Node[];
    }
  | { readonly kind: "list"; readonly offset: number; readonly items: readonly Node[] }
  /** `range.exists(item, body)` and `range.all(item, body)`. */
  | {
      readonly kind: "quantifier";
      readonly offset: number;
      readonly how: "exists" | "all";
      readonly item: string;
      readonly range: Node;
      readonly body: Node;
    };

/**
 * Turns the parser's tree of a text into ours, refusing what the language of conditions leaves out.
 *
 * Fails: undefined with faults in the sink; every refused piece has its own, a limit of size has one.
 */
export function readSyntax(text: string, parsed: ParsedExpr, faults: FaultSink): Node | undefined {
  return parsed.expr && new SyntaxReader(text, parsed, faults).read(parsed.expr, 1);
}

class SyntaxReader {
  private readonly text: string;
  private readonly parsed: ParsedExpr;
  private readonly faults: FaultSink;
  private nodes = 0;
  private isOverLimit = false;

  constructor(text: string, parsed: ParsedExpr, faults: FaultSink) {
    this.text = text;
    this.parsed = parsed;
    this.faults = faults;
  }

  read(expr: CelExpr, depth: number): Node | undefined {
    const offset = this.offsetOf(expr);
    if (this.isOverLimit) return undefined;
    if (++this.nodes > nodesMax) {
      this.isOverLimit = true;
      return this.faults.add(offset, "too-many-nodes", `a condition has at most ${nodesMax} parts`);
    }
    if (depth > depthMax) {
      this.isOverLimit = true;
      const advice = "use a list, or && and ||";
      return this.faults.add(
        offset,
        "nesting-too-deep",
        `operators chain at most ${depthMax} deep: ${advice}`,
      );
    }
    const kind = expr.exprKind;
    switch (kind.case) {
      case "constExpr":
        return this.readLiteral(kind.value.constantKind, offset);
      case "identExpr":
        return { kind: "name", offset, name: kind.value.name };
      case "selectExpr": {
        const of = kind.value.operand && this.read(kind.value.operand, depth + 1);
        if (of === undefined) return undefined;
        const name = kind.value.field;
        return kind.value.testOnly
          ? { kind: "has", offset, of, name }
          : { kind: "member", offset: of.offset, of, name };
      }
      case "callExpr":
        return this.readCall(kind.value, offset, depth);
      case "listExpr": {
        if (kind.value.elements.length > listMax) {
          return this.faults.add(
            offset,
            "list-too-long",
            `a list has at most ${listMax} elements: declare it under lists`,
          );
        }
        const items = this.readAll(kind.value.elements, depth);
        return items && { kind: "list", offset, items };
      }
      case "comprehensionExpr":
        return this.readMacro(expr, offset, depth);
      case "structExpr":
        return this.refuse(offset, kind.value.messageName === "" ? "no-map" : "no-message");
      default:
        return this.faults.add(offset, "syntax", "this is no expression");
    }
  }

  private readAll(exprs: readonly CelExpr[], depth: number): readonly Node[] | undefined {
    const nodes = exprs.map((expr) => this.read(expr, depth + 1));
    return nodes.every((node) => node !== undefined) ? nodes : undefined;
  }

  private readCall(
    call: {
      readonly function: string;
      readonly target?: CelExpr | undefined;
      readonly args: readonly CelExpr[];
    },
    offset: number,
    depth: number,
  ): Node | undefined {
    const target = call.target && this.read(call.target, depth + 1);
    const args = this.readAll(call.args, depth);
    if (args === undefined || (call.target !== undefined && target === undefined)) return undefined;
    return { kind: "call", offset: target?.offset ?? offset, name: call.function, target, args };
  }

  /** The parser expands macros but keeps what was written, which says more than the shape of the expansion. */
  private readMacro(expr: CelExpr, offset: number, depth: number): Node | undefined {
    const written = this.parsed.sourceInfo?.macroCalls[expr.id.toString()]?.exprKind;
    const kind = expr.exprKind;
    if (kind.case !== "comprehensionExpr" || written?.case !== "callExpr")
      return this.refuse(offset, "no-macro");
    const how = written.value.function;
    const step = kind.value.loopStep?.exprKind;
    if ((how !== "exists" && how !== "all") || step?.case !== "callExpr")
      return this.refuse(offset, "no-macro");
    const [, bodyExpr] = step.value.args;
    const range = kind.value.iterRange && this.read(kind.value.iterRange, depth + 1);
    const body = bodyExpr && this.read(bodyExpr, depth + 1);
    if (range === undefined || body === undefined) return undefined;
    return { kind: "quantifier", offset: range.offset, how, item: kind.value.iterVar, range, body };
  }

  private readLiteral(
    constant: { readonly case: string | undefined; readonly value?: unknown },
    offset: number,
  ): Node | undefined {
    const { value } = constant;
    switch (typeof value) {
      case "boolean":
        return { kind: "literal", offset, type: "bool", value };
      case "string":
        return { kind: "literal", offset, type: "string", value };
      case "bigint":
        if (constant.case === "uint64Value") return this.refuse(offset, "no-uint");
        if (!Number.isSafeInteger(Number(value))) return this.refuse(offset, "int-not-exact");
        return { kind: "literal", offset, type: "int", value: Number(value) };
      case "number":
        if (constant.case === "nullValue") return this.refuse(offset, "no-null");
        if (!Number.isFinite(value)) return this.refuse(offset, "no-infinity");
        return { kind: "literal", offset, type: "double", value };
      default:
        return this.refuse(offset, "no-bytes");
    }
  }

  private refuse(offset: number, rule: keyof typeof refusals): undefined {
    return this.faults.add(offset, rule, refusals[rule]);
  }

  /** The parser places an operator at the blanks before it. */
  private offsetOf(expr: CelExpr): number {
    const offset = this.parsed.sourceInfo?.positions[expr.id.toString()] ?? 0;
    return offset + (/^\s*/.exec(this.text.slice(offset))?.[0].length ?? 0);
  }
}
