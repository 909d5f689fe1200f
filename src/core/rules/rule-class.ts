/** Classes of rules, strongest first (`DESIGN.md` §4.3). The total order of rules is class, then priority (higher first), then id. */
export const ruleClasses = [
  "REGULATORY",
  "SAFER_GAMBLING",
  "OVERRIDE",
  "RISK",
  "EXPERIMENT",
  "SEGMENT",
  "DEFAULT",
] as const;

export type RuleClass = (typeof ruleClasses)[number];

/** 1 for REGULATORY to 7 for DEFAULT. */
export const rankOf: Readonly<Record<RuleClass, number>> = {
  REGULATORY: 1,
  SAFER_GAMBLING: 2,
  OVERRIDE: 3,
  RISK: 4,
  EXPERIMENT: 5,
  SEGMENT: 6,
  DEFAULT: 7,
};
