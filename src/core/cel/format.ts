import { formatScalar } from "./build-value.ts";
import type { ArithmeticOp, CompareOp, Expr, Scalar, ScalarType } from "./expr.ts";

/** What the ordinals of a condition are called in its text. */
export type ConditionNames = {
  /** The path of a slot, such as `payment.currency`, or the call that fills it, such as `payment.amount_in("EUR")`. */
  readonly slot: (slot: number) => string;
  /** The id of a segment. */
  readonly segment: (segment: number) => string;
  /** The id of a list. */
  readonly list: (list: number) => string;
};

/** How tightly an expression's outermost operator binds, in CEL's grammar. */
type Binding = 0 | 1 | 2 | 3 | 4 | 5 | 6 | 7;
const [
  condBinding,
  orBinding,
  andBinding,
  relationBinding,
  sumBinding,
  productBinding,
  unaryBinding,
  memberBinding,
] = [0, 1, 2, 3, 4, 5, 6, 7] as const;

type Formatted = { readonly text: string; readonly binding: Binding };

const compareSigns: { readonly [how in CompareOp]: string } = {
  eq: "==",
  ne: "!=",
  lt: "<",
  le: "<=",
  gt: ">",
  ge: ">=",
};
const arithmeticSigns: { readonly [how in ArithmeticOp]: string } = {
  add: "+",
  sub: "-",
  mul: "*",
  div: "/",
  mod: "%",
};
const callNames = {
  size: "size",
  within: "within",
  silent: "silent",
  localHour: "local_hour",
  localWeekday: "local_weekday",
} as const;

/** The text of an expression in CEL. It means the same as the text that it came from, but need not be that text. */
export function formatExpr(expr: Expr, names: ConditionNames): string {
  return formatNode(expr, names).text;
}

function formatNode(expr: Expr, names: ConditionNames): Formatted {
  const full = (part: Expr): string => formatNode(part, names).text;
  const tight = (part: Expr, binding: Binding): string => {
    const formatted = formatNode(part, names);
    return formatted.binding >= binding ? formatted.text : `(${formatted.text})`;
  };
  switch (expr.op) {
    case "const":
      return formatConst(expr.value, expr.type);
    case "listConst":
      return member(`[${expr.values.map((value) => formatConst(value, expr.type.list).text).join(", ")}]`);
    case "slot":
      return member(names.slot(expr.slot));
    case "local":
      return member(nameLocal(expr.depth));
    case "has":
      return member(`has(${names.slot(expr.slot)})`);
    case "segment":
      return member(`segment(${JSON.stringify(names.segment(expr.segment))})`);
    case "not":
      return { text: `!${tight(expr.arg, memberBinding)}`, binding: unaryBinding };
    case "negate":
      return { text: `-${tight(expr.arg, memberBinding)}`, binding: unaryBinding };
    case "and":
      return {
        text: expr.args.map((arg) => tight(arg, relationBinding)).join(" && "),
        binding: andBinding,
      };
    case "or":
      return { text: expr.args.map((arg) => tight(arg, andBinding)).join(" || "), binding: orBinding };
    case "cond": {
      const branches = `${tight(expr.then, orBinding)} : ${tight(expr.else, orBinding)}`;
      return { text: `${tight(expr.test, orBinding)} ? ${branches}`, binding: condBinding };
    }
    case "compare":
      return relation(tight(expr.left, sumBinding), compareSigns[expr.how], tight(expr.right, sumBinding));
    case "in":
      return relation(tight(expr.left, sumBinding), "in", tight(expr.right, sumBinding));
    case "arithmetic":
      return formatArithmetic(expr, tight);
    case "inList":
      return member(`in_list(${full(expr.left)}, ${JSON.stringify(names.list(expr.list))})`);
    case "exists":
    case "all":
      return member(
        `${tight(expr.list, memberBinding)}.${expr.op}(${nameLocal(expr.depth)}, ${full(expr.body)})`,
      );
    case "string":
      return member(`${tight(expr.left, memberBinding)}.${expr.how}(${full(expr.right)})`);
    case "matches":
      return member(`${tight(expr.left, memberBinding)}.matches(${JSON.stringify(expr.pattern)})`);
    case "size":
      return member(`${callNames[expr.op]}(${full(expr.arg)})`);
    case "convert":
      return member(`${expr.type}(${full(expr.arg)})`);
    case "within":
    case "silent":
      return member(`${callNames[expr.op]}(${full(expr.at)}, ${full(expr.duration)})`);
    case "localHour":
    case "localWeekday":
      return member(`${callNames[expr.op]}(${full(expr.at)}, ${JSON.stringify(expr.zone)})`);
    case "cidr":
      return member(`cidr(${full(expr.ip)}, ${JSON.stringify(expr.prefix)})`);
  }
}

function member(text: string): Formatted {
  return { text, binding: memberBinding };
}

function relation(left: string, sign: string, right: string): Formatted {
  return { text: `${left} ${sign} ${right}`, binding: relationBinding };
}

function formatArithmetic(
  expr: Extract<Expr, { op: "arithmetic" }>,
  tight: (part: Expr, binding: Binding) => string,
): Formatted {
  const isSum = expr.how === "add" || expr.how === "sub";
  const left = tight(expr.left, isSum ? sumBinding : productBinding);
  const right = tight(expr.right, isSum ? productBinding : unaryBinding);
  return {
    text: `${left} ${arithmeticSigns[expr.how]} ${right}`,
    binding: isSum ? sumBinding : productBinding,
  };
}

/** The typed form knows elements by depth, not by the name that the author chose. */
function nameLocal(depth: number): string {
  return ["x", "y", "z"][depth] ?? `x${depth}`;
}

function formatConst(value: Scalar, type: ScalarType): Formatted {
  switch (type) {
    case "bool":
      return member(String(value));
    case "string":
      return member(JSON.stringify(value));
    case "int":
      return formatNumber(String(value));
    case "double":
      return formatDouble(value as number);
    case "timestamp":
      return member(`timestamp(${JSON.stringify(formatScalar(value, type))})`);
    case "duration":
      return member(`duration(${JSON.stringify(formatDuration(value as number))})`);
  }
}

function formatNumber(text: string): Formatted {
  return { text, binding: text.startsWith("-") ? unaryBinding : memberBinding };
}

function formatDouble(value: number): Formatted {
  if (!Number.isFinite(value)) {
    return member(`double(${JSON.stringify(String(value))})`);
  }
  const text = Object.is(value, -0) ? "-0" : String(value);
  return formatNumber(/[.e]/.test(text) ? text : `${text}.0`);
}

/** In the greatest unit that needs no fraction. */
function formatDuration(valueMs: number): string {
  if (valueMs !== 0 && valueMs % 3_600_000 === 0) {
    return `${valueMs / 3_600_000}h`;
  }
  if (valueMs !== 0 && valueMs % 60_000 === 0) {
    return `${valueMs / 60_000}m`;
  }
  return formatScalar(valueMs, "duration");
}
