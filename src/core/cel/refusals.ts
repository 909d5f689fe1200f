/**
 * What CEL has and conditions have not: rule name to message. `docs/cel.md` lists each with an example.
 */
export const refusals = {
  "no-uint": "unsigned ints are not supported: write 1 instead of 1u",
  "no-bytes": "bytes are not supported: write a string",
  "no-null": "there is no null: a value that is missing is unknown, has(x) tests for it",
  "no-map": "maps are not supported: declare a list, or write one comparison per key",
  "no-message": "messages cannot be built in a condition",
  "no-dyn": "dyn() is not supported: every value has a declared type",
  "no-type-values": "types are not values here: every value has a declared type",
  "no-bool-conversion": "bool() is not supported: compare with the text instead",
  "no-macro": "the macros are has, exists and all: map, filter and exists_one are not supported",
  "no-index": "elements are not picked by index: use in, exists or all",
  "no-computed-list": "the elements of a list are constants, except on the right side of in",
  "no-empty-list": "an empty list holds nothing",
  "no-mixed-list": "the elements of a list have one type",
  "no-nested-list": "the elements of a list are no lists",
  "no-concatenation": "strings and lists are not joined by +",
  "no-calendar-methods":
    "calendar methods are not supported: use local_hour(t, zone) or local_weekday(t, zone)",
  "no-infinity": "this number is beyond the greatest double",
  "int-not-exact": "ints are exact to 2^53: this one is beyond",
} as const;

/** The other rules that a condition can break. */
export const faultRules = [
  "too-long",
  "not-well-formed",
  "unbalanced",
  "nesting-too-deep",
  "syntax",
  "too-many-nodes",
  "list-too-long",
  "unknown-name",
  "bare-name",
  "root-not-value",
  "shadowed-name",
  "unknown-function",
  "unknown-list",
  "unknown-segment",
  "wrong-form",
  "wrong-arity",
  "type-mismatch",
  "not-constant",
  "bad-currency",
  "bad-zone",
  "bad-cidr",
  "bad-pattern",
  "bad-timestamp",
  "bad-duration",
  "constant-error",
  "never-holds",
  "amount-without-currency",
  "too-costly",
] as const;

/** The name of a rule that a condition can break. */
export type FaultRule = keyof typeof refusals | (typeof faultRules)[number];
