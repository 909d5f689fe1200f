import { type SchemeCap, SchemeCap_Key } from "../../../gen/switchyard/v1/rule_set_pb.js";
import type { FaultList } from "../document/fault.ts";
import type { CheckInput } from "./check-input.ts";
import { checkDuration, checkId, checkInstant, checkRange, checkScheme, checkSize } from "./values.ts";

const capsMax = 32;
const declinesMax = 10_000;
const minuteMs = 60_000;
const dayMs = 86_400_000;

/** Checks the section `scheme_caps`. */
export function checkSchemeCaps({ ruleSet, faults }: CheckInput): void {
  if (!checkSize(faults, "scheme_caps", ruleSet.schemeCaps.length, capsMax)) return;
  const seen = new Map<string, string>();
  for (const [index, cap] of ruleSet.schemeCaps.entries()) {
    const path = `scheme_caps[${index}]`;
    checkId(faults, `${path}.id`, cap.id, seen);
    checkCap(faults, cap, path);
  }
}

function checkCap(faults: FaultList, { scheme, window, key, declines, from }: SchemeCap, path: string): void {
  if (scheme === "") faults.error(`${path}.scheme`, "missing", "say of which scheme the cap is");
  else checkScheme(faults, `${path}.scheme`, scheme);
  if (window === undefined) faults.error(`${path}.window`, "missing", "a cap needs its window");
  else {
    const bounds = { min: minuteMs, max: 90 * dayMs, said: "from 1 minute to 90 days" };
    checkDuration(faults, `${path}.window`, window, bounds);
  }
  if (key === SchemeCap_Key.KEY_UNSPECIFIED)
    faults.error(`${path}.key`, "missing", "say what is counted together: CARD or CARD_AMOUNT");
  checkRange(faults, `${path}.declines`, declines, [1, declinesMax]);
  if (from !== undefined) checkInstant(faults, `${path}.from`, from);
}
