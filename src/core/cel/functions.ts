import { makeCompare } from "./compare.ts";
import { findPatternFault, isCidr, isZone, readDuration, readTimestamp } from "./constants.ts";
import type { Expr, ExprType } from "./expr.ts";
import { quote, suggest } from "./faults.ts";
import { makeInList, makeSegment } from "./lists.ts";
import { refusals } from "./refusals.ts";
import { accept, type Checked, checkAs, makeConst, readText, type Scope } from "./scope.ts";
import type { Node } from "./syntax.ts";

type Call = Extract<Node, { kind: "call" }>;

/** Gives the checked form of a call whose arguments have the types asked for; a method's target is its first argument. */
type Build = (scope: Scope, offset: number, args: readonly Checked[]) => Checked | undefined;

type Signature = {
  readonly form: "function" | "method" | "both";
  /** How it is written, for messages. */
  readonly usage: string;
  /** The types that each argument may have; undefined takes any. */
  readonly params: readonly (readonly ExprType[] | undefined)[];
  readonly build: Build;
};

const dayMs = 86_400_000;

const lists = (["bool", "int", "double", "string", "timestamp", "duration"] as const).map((list) => ({
  list,
}));

const signatures: ReadonlyMap<string, Signature> = new Map<string, Signature>([
  [
    "within",
    {
      form: "function",
      usage: "within(t, duration)",
      params: [["timestamp"], ["duration"]],
      build: buildWithin,
    },
  ],
  [
    "silent",
    {
      form: "function",
      usage: "silent(t, duration)",
      params: [["timestamp"], ["duration"]],
      build: buildSilent,
    },
  ],
  [
    "between",
    {
      form: "function",
      usage: "between(x, low, high)",
      params: [undefined, undefined, undefined],
      build: buildBetween,
    },
  ],
  [
    "in_list",
    { form: "function", usage: 'in_list(x, "id")', params: [undefined, ["string"]], build: buildInList },
  ],
  ["segment", { form: "function", usage: 'segment("id")', params: [["string"]], build: buildSegment }],
  [
    "local_hour",
    {
      form: "function",
      usage: 'local_hour(t, "zone")',
      params: [["timestamp"], ["string"]],
      build: buildLocal("localHour", 0, 23),
    },
  ],
  [
    "local_weekday",
    {
      form: "function",
      usage: 'local_weekday(t, "zone")',
      params: [["timestamp"], ["string"]],
      build: buildLocal("localWeekday", 1, 7),
    },
  ],
  ["days", { form: "function", usage: "days(n)", params: [["int"]], build: buildDays }],
  [
    "cidr",
    { form: "function", usage: 'cidr(ip, "10.0.0.0/8")', params: [["string"], ["string"]], build: buildCidr },
  ],
  [
    "timestamp",
    {
      form: "function",
      usage: 'timestamp("2026-01-31T08:00:00Z")',
      params: [["string"]],
      build: buildInstant("timestamp"),
    },
  ],
  [
    "duration",
    { form: "function", usage: 'duration("72h")', params: [["string"]], build: buildInstant("duration") },
  ],
  [
    "int",
    { form: "function", usage: "int(x)", params: [["int", "double", "string"]], build: buildConvert("int") },
  ],
  [
    "double",
    {
      form: "function",
      usage: "double(x)",
      params: [["int", "double", "string"]],
      build: buildConvert("double"),
    },
  ],
  [
    "string",
    {
      form: "function",
      usage: "string(x)",
      params: [["int", "double", "string", "bool"]],
      build: buildConvert("string"),
    },
  ],
  ["size", { form: "both", usage: "size(x)", params: [["string", ...lists]], build: buildSize }],
  [
    "matches",
    { form: "both", usage: 'x.matches("pattern")', params: [["string"], ["string"]], build: buildMatches },
  ],
  [
    "startsWith",
    {
      form: "method",
      usage: "x.startsWith(prefix)",
      params: [["string"], ["string"]],
      build: buildString("startsWith"),
    },
  ],
  [
    "endsWith",
    {
      form: "method",
      usage: "x.endsWith(suffix)",
      params: [["string"], ["string"]],
      build: buildString("endsWith"),
    },
  ],
  [
    "contains",
    {
      form: "method",
      usage: "x.contains(part)",
      params: [["string"], ["string"]],
      build: buildString("contains"),
    },
  ],
]);

/** Functions of CEL that are refused, by the rule that refuses them. */
const refused: ReadonlyMap<string, keyof typeof refusals> = new Map([
  ["uint", "no-uint"],
  ["bytes", "no-bytes"],
  ["bool", "no-bool-conversion"],
  ["dyn", "no-dyn"],
  ["type", "no-type-values"],
  ["map", "no-macro"],
  ["filter", "no-macro"],
  ["exists_one", "no-macro"],
  ["existsOne", "no-macro"],
  ...[
    "FullYear",
    "Month",
    "Date",
    "DayOfMonth",
    "DayOfWeek",
    "DayOfYear",
    "Hours",
    "Minutes",
    "Seconds",
    "Milliseconds",
  ].map((part) => [`get${part}`, "no-calendar-methods"] as const),
]);

/** What is written specially and so has no signature, by how it is written. */
const special: ReadonlyMap<string, string> = new Map([
  ["has", "has(payment.x), with a root and a name"],
  ["exists", "xs.exists(x, x > 1), with a name and a condition"],
  ["all", "xs.all(x, x > 1), with a name and a condition"],
  ["list", 'x in list("id")'],
]);

/** Checks the call of a function or method. */
export function checkFunction(call: Call, scope: Scope): Checked | undefined {
  const { name, target, offset } = call;
  if (name === "amount_in") return checkAmountIn(call, scope);
  const rule = refused.get(name);
  if (rule !== undefined) return scope.faults.add(offset, rule, refusals[rule]);
  const usage = special.get(name);
  if (usage !== undefined) return scope.faults.add(offset, "wrong-form", `${name} is written ${usage}`);
  const signature = signatures.get(name);
  if (signature === undefined) {
    const known = suggest(name, [...signatures.keys(), ...special.keys(), "amount_in"]);
    return scope.faults.add(offset, "unknown-function", `there is no function ${quote(name)}${known}`);
  }
  if (signature.form !== "both" && (signature.form === "method") !== (target !== undefined)) {
    return scope.faults.add(offset, "wrong-form", `${name} is written ${signature.usage}`);
  }
  return checkArguments(call, signature, target === undefined ? call.args : [target, ...call.args], scope);
}

function checkArguments(
  call: Call,
  signature: Signature,
  nodes: readonly Node[],
  scope: Scope,
): Checked | undefined {
  const { params, usage } = signature;
  if (nodes.length !== params.length) {
    const given = nodes.length - (call.target === undefined ? 0 : 1);
    const wanted = params.length - (call.target === undefined ? 0 : 1);
    const message = `${call.name} takes ${wanted} argument${wanted === 1 ? "" : "s"}, not ${given}: ${usage}`;
    return scope.faults.add(call.offset, "wrong-arity", message);
  }
  const args = nodes.flatMap((node, index) => {
    const wanted = params[index];
    const what = `argument ${index + 1} of ${usage}`;
    return (wanted === undefined ? scope.check(node) : checkAs(scope, node, wanted, what)) ?? [];
  });
  return args.length < nodes.length ? undefined : signature.build(scope, call.offset, args);
}

/** `payment.amount_in("EUR")`, the only method of a root. */
function checkAmountIn(call: Call, scope: Scope): Checked | undefined {
  const { target, args, offset } = call;
  const [code] = args;
  const usage = 'payment.amount_in("EUR")';
  if (target?.kind !== "name" || target.name !== "payment") {
    return scope.faults.add(offset, "wrong-form", `amount_in is written ${usage}`);
  }
  if (code === undefined || args.length !== 1) {
    return scope.faults.add(
      offset,
      "wrong-arity",
      `amount_in takes 1 argument, not ${args.length}: ${usage}`,
    );
  }
  const checked = checkAs(scope, code, ["string"], `argument 1 of ${usage}`);
  const currency = checked && readText(scope, checked, "the currency of amount_in");
  if (checked === undefined || currency === undefined) return undefined;
  if (!/^[A-Z]{3}$/.test(currency) || scope.environment.isCurrency?.(currency) === false) {
    return scope.faults.add(
      checked.offset,
      "bad-currency",
      `${quote(currency)} is no ISO 4217 currency code such as "EUR"`,
    );
  }
  const slot = scope.environment.slot({ kind: "amountIn", currency });
  const subject = { name: `payment.amount_in("${currency}")` };
  return accept(scope, offset, { op: "slot", type: "int", slot }, subject);
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
    if (!isZone(zone)) {
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
  if (isCidr(prefix)) return accept(scope, offset, { op: "cidr", type: "bool", ip: ip.expr, prefix });
  return scope.faults.add(
    prefixArg.offset,
    "bad-cidr",
    `${quote(prefix)} is no address prefix such as "10.0.0.0/8"`,
  );
}

function buildInstant(type: "timestamp" | "duration"): Build {
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
