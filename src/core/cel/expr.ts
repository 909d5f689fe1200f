/**
 * The typed form of a condition: what the checker makes of CEL text, what the index reads, what closures are built from.
 *
 * Values at run time (`Value`): bool is a boolean; int and double are numbers (ints exact to 2^53); string is a string; a timestamp is
 * integer ms since the epoch; a duration is integer ms; a list is an array of scalars. `undefined` is *unknown*, the third truth value
 * (`SEMANTICS.md` 2.1).
 */

export type ScalarType = "bool" | "int" | "double" | "string" | "timestamp" | "duration";

export type ExprType = ScalarType | { readonly list: ScalarType };

export type Scalar = boolean | number | string;

/** A value at run time; `undefined` where it is unknown. */
export type Value = Scalar | readonly Scalar[] | undefined;

export type CompareOp = "eq" | "ne" | "lt" | "le" | "gt" | "ge";

export type ArithmeticOp = "add" | "sub" | "mul" | "div" | "mod";

export type StringOp = "startsWith" | "endsWith" | "contains";

export type Expr =
  | { readonly op: "const"; readonly type: ScalarType; readonly value: Scalar }
  | {
      readonly op: "listConst";
      readonly type: { readonly list: ScalarType };
      readonly values: readonly Scalar[];
    }
  /** A variable: the value that the reader of this slot gives. */
  | { readonly op: "slot"; readonly type: ExprType; readonly slot: number }
  /** The element that the nearest enclosing `exists`/`all` at this depth is looking at (0 is the outermost). */
  | { readonly op: "local"; readonly type: ScalarType; readonly depth: number }
  /** Whether the slot has a value; never unknown itself. */
  | { readonly op: "has"; readonly type: "bool"; readonly slot: number }
  /** Three-valued membership of the segment with this ordinal. */
  | { readonly op: "segment"; readonly type: "bool"; readonly segment: number }
  | { readonly op: "not"; readonly type: "bool"; readonly arg: Expr }
  /** Kleene conjunction or disjunction of two or more; flattened (no `and` directly inside `and`). */
  | { readonly op: "and" | "or"; readonly type: "bool"; readonly args: readonly Expr[] }
  | {
      readonly op: "cond";
      readonly type: ExprType;
      readonly test: Expr;
      readonly then: Expr;
      readonly else: Expr;
    }
  /** Both sides have one type, or are int and double. Strings order by Unicode code point, as CEL has it. */
  | {
      readonly op: "compare";
      readonly type: "bool";
      readonly how: CompareOp;
      readonly left: Expr;
      readonly right: Expr;
    }
  /** `left in right`, `right` a list expression. */
  | { readonly op: "in"; readonly type: "bool"; readonly left: Expr; readonly right: Expr }
  /** `in_list(left, "id")`; a BIN list matches by longest prefix. */
  | { readonly op: "inList"; readonly type: "bool"; readonly left: Expr; readonly list: number }
  | {
      readonly op: "exists" | "all";
      readonly type: "bool";
      readonly list: Expr;
      readonly depth: number;
      readonly body: Expr;
    }
  /** int: exact to 2^53, else EVAL_ERROR; division truncates toward zero. Also timestamp/duration sums and differences (ms). */
  | {
      readonly op: "arithmetic";
      readonly type: ScalarType;
      readonly how: ArithmeticOp;
      readonly left: Expr;
      readonly right: Expr;
    }
  | { readonly op: "negate"; readonly type: ScalarType; readonly arg: Expr }
  | {
      readonly op: "string";
      readonly type: "bool";
      readonly how: StringOp;
      readonly left: Expr;
      readonly right: Expr;
    }
  | { readonly op: "matches"; readonly type: "bool"; readonly left: Expr; readonly pattern: string }
  /** Code points of a string, elements of a list. */
  | { readonly op: "size"; readonly type: "int"; readonly arg: Expr }
  /** `int()`, `double()`, `string()` by target type; a value that does not convert is EVAL_ERROR. */
  | { readonly op: "convert"; readonly type: "int" | "double" | "string"; readonly arg: Expr }
  /** `within(t, d)`: now - d < t <= now. */
  | { readonly op: "within"; readonly type: "bool"; readonly at: Expr; readonly duration: Expr }
  /** `silent(t, d)`: now - t >= d. */
  | { readonly op: "silent"; readonly type: "bool"; readonly at: Expr; readonly duration: Expr }
  /** `local_hour(t, zone)` 0-23 and `local_weekday(t, zone)` 1-7 (ISO, Monday is 1). */
  | {
      readonly op: "localHour" | "localWeekday";
      readonly type: "int";
      readonly at: Expr;
      readonly zone: string;
    }
  /** `cidr(ip, "10.0.0.0/8")`: IPv4 or IPv6; text that is no address is EVAL_ERROR. */
  | { readonly op: "cidr"; readonly type: "bool"; readonly ip: Expr; readonly prefix: string };

/** What a membership test looks at; lists are held once and shared by every condition that names them. */
export type MembershipList = {
  /** True where the value is in the list; for a BIN list where any of its prefixes starts the value. */
  readonly has: (value: string) => boolean;
};

/**
 * All that one evaluation may read. One frame serves one decision and is filled before the conditions run.
 *
 * `values[slot]` is the value of each slot (`undefined` unknown); `segments[ordinal]` is 0 false, 1 true, 2 unknown; `lists[ordinal]` the
 * rule set's lists; `locals` is scratch for `exists`/`all`; `evalErrors` counts errors (overflow, division by zero) met since it was last
 * set to 0: each reads as unknown with reason EVAL_ERROR.
 */
export type Frame = {
  readonly values: Value[];
  readonly segments: Uint8Array;
  readonly lists: readonly MembershipList[];
  readonly locals: (Scalar | undefined)[];
  nowMs: number;
  evalErrors: number;
  /** Truths of segments with a memory, by ordinal, as they were advanced to now; those of other segments mean nothing. */
  remembered?: Uint8Array | undefined;
  /** Events are complete from here on, ms since the epoch: a segment whose longest window begins earlier is still warming, so unknown. */
  coveredFromMs?: number | undefined;
};

/** A compiled condition: true, false, or undefined for unknown. */
export type Predicate = (frame: Frame) => boolean | undefined;
