import type { RuleSet } from "../../../gen/switchyard/v1/rule_set_pb.js";
import { buildFx } from "../../money.ts";
import type { FaultList } from "../document/fault.ts";

/** Currencies that are named in a warning. */
const namedMax = 16;

/** Which currencies of PSPs cannot be converted to one; none where the rates themselves are faulty. */
export function findUnrated(ruleSet: RuleSet): (code: string) => readonly string[] {
  const built = buildFx({ rates: ruleSet.fxRates });
  if (!built.ok) return () => [];
  const taken = [...new Set(ruleSet.psps.flatMap(({ currencies }) => currencies))].sort();
  return (code) => taken.filter((from) => from !== code && built.fx.ratio(from, code) === undefined);
}

/** Warns of an amount that payments in some currencies can't be compared with. `effect` says what becomes of them. */
export function warnUnrated(
  faults: FaultList,
  path: string,
  {
    lost,
    code,
    effect,
  }: { readonly lost: readonly string[]; readonly code: string; readonly effect: string },
): void {
  if (lost.length === 0) return;
  const message = `no rate leads from ${lost.slice(0, namedMax).join(", ")} to ${code}: ${effect}`;
  faults.add({ severity: "WARNING", path, rule: "no-rate", message });
}
