import type { Timestamp } from "@bufbuild/protobuf/wkt";
import type { PolicyPack } from "../../../gen/switchyard/v1/rule_set_pb.js";
import { quote } from "../../cel/faults.ts";
import { isProtectiveClass } from "../loosening.ts";
import { toMs } from "../names.ts";
import { nameInPack } from "../packs.ts";
import type { CheckInput } from "./check-input.ts";
import { checkLimit } from "./check-limits.ts";
import { checkRule, checkSpan } from "./check-rules.ts";
import { checkZone } from "./check-window.ts";
import {
  checkCountry,
  checkDuration,
  checkId,
  checkSize,
  checkText,
  descriptionMax,
  isId,
} from "./values.ts";

const packsMax = 64;
const packLimitsMax = 32;
const packRulesMax = 64;
const waitMaxMs = 366 * 86_400_000;

/** Checks the section `policy_packs`, but for the conditions. */
export function checkPacks(input: CheckInput): void {
  const { ruleSet, faults } = input;
  if (!checkSize(faults, "policy_packs", ruleSet.policyPacks.length, packsMax)) return;
  const seen = new Map<string, string>();
  const taken = takeIds(input);
  for (const [index, pack] of ruleSet.policyPacks.entries()) {
    const path = `policy_packs[${index}]`;
    checkId(faults, `${path}.id`, pack.id, seen);
    const other = taken.get(pack.id);
    if (other !== undefined)
      faults.error(`${path}.id`, "duplicate-id", `${quote(pack.id)} is the id of ${other} already`);
    checkText(faults, `${path}.description`, pack.description, descriptionMax);
    if (pack.jurisdiction === "")
      faults.error(`${path}.jurisdiction`, "missing", "say of which country the law is");
    else checkCountry(faults, `${path}.jurisdiction`, pack.jurisdiction);
    checkSpan(input, pack, path, { noun: "pack", isPacked: true });
    checkZone(faults, `${path}.zone`, pack.zone);
    if (pack.limitIncreaseWait !== undefined) {
      const bounds = { min: 0, max: waitMaxMs, said: "from 0 to 366 days" };
      checkDuration(faults, `${path}.limit_increase_wait`, pack.limitIncreaseWait, bounds);
    }
    checkParts(input, pack, path, taken);
  }
}

function checkParts(input: CheckInput, pack: PolicyPack, path: string, taken: Map<string, string>): void {
  const { faults } = input;
  const checkPart = (part: PolicyPack["rules"][number] | PolicyPack["limits"][number], at: string): void => {
    // Alone: what else has its name is told by the name.
    checkId(faults, `${at}.id`, part.id, new Map());
    checkName(input, nameInPack(pack.id, part.id), at, taken);
    if (part.class !== 0 && !isProtectiveClass(part.class))
      faults.error(`${at}.class`, "pack-class", "what the law asks for is REGULATORY or SAFER_GAMBLING");
    const isNever = (from: Timestamp | undefined, until: Timestamp | undefined): boolean =>
      from !== undefined && until !== undefined && toMs(until) <= toMs(from);
    if (isNever(part.from, pack.until) || isNever(pack.from, part.until))
      faults.error(at, "until-not-after-from", "it is never active while the pack is in force");
  };
  if (checkSize(faults, `${path}.limits`, pack.limits.length, packLimitsMax)) {
    for (const [index, limit] of pack.limits.entries()) {
      checkPart(limit, `${path}.limits[${index}]`);
      checkLimit(input, limit, `${path}.limits[${index}]`, true);
    }
  }
  if (checkSize(faults, `${path}.rules`, pack.rules.length, packRulesMax)) {
    for (const [index, rule] of pack.rules.entries()) {
      checkPart(rule, `${path}.rules[${index}]`);
      checkRule(input, rule, `${path}.rules[${index}]`, true);
    }
  }
}

/** The name of a part among all rules and limits. */
function checkName({ faults }: CheckInput, name: string, at: string, taken: Map<string, string>): void {
  const other = taken.get(name);
  if (other !== undefined)
    faults.error(`${at}.id`, "duplicate-id", `its name ${quote(name)} is the id of ${other} already`);
  else if (name.length > 64 && isId(name.slice(0, 64)))
    faults.error(`${at}.id`, "bad-id", `its name ${quote(name)} has more than 64 characters`);
  taken.set(name, `${at}.id`);
}

/** Ids of the rules and limits outside packs, each with its place. */
function takeIds({ ruleSet }: CheckInput): Map<string, string> {
  const taken = new Map<string, string>();
  for (const [index, { id }] of ruleSet.rules.entries()) taken.set(id, `rules[${index}].id`);
  for (const [index, { id }] of ruleSet.limits.entries()) taken.set(id, `limits[${index}].id`);
  return taken;
}
