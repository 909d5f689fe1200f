import { findNearest, quote, suggest } from "./faults.ts";
import { refusals } from "./refusals.ts";
import { accept, type Checked, describeType, elementOf, type Scope } from "./scope.ts";
import type { Node } from "./syntax.ts";

/** What a name begins with; `now` stands alone. */
export const roots = ["payment", "card", "player", "context", "attr", "feature"] as const;

const celTypes: ReadonlySet<string> = new Set(
  "bool int uint double string bytes list map type null_type".split(" "),
);

/** A name that stands alone: the item of a quantifier or `now`; anything else is a fault that tells what to write. */
export function checkName(node: Extract<Node, { kind: "name" }>, scope: Scope): Checked | undefined {
  const { name, offset } = node;
  const depth = scope.locals.findLastIndex((candidate) => candidate.name === name);
  const local = scope.locals[depth];
  if (local !== undefined) {
    return accept(scope, offset, { op: "local", type: local.type, depth }, local.subject);
  }
  if (name === "now") {
    const slot = scope.environment.slot({ kind: "now" });
    return accept(scope, offset, { op: "slot", type: "timestamp", slot }, { name });
  }
  if (celTypes.has(name)) return scope.faults.add(offset, "no-type-values", refusals["no-type-values"]);
  const known = rootsOf(scope);
  if (known.includes(name)) {
    return scope.faults.add(
      offset,
      "root-not-value",
      `${name} is no value by itself: write ${name}. and a name`,
    );
  }
  const homes = findHomes(name, scope);
  if (homes.length > 0) {
    return scope.faults.add(offset, "bare-name", `${quote(name)} has no root: write ${homes.join(" or ")}`);
  }
  const nearest = findNearest(name, [
    ...known.flatMap((root) => scope.environment.names(root)),
    ...scope.locals.map((candidate) => candidate.name),
    ...known,
    "now",
  ]);
  const full = nearest === undefined ? [] : findHomes(nearest, scope);
  const hint = nearest === undefined ? "" : ` (did you mean ${quote(full[0] ?? nearest)}?)`;
  return scope.faults.add(offset, "unknown-name", `the name ${quote(name)} is unknown${hint}`);
}

function rootsOf({ environment }: Scope): readonly string[] {
  return environment.roots ?? roots;
}

/** The full names that end in this one. */
function findHomes(name: string, scope: Scope): readonly string[] {
  return rootsOf(scope)
    .filter((root) => scope.environment.names(root).includes(name))
    .map((root) => `${root}.${name}`);
}

/** `root.name`: a declared variable. */
export function checkMember(node: Extract<Node, { kind: "member" }>, scope: Scope): Checked | undefined {
  const found = resolveVariable(node, scope);
  if (found === undefined) return undefined;
  const { path, variable, slot } = found;
  if (path === "payment.amount_minor" || path === "event.amount_minor") scope.amounts.push(node.offset);
  if (path === "payment.currency" || path === "event.currency") scope.currencySlot = slot;
  const { domain, min, max } = variable;
  return accept(
    scope,
    node.offset,
    { op: "slot", type: variable.type, slot },
    { name: path, domain, min, max },
  );
}

/** `has(root.name)`. */
export function checkHas(node: Extract<Node, { kind: "has" }>, scope: Scope): Checked | undefined {
  const found = resolveVariable(node, scope);
  return found && accept(scope, node.offset, { op: "has", type: "bool", slot: found.slot });
}

function resolveVariable(node: Extract<Node, { kind: "member" | "has" }>, scope: Scope) {
  const path = [...(readPath(node.of) ?? []), node.name];
  const [root, ...rest] = path;
  const offset = node.of.offset;
  if (root === undefined || rest.length === 0 || scope.locals.some((local) => local.name === root)) {
    return refuseMember(node, scope);
  }
  const known = rootsOf(scope);
  if (!known.includes(root)) {
    const message = `the name ${quote(root)} is unknown${suggest(root, known)}: names begin with ${known.join(", ")}`;
    return scope.faults.add(offset, "unknown-name", message);
  }
  const full = path.join(".");
  const variable = scope.environment.variable(full);
  if (variable === undefined) {
    const refusal = scope.environment.refusal?.(full);
    if (refusal?.kind === "told") return undefined;
    if (refusal?.kind === "fault") return scope.faults.add(offset, refusal.rule, refusal.message);
    const names = scope.environment.names(root).map((name) => `${root}.${name}`);
    const what =
      root === "feature"
        ? `the rule set declares no feature ${quote(rest.join("."))}`
        : `the name ${quote(full)} is unknown`;
    return scope.faults.add(offset, "unknown-name", `${what}${suggest(full, names)}`);
  }
  return { path: full, variable, slot: scope.environment.slot(variable.source) };
}

function refuseMember(node: Extract<Node, { kind: "member" | "has" }>, scope: Scope): undefined {
  const of = scope.check(node.of);
  if (of === undefined) return undefined;
  const kind = elementOf(of.expr.type) === undefined ? describeType(of.expr.type) : "a list";
  return scope.faults.add(of.offset, "type-mismatch", `${kind} has no field ${quote(node.name)}`);
}

function readPath(node: Node): readonly string[] | undefined {
  if (node.kind === "name") return [node.name];
  if (node.kind !== "member") return undefined;
  const of = readPath(node.of);
  return of && [...of, node.name];
}
