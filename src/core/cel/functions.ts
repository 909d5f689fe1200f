import { quote, suggest } from "./faults.ts";
import { refusals } from "./refusals.ts";
import { accept, type Checked, checkAs, readText, type Scope } from "./scope.ts";
import { type Signature, signatures } from "./signatures.ts";
import type { Node } from "./syntax.ts";

type Call = Extract<Node, { kind: "call" }>;

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
    return (
      (wanted === undefined || wanted === "any" ? scope.check(node) : checkAs(scope, node, wanted, what)) ??
      []
    );
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
