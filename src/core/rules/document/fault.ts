import type { FaultRule } from "../check/fault-rules.ts";

/** A fault before it is located: `path` names its place, `offset` tells it where the reader knows better than the path. */
export type RawFault = {
  readonly severity: "ERROR" | "WARNING";
  /** Such as `segments[3].when`; empty for the document as a whole. */
  readonly path: string;
  /** A rule of `check/fault-rules.ts`, or one of conditions (docs/cel.md). */
  readonly rule: string;
  readonly message: string;
  readonly offset?: number | undefined;
  /** Line and column inside the text at `path`, from 1. */
  readonly inText?: { readonly line: number; readonly column: number } | undefined;
};

/** Where reading and checking leave what they find. */
export type FaultList = {
  readonly error: (path: string, rule: FaultRule, message: string, offset?: number) => void;
  /** Adds any fault, such as one of a condition. */
  readonly add: (fault: RawFault) => void;
  readonly faults: readonly RawFault[];
  /** Faults that were not kept. */
  readonly dropped: () => number;
  readonly hasErrors: () => boolean;
};

/** Faults that are kept to be sorted by place; of these, 200 are listed. */
const keptMax = 10_000;

/** Makes an empty list. One rule is told once per path. */
export function createFaultList(): FaultList {
  const faults: RawFault[] = [];
  const seen = new Set<string>();
  let dropped = 0;
  let errors = 0;
  const add = (fault: RawFault): void => {
    const key = `${fault.path} ${fault.rule} ${fault.offset ?? ""} ${fault.message}`;
    if (seen.has(key)) return;
    if (fault.severity === "ERROR") errors++;
    if (faults.length >= keptMax) {
      dropped++;
      return;
    }
    seen.add(key);
    faults.push(fault);
  };
  return {
    error: (path, rule, message, offset) => add({ severity: "ERROR", path, rule, message, offset }),
    add,
    faults,
    dropped: () => dropped,
    hasErrors: () => errors > 0,
  };
}
