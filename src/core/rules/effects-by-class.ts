import type { RuleClass } from "./rule-class.ts";
import type { ActionKind } from "./snapshot.ts";

/** Effects by their names in the document. */
export const effectNames = [
  "deny",
  "review",
  "allow",
  "limit_thresholds",
  "exclude_psps",
  "require_psps",
  "amount_cap",
  "three_ds",
  "strategy",
  "retry_policy",
  "experience",
  "score",
  "actions",
] as const;

export type EffectName = (typeof effectNames)[number];

/**
 * What a class may do with an effect.
 *
 * `yes`, `-`: use it or not. `floor`: demand 3DS, never less. `preference`: wish for any level. `protective`: no marketing actions.
 * `forbid`, `force`: exclude and require as an override does.
 */
export type Permission = "yes" | "-" | "floor" | "preference" | "protective" | "any" | "forbid" | "force";

type Row = Readonly<Record<RuleClass, Permission>>;

/** Which class may use which effect: a whitelist (`SEMANTICS.md` 3.1), the same table as in docs/rules.md. */
// biome-ignore format: a table is read by its columns.
export const effectsByClass: Readonly<Record<EffectName, Row>> = {
  deny:         { REGULATORY: "yes",        SAFER_GAMBLING: "yes",        OVERRIDE: "yes",        RISK: "yes",   EXPERIMENT: "-",          SEGMENT: "-",          DEFAULT: "-" },
  review:       { REGULATORY: "-",          SAFER_GAMBLING: "yes",        OVERRIDE: "yes",        RISK: "yes",   EXPERIMENT: "-",          SEGMENT: "-",          DEFAULT: "-" },
  allow:        { REGULATORY: "-",          SAFER_GAMBLING: "-",          OVERRIDE: "yes",        RISK: "-",     EXPERIMENT: "-",          SEGMENT: "-",          DEFAULT: "-" },
  limit_thresholds: { REGULATORY: "-",      SAFER_GAMBLING: "-",          OVERRIDE: "yes",        RISK: "-",     EXPERIMENT: "-",          SEGMENT: "-",          DEFAULT: "-" },
  exclude_psps: { REGULATORY: "yes",        SAFER_GAMBLING: "yes",        OVERRIDE: "forbid",     RISK: "yes",   EXPERIMENT: "yes",        SEGMENT: "yes",        DEFAULT: "-" },
  require_psps: { REGULATORY: "yes",        SAFER_GAMBLING: "yes",        OVERRIDE: "force",      RISK: "yes",   EXPERIMENT: "yes",        SEGMENT: "yes",        DEFAULT: "-" },
  amount_cap:   { REGULATORY: "yes",        SAFER_GAMBLING: "yes",        OVERRIDE: "-",          RISK: "yes",   EXPERIMENT: "-",          SEGMENT: "-",          DEFAULT: "-" },
  three_ds:     { REGULATORY: "floor",      SAFER_GAMBLING: "floor",      OVERRIDE: "preference", RISK: "floor", EXPERIMENT: "preference", SEGMENT: "preference", DEFAULT: "preference" },
  strategy:     { REGULATORY: "-",          SAFER_GAMBLING: "-",          OVERRIDE: "yes",        RISK: "-",     EXPERIMENT: "yes",        SEGMENT: "yes",        DEFAULT: "yes" },
  retry_policy: { REGULATORY: "-",          SAFER_GAMBLING: "-",          OVERRIDE: "yes",        RISK: "-",     EXPERIMENT: "yes",        SEGMENT: "yes",        DEFAULT: "yes" },
  experience:   { REGULATORY: "-",          SAFER_GAMBLING: "-",          OVERRIDE: "yes",        RISK: "-",     EXPERIMENT: "yes",        SEGMENT: "yes",        DEFAULT: "yes" },
  score:        { REGULATORY: "-",          SAFER_GAMBLING: "-",          OVERRIDE: "-",          RISK: "yes",   EXPERIMENT: "-",          SEGMENT: "-",          DEFAULT: "-" },
  actions:      { REGULATORY: "protective", SAFER_GAMBLING: "protective", OVERRIDE: "any",        RISK: "any",   EXPERIMENT: "any",        SEGMENT: "any",        DEFAULT: "-" },
};

/**
 * Effects that tighten: in REGULATORY and SAFER_GAMBLING they must say what unknown does (`SEMANTICS.md` 2.1). The other effects of these classes
 * are actions, which skip unless told otherwise.
 */
export const tighteningEffects: readonly EffectName[] = [
  "deny",
  "review",
  "exclude_psps",
  "require_psps",
  "amount_cap",
  "three_ds",
];

/** Actions that sell; all others protect, or call a person. */
export const marketingActions: ReadonlySet<ActionKind> = new Set(["CRM_TRIGGER", "OFFER", "REWARD", "NUDGE"]);
