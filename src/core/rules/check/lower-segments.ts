import type { Environment } from "../../cel/environment.ts";
import type { Expr } from "../../cel/expr.ts";
import type { Declarations } from "../environment.ts";
import type { ListedSegment } from "../segments.ts";
import { type LoweringContext, lowerText } from "./lower-text.ts";

/** Conditions of segments by id, as far as they are right. */
export type LoweredSegments = {
  readonly segments: ReadonlyMap<string, Expr>;
  /** By which a member leaves, of segments that say it. */
  readonly exits: ReadonlyMap<string, Expr>;
};

const always: Expr = { op: "const", type: "bool", value: true };
const never: Expr = { op: "const", type: "bool", value: false };

/** Lowers what segments say, their lists and the order of states included. */
export function lowerSegments(
  context: LoweringContext,
  listed: readonly ListedSegment[],
  declarations: Declarations,
): LoweredSegments {
  const { plain } = context.environments;
  const own = new Map<string, Expr>();
  for (const entry of listed) {
    const expr = lowerWhen(context, entry);
    if (expr !== undefined) own.set(entry.segment.id, expr);
  }
  const segments = new Map<string, Expr>();
  const exits = new Map<string, Expr>();
  for (const entry of listed) {
    const { id, exitWhen } = entry.segment;
    const expr = own.get(id);
    const lists = openLists(entry, declarations, plain);
    if (expr !== undefined) segments.set(id, includeFirst(excludeEarlier(expr, entry, own), lists));
    if (exitWhen === "") continue;
    const exit = lowerText(context, plain, exitWhen, `${entry.path}.exit_when`);
    if (exit !== undefined) exits.set(id, leaveFirst(exit, lists));
  }
  return { segments, exits };
}

function lowerWhen(context: LoweringContext, { segment, path, isState }: ListedSegment): Expr | undefined {
  const { when, includeList } = segment;
  // The last state is everybody else; the check of the section tells where another one has no condition.
  if (when === "" && isState) return always;
  if (when !== "") return lowerText(context, context.environments.plain, when, `${path}.when`);
  if (includeList !== "") return never;
  context.faults.error(`${path}.when`, "missing", "a segment needs a condition");
  return undefined;
}

/** A state holds only where no earlier one does. */
function excludeEarlier(expr: Expr, { earlier }: ListedSegment, own: ReadonlyMap<string, Expr>): Expr {
  return makeAll([expr, ...earlier.flatMap((id) => negate(own.get(id)))]);
}

type Lists = { readonly include: Expr | undefined; readonly exclude: Expr | undefined };

function openLists({ segment }: ListedSegment, { lists }: Declarations, environment: Environment): Lists {
  const test = (id: string): Expr | undefined => {
    const list = lists.get(id);
    if (list === undefined || list.kind !== "STRING") return undefined;
    const slot = environment.slot({ kind: "field", path: "player.id" });
    return { op: "inList", type: "bool", left: { op: "slot", type: "string", slot }, list: list.ordinal };
  };
  return { include: test(segment.includeList), exclude: test(segment.excludeList) };
}

/** `include || (!exclude && condition)`. */
function includeFirst(expr: Expr, { include, exclude }: Lists): Expr {
  const rest = makeAll([...negate(exclude), expr]);
  return include === undefined ? rest : makeAny([include, rest]);
}

/** `!include && (exclude || exit)`. */
function leaveFirst(exit: Expr, { include, exclude }: Lists): Expr {
  return makeAll([...negate(include), exclude === undefined ? exit : makeAny([exclude, exit])]);
}

function negate(expr: Expr | undefined): readonly Expr[] {
  return expr === undefined ? [] : [{ op: "not", type: "bool", arg: expr }];
}

/** A flat conjunction, without what is always true. */
function makeAll(parts: readonly Expr[]): Expr {
  const args = parts.flatMap((part) => (part.op === "and" ? part.args : isConst(part, true) ? [] : [part]));
  if (args.some((part) => isConst(part, false))) return never;
  return args.length > 1 ? { op: "and", type: "bool", args } : (args[0] ?? always);
}

/** A flat disjunction, without what is never true. */
function makeAny(parts: readonly Expr[]): Expr {
  const args = parts.flatMap((part) => (part.op === "or" ? part.args : isConst(part, false) ? [] : [part]));
  if (args.some((part) => isConst(part, true))) return always;
  return args.length > 1 ? { op: "or", type: "bool", args } : (args[0] ?? never);
}

function isConst(expr: Expr, value: boolean): boolean {
  return expr.op === "const" && expr.value === value;
}
