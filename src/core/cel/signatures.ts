import { parseIpPrefix } from "../ip.ts";
import { isTimeZone } from "../local-time.ts";
import { makeCompare } from "./compare.ts";
import { findPatternFault, readDuration, readTimestamp } from "./constants.ts";
import type { Expr, ExprType } from "./expr.ts";
import { quote } from "./faults.ts";
import { makeInList, makeSegment } from "./lists.ts";
import { accept, type Checked, makeConst, readText, type Scope } from "./scope.ts";

/** Gives the checked form of a call whose arguments have the types asked for; a method's target is its first argument. */
type Build = (scope: Scope, offset: number, args: readonly Checked[]) => Checked | undefined;

/** The types that an argument may have; "any" leaves the check to the builder. */
type Param = readonly ExprType[] | "any";

/** A function or method that conditions may call. */
export type Signature = {
  readonly form: "function" | "method" | "both";
  /** How it is written, for messages. */
  readonly usage: string;
  readonly params: readonly Param[];
  readonly build: Build;
};

const dayMs = 86_400_000;

const instant: Param = ["timestamp"];
const span: Param = ["duration"];
const text: Param = ["string"];
const sized: Param = [
  "string",
  ...(["bool", "int", "double", "string", "timestamp", "duration"] as const).map((list) => ({ list })),
];

/** Every function that conditions may call, by name; `payment.amount_in` and the macros are written specially. */
export const signatures: ReadonlyMap<string, Signature> = new Map([
  define("function", "within(t, duration)", [instant, span], buildWithin),
  define("function", "silent(t, duration)", [instant, span], buildSilent),
  define("function", "between(x, low, high)", ["any", "any", "any"], buildBetween),
  define("function", 'in_list(x, "id")', ["any", text], buildInList),
  define("function", 'segment("id")', [text], buildSegment),
  define("function", 'local_hour(t, "zone")', [instant, text], buildLocal("localHour", 0, 23)),
  define("function", 'local_weekday(t, "zone")', [instant, text], buildLocal("localWeekday", 1, 7)),
  define("function", "days(n)", [["int"]], buildDays),
  define("function", 'cidr(ip, "10.0.0.0/8")', [text, text], buildCidr),
  define("function", 'timestamp("2026-01-31T08:00:00Z")', [text], buildMoment("timestamp")),
  define("function", 'duration("72h")', [text], buildMoment("duration")),
  define("function", "int(x)", [["int", "double", "string", "timestamp"]], buildConvert("int")),
  define("function", "double(x)", [["int", "double", "string"]], buildConvert("double")),
  define("function", "string(x)", [["int", "double", "string", "bool"]], buildConvert("string")),
  define("both", "size(x)", [sized], buildSize),
  define("both", 'x.matches("pattern")', [text, text], buildMatches),
  define("method", "x.startsWith(prefix)", [text, text], buildString("startsWith")),
  define("method", "x.endsWith(suffix)", [text, text], buildString("endsWith")),
  define("method", "x.contains(part)", [text, text], buildString("contains")),
]);

function define(
  form: Signature["form"],
  usage: string,
  params: readonly Param[],
  build: Build,
): readonly [string, Signature] {
  return [/\w+(?=\()/.exec(usage)?.[0] ?? usage, { form, usage, params, build }];
}

function buildWithin(scope: Scope, offset: number, [at, duration]: readonly Checked[]): Checked | undefined {
  if (at === undefined || duration === undefined) return undefined;
  if (duration.expr.op === "const" && Number(duration.expr.value) <= 0) {
    return scope.faults.add(
      duration.offset,
      "never-holds",
      "nothing is within a duration that is not positive",
    );
  }
  return accept(scope, offset, { op: "within", type: "bool", at: at.expr, duration: duration.expr });
}

function buildSilent(scope: Scope, offset: number, [at, duration]: readonly Checked[]): Checked | undefined {
  if (at === undefined || duration === undefined) return undefined;
  return accept(scope, offset, { op: "silent", type: "bool", at: at.expr, duration: duration.expr });
}

function buildBetween(
  scope: Scope,
  offset: number,
  [value, low, high]: readonly Checked[],
): Checked | undefined {
  if (value === undefined || low === undefined || high === undefined) return undefined;
  const isEmpty = low.expr.op === "const" && high.expr.op === "const" && low.expr.value > high.expr.value;
  if (isEmpty && typeof low.expr.type === "string" && low.expr.type !== "string") {
    return scope.faults.add(
      low.offset,
      "never-holds",
      "nothing is between bounds whose lower is above the higher",
    );
  }
  const above = makeCompare(scope, low.offset, "ge", value, low);
  const below = makeCompare(scope, high.offset, "le", value, high);
  return above && below && accept(scope, offset, { op: "and", type: "bool", args: [above.expr, below.expr] });
}

function buildInList(scope: Scope, offset: number, [value, id]: readonly Checked[]): Checked | undefined {
  return value && id && makeInList(scope, offset, value, id);
}

function buildSegment(scope: Scope, offset: number, [id]: readonly Checked[]): Checked | undefined {
  return id && makeSegment(scope, offset, id);
}

/** Of `now` it is a slot, so that it is worked out once for all conditions. */
function buildLocal(op: "localHour" | "localWeekday", min: number, max: number): Build {
  return (scope, offset, [at, zoneArg]) => {
    const zone = zoneArg && readText(scope, zoneArg, "the time zone");
    if (at === undefined || zoneArg === undefined || zone === undefined) return undefined;
    if (!isTimeZone(zone)) {
      return scope.faults.add(
        zoneArg.offset,
        "bad-zone",
        `${quote(zone)} is no time zone such as "Europe/Berlin"`,
      );
    }
    const isNow = at.expr.op === "slot" && at.expr.slot === scope.environment.slot({ kind: "now" });
    const expr: Expr = isNow
      ? { op: "slot", type: "int", slot: scope.environment.slot({ kind: op, zone }) }
      : { op, type: "int", at: at.expr, zone };
    return accept(scope, offset, expr, {
      name: op === "localHour" ? "local_hour" : "local_weekday",
      min,
      max,
    });
  };
}

function buildDays(scope: Scope, offset: number, [count]: readonly Checked[]): Checked | undefined {
  if (count === undefined) return undefined;
  if (count.expr.op !== "const" || typeof count.expr.value !== "number") {
    return scope.faults.add(count.offset, "not-constant", "the number of days must be a constant");
  }
  const ms = readDuration(`${count.expr.value * 24}h`);
  if (!ms.ok) return scope.faults.add(count.offset, "bad-duration", ms.why);
  return accept(scope, offset, makeConst("duration", count.expr.value * dayMs));
}

function buildCidr(scope: Scope, offset: number, [ip, prefixArg]: readonly Checked[]): Checked | undefined {
  const prefix = prefixArg && readText(scope, prefixArg, "the prefix of cidr");
  if (ip === undefined || prefixArg === undefined || prefix === undefined) return undefined;
  if (parseIpPrefix(prefix) !== undefined)
    return accept(scope, offset, { op: "cidr", type: "bool", ip: ip.expr, prefix });
  return scope.faults.add(
    prefixArg.offset,
    "bad-cidr",
    `${quote(prefix)} is no address prefix such as "10.0.0.0/8"`,
  );
}

function buildMoment(type: "timestamp" | "duration"): Build {
  return (scope, offset, [textArg]) => {
    const text = textArg && readText(scope, textArg, `what ${type} reads`);
    if (textArg === undefined || text === undefined) return undefined;
    const read = type === "timestamp" ? readTimestamp(text) : readDuration(text);
    if (!read.ok) return scope.faults.add(textArg.offset, `bad-${type}`, `${quote(text)}: ${read.why}`);
    return accept(scope, offset, makeConst(type, read.ms));
  };
}

function buildConvert(type: "int" | "double" | "string"): Build {
  return (scope, offset, [arg]) => {
    if (arg === undefined || arg.expr.type === type) return arg;
    return accept(scope, offset, { op: "convert", type, arg: arg.expr });
  };
}

function buildSize(scope: Scope, offset: number, [arg]: readonly Checked[]): Checked | undefined {
  return arg && accept(scope, offset, { op: "size", type: "int", arg: arg.expr }, { name: "size", min: 0 });
}

function buildMatches(
  scope: Scope,
  offset: number,
  [text, patternArg]: readonly Checked[],
): Checked | undefined {
  const pattern = patternArg && readText(scope, patternArg, "the pattern of matches");
  if (text === undefined || patternArg === undefined || pattern === undefined) return undefined;
  const fault = findPatternFault(pattern);
  if (fault !== undefined) {
    return scope.faults.add(patternArg.offset, "bad-pattern", `RE2 does not take this pattern: ${fault}`);
  }
  return accept(scope, offset, { op: "matches", type: "bool", left: text.expr, pattern });
}

function buildString(how: "startsWith" | "endsWith" | "contains"): Build {
  return (scope, offset, [left, right]) =>
    left &&
    right &&
    accept(scope, offset, { op: "string", type: "bool", how, left: left.expr, right: right.expr });
}
