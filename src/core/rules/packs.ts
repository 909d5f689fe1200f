import { create } from "@bufbuild/protobuf";
import type { Timestamp } from "@bufbuild/protobuf/wkt";
import {
  type Limit,
  LimitSchema,
  type PolicyPack,
  type Rule,
  RuleSchema,
  type RuleSet,
} from "../../gen/switchyard/v1/rule_set_pb.js";
import { toMs } from "./names.ts";

/** A rule or a limit with its place in the document. Those of a pack are named `pack.id` and hold only while the pack is in force. */
export type Placed<T> = { readonly entry: T; readonly path: string; readonly pack: PolicyPack | undefined };

/** All rules, those of packs included. */
export function placeRules({
  rules,
  policyPacks,
}: Pick<RuleSet, "rules" | "policyPacks">): readonly Placed<Rule>[] {
  const own = rules.map((entry, index) => ({ entry, path: `rules[${index}]`, pack: undefined }));
  if (policyPacks.length === 0) return own;
  const packed = policyPacks.flatMap((pack, at) =>
    pack.rules.map((rule, index) => ({
      entry: create(RuleSchema, { ...rule, ...belongTo(pack, rule) }),
      path: `policy_packs[${at}].rules[${index}]`,
      pack,
    })),
  );
  return [...own, ...packed];
}

/** All limits, those of packs included. */
export function placeLimits({
  limits,
  policyPacks,
}: Pick<RuleSet, "limits" | "policyPacks">): readonly Placed<Limit>[] {
  const own = limits.map((entry, index) => ({ entry, path: `limits[${index}]`, pack: undefined }));
  const packed = policyPacks.flatMap((pack, at) =>
    pack.limits.map((limit, index) => ({
      entry: create(LimitSchema, { ...limit, ...belongTo(pack, limit) }),
      path: `policy_packs[${at}].limits[${index}]`,
      pack,
    })),
  );
  return [...own, ...packed];
}

/** How a part of a pack is named among the rules and limits of its rule set. */
export function nameInPack(packId: string, id: string): string {
  return `${packId}.${id}`;
}

/** When a pack applies, as a condition: if any of the player's jurisdictions is its own (`SEMANTICS.md` 2.3). */
export function conditionOfPack({
  jurisdiction,
  physical,
}: Pick<PolicyPack, "jurisdiction" | "physical">): string {
  const country = JSON.stringify(jurisdiction);
  const legal = `${country} in context.jurisdictions`;
  return physical ? `${legal} || context.physical_country == ${country}` : legal;
}

type Part = {
  readonly id: string;
  readonly from?: Timestamp | undefined;
  readonly until?: Timestamp | undefined;
};

/** When a part of a pack holds: while the pack is in force and it is active itself. */
function belongTo(
  pack: PolicyPack,
  part: Part,
): { readonly id: string; readonly from?: Timestamp; readonly until?: Timestamp } {
  const from = pick([pack.from, part.from], (a, b) => a > b);
  const until = pick([pack.until, part.until], (a, b) => a < b);
  return { id: nameInPack(pack.id, part.id), ...(from && { from }), ...(until && { until }) };
}

function pick(
  [ofPack, ofPart]: readonly [Timestamp | undefined, Timestamp | undefined],
  isPacks: (packMs: number, partMs: number) => boolean,
): Timestamp | undefined {
  if (ofPack === undefined || ofPart === undefined) return ofPack ?? ofPart;
  return isPacks(toMs(ofPack), toMs(ofPart)) ? ofPack : ofPart;
}
