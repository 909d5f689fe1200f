import { quote, suggest } from "../../cel/faults.ts";
import { markers } from "../../features/markers.ts";
import { checkPurposes } from "./check-declarations.ts";
import { checkName } from "./check-event-types.ts";
import type { CheckInput } from "./check-input.ts";
import { checkSize, checkText, descriptionMax } from "./values.ts";

const featuresMax = 512;

/** Checks the section `features`, but for what they are made of. */
export function checkFeatures({ ruleSet, faults }: CheckInput): void {
  if (!checkSize(faults, "features", ruleSet.features.length, featuresMax)) return;
  const seen = new Map<string, string>();
  for (const [index, { id, description, how, purposes }] of ruleSet.features.entries()) {
    const path = `features[${index}]`;
    checkName(faults, `${path}.id`, id, seen);
    checkText(faults, `${path}.description`, description, descriptionMax);
    checkPurposes(faults, `${path}.purposes`, purposes);
    if (how.case === undefined)
      faults.error(path, "missing", "say how it is had: aggregate, derived, model or marker");
    if (how.case === "marker" && !markers.has(how.value)) {
      const known = suggest(how.value, markers.keys());
      faults.error(`${path}.marker`, "unknown-marker", `there is no marker ${quote(how.value)}${known}`);
    }
  }
}
