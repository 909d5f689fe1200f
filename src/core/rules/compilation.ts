export type DocumentFormat = "YAML" | "JSON" | "PROTOBUF";

/** A fault of a rule set, located in its text. */
export type DocumentFault = {
  readonly severity: "ERROR" | "WARNING";
  /** Such as `segments[3].when`. */
  readonly path: string;
  /** From 1; 0 where the format has no lines. */
  readonly line: number;
  readonly column: number;
  /** Stable name of the broken rule in kebab-case. */
  readonly rule: string;
  readonly message: string;
  /** Id of the rule, segment, PSP or list that it is in; empty where it has none. */
  readonly id: string;
};

/** What checking a document says. Faults are in order of line. */
export type Compilation = {
  readonly faults: readonly DocumentFault[];
  readonly faultsOmitted: number;
  /** Content hash, hexadecimal; empty where the document is refused. Documents that mean the same have the same hash. */
  readonly hash: string;
  readonly name: string;
  readonly ruleCount: number;
};

/** An entry that differs between two rule sets. */
export type RuleSetChange = {
  readonly kind: "ADDED" | "REMOVED" | "CHANGED";
  /** Such as `rules`. */
  readonly section: string;
  readonly id: string;
  /** Values are JSON, empty where there is none. */
  readonly fields: readonly { readonly path: string; readonly before: string; readonly after: string }[];
  /** Whether it may loosen a rule of REGULATORY or SAFER_GAMBLING. */
  readonly loosens: boolean;
};
