import { quote } from "../../cel/faults.ts";
import { nameState } from "../segments.ts";
import { checkPurposes } from "./check-declarations.ts";
import type { CheckInput } from "./check-input.ts";
import { checkDwell } from "./check-segments.ts";
import { checkId, checkSize, checkText, descriptionMax } from "./values.ts";

const lifecyclesMax = 16;
const statesMin = 2;
const statesMax = 16;

/** Checks the section `lifecycles`, but for the conditions. */
export function checkLifecycles({ ruleSet, faults }: CheckInput): void {
  if (!checkSize(faults, "lifecycles", ruleSet.lifecycles.length, lifecyclesMax)) return;
  const segments = new Map(ruleSet.segments.map(({ id }, index) => [id, `segments[${index}]`]));
  const seen = new Map<string, string>();
  for (const [index, { id, description, states, purposes }] of ruleSet.lifecycles.entries()) {
    const path = `lifecycles[${index}]`;
    checkId(faults, `${path}.id`, id, seen);
    checkText(faults, `${path}.description`, description, descriptionMax);
    checkPurposes(faults, `${path}.purposes`, purposes);
    if (!checkSize(faults, `${path}.states`, states.length, statesMax)) continue;
    if (states.length < statesMin)
      faults.error(`${path}.states`, "missing", "a lifecycle has at least two states");
    const seenStates = new Map<string, string>();
    for (const [place, state] of states.entries()) {
      const at = `${path}.states[${place}]`;
      checkId(faults, `${at}.id`, state.id, seenStates);
      if (state.when === "" && place < states.length - 1)
        faults.error(`${at}.when`, "missing", "only the last state can do without a condition");
      if (state.dwellMin !== undefined) checkDwell(faults, `${at}.dwell_min`, state.dwellMin);
      const name = nameState(id, state.id);
      const first = segments.get(name);
      if (first === undefined) segments.set(name, at);
      else faults.error(`${at}.id`, "duplicate-id", `${quote(name)} is the segment of ${first} already`);
    }
  }
}
