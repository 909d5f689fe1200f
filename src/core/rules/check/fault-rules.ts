/**
 * The rules that a document can break, by their stable names, each with what it means. docs/rules.md holds the same table. Conditions have rules
 * of their own (docs/cel.md).
 */
export const faultRules = {
  // Reading.
  syntax: "The text is not YAML, JSON or a protobuf message at all.",
  "not-utf8": "The bytes are not UTF-8.",
  "too-large": "The document is larger than 32 MiB.",
  "too-deep": "The document nests deeper than 32 levels.",
  "too-many-nodes": "The document holds more than 4,000,000 values, those behind aliases counted each time.",
  "yaml-feature": "YAML that rule sets do without: tags, directives, merge keys, several documents.",
  alias: "An alias without a finished anchor before it, or more than 1,000 aliases.",
  "key-not-text": "A key of a map is not text.",
  "duplicate-key": "A field is here twice.",
  "unknown-field": "There is no such field here.",
  "one-of": "Of these fields only one may be set.",
  "wrong-type": "The value is of another type than the field.",
  "null-value": "null is not a value: leave the field out, or write {} for one without fields.",
  "unknown-value": "The value is none of those that the field can take.",
  "out-of-range": "The number, amount or duration is below or above what is allowed.",
  "not-an-instant": "The text is no instant by RFC 3339.",
  "not-a-duration": "The text is no duration.",
  "too-precise": "The instant or duration is finer than a millisecond.",
  "not-well-formed": "The text holds half of a surrogate pair.",
  // All sections.
  missing: "A field that must be set is not.",
  "bad-id": "The id does not match [A-Za-z0-9][A-Za-z0-9._-]{0,63}.",
  "duplicate-id": "Another entry of the section has this id.",
  duplicate: "The same value stands in the list already, or the same pair has a rate already.",
  "too-long": "The text is longer than allowed.",
  "control-character": "The text holds a control character.",
  "too-many": "The list is longer than allowed.",
  empty: "The value must not be empty.",
  positive: "The number must be greater than 0.",
  currency: "The code is no current ISO 4217 code.",
  country: "The code is no ISO 3166-1 alpha-2 code (of regions of fees and SCA zones: nor EU, EEA, UK).",
  "bad-kind": "A kind of payment is deposit or withdrawal.",
  "bad-name": "The name of a method, scheme, attribute or reason is not written as such names are.",
  "unknown-psp": "There is no PSP with this id.",
  "unknown-policy": "There is no retry policy with this id.",
  "unknown-brand": "There is no brand with this id.",
  "unknown-list": "There is no list with this id.",
  "not-a-bin-list": "The list holds texts, and BINs are wanted.",
  "not-a-text-list": "The list holds BINs, and ids of players are wanted.",
  // PSPs, lists, attributes, rates, brands, thresholds.
  "amount-range": "The least amount is above the greatest, or their currencies differ.",
  "maintenance-overlap": "The PSP has other maintenance at the same time.",
  "bad-version": "The version of EMV 3DS is not written as 2.2.0 is.",
  "bad-mcc": "A merchant category code has four digits.",
  bin: "A BIN has 6 to 8 digits.",
  "shadows-fact": "The attribute has the name of a built-in fact.",
  "values-not-allowed": "Only attributes of type STRING and STRING_LIST list their values.",
  decimal: "The rate is not a decimal with at most 12 digits before and 12 after the point.",
  "same-currency": "A currency needs no rate to itself.",
  thresholds: "A payment is denied from a higher score than it is reviewed from.",
  // Retry policies.
  "response-not-allowed": "This outcome class does not lead there.",
  "not-for-response": "The response does without this field.",
  // Response codes, SCA, breakers.
  "bad-code": "A response code is two digits or capitals, an advice code two digits.",
  "approved-by-code": "Only an entry for a PSP's own code may say APPROVED or PARTIAL.",
  "not-for-outcome": "The outcome class does without this.",
  "code-conflict": "Two entries say different things of the same answer at the same time.",
  "code-shadowed": "Warning: another entry says the same of the same answer, at all its times.",
  "unknown-zone": "There is no SCA zone with this id.",
  "zone-overlap": "A country is in two SCA zones.",
  "bad-funding": "A funding is credit, debit, prepaid or charge.",
  "breaker-bounds":
    "The breaker would never judge: it needs more outcomes than it keeps, or takes the broken for the normal.",
  // Types of events and features.
  "unknown-event-type": "There is no type of events with this name, built in or declared.",
  "unknown-attribute": "The events have no value of this name.",
  "attribute-conflict":
    "Two of the types of events have this attribute in different types, or keep it in different ways.",
  "unknown-model": "There is no model with this id.",
  "unknown-marker": "There is no marker of harm with this name.",
  "not-for-function": "The function of the aggregate does without this, or does not take it.",
  "not-for-window": "The window does without this.",
  "bad-day": "The day is not YYYY-MM-DD.",
  "event-only": "A condition over events reads something else.",
  "not-of-player": "A feature, a membership with a memory or a state depends on what only a payment tells.",
  "list-feature": "The value of a feature is one, not a list.",
  "feature-cycle": "Features read each other in a circle.",
  "features-too-deep": "More than 16 features read each other in a chain.",
  // Segments and conditions.
  "segment-cycle": "Segments read each other in a circle.",
  "segments-too-deep": "More than 16 segments read each other in a chain.",
  "never-holds": "The condition can be true for no payment.",
  unreachable: "Warning: an earlier rule speaks first, whenever this one would, on all that it says.",
  "strict-funding":
    "A rule of REGULATORY or SAFER_GAMBLING reads card.funding through a segment; the segment must read card.funding_strict.",
  "marketing-reads-protected":
    "A marketing action or a campaign reads, itself, through segments or features, what only rg or aml may use.",
  // Rules.
  "class-override": "Overrides live outside rule sets.",
  "no-effect": "A rule without effects.",
  "effect-not-allowed": "The class may not use this effect.",
  "action-not-allowed": "The class may not use this kind of action.",
  "floor-only":
    "In this class 3DS is a floor: CHALLENGE or REQUIRE, without an indicator that asks for less.",
  "bad-indicator": "The EMV challenge indicator is not 01 to 14, or does not fit the level.",
  "bad-exemption": "The exemption is unknown, missing, or stands at another level than EXEMPT.",
  // Limits and packs.
  "class-experiment": "A limit of class EXPERIMENT.",
  "threshold-order": "The last threshold of a limit has no segment, all others have one.",
  "threshold-currency": "The thresholds of a limit are in different currencies.",
  "not-for-measure": "The measure of the limit does without this.",
  "not-for-subject": "The subject of the limit does without this.",
  "breach-not-allowed": "The class or the subject of the limit may not use this breach.",
  "no-rate":
    "Warning: PSPs take currencies that no rate leads from to that of a limit, an exemption or a probe.",
  "pack-class": "A rule or a limit of a pack is of another class than REGULATORY and SAFER_GAMBLING.",
  // Models.
  "unknown-feature": "There is no feature with this id.",
  "unknown-segment": "There is no segment with this id.",
  "input-type": "An input of a model is neither a number nor a bool.",
  "not-for-model": "The model does without this.",
  "bad-model": "The dump is not JSON, or a field of the model is missing, of another type or not finite.",
  "unknown-input": "A split or a weight names something else than an input of the model.",
  "model-too-large":
    "The model is larger than 4 MiB, 1,000 trees, 100,000 nodes, 64 levels or 100,000 categories.",
  "model-not-supported": "The model is of a kind that is not evaluated here, such as one of several classes.",
  // What unknown does, and when.
  "on-unknown-missing": "A tightening effect of REGULATORY or SAFER_GAMBLING must say what unknown does.",
  "on-unknown-not-allowed": "Only REGULATORY, SAFER_GAMBLING and RISK may say what unknown does.",
  "rollout-not-allowed": "REGULATORY and SAFER_GAMBLING hold for all players.",
  "hours-not-allowed": "REGULATORY and SAFER_GAMBLING hold at all hours.",
  "until-not-after-from": "It ends before it begins.",
  "until-in-past": "The rule has ended already.",
  "bad-zone": "The zone is none of the IANA time zone database.",
  "bad-time": "The local time is not HH:MM.",
  "weights-sum": "The sum of the weights is not positive.",
  // The compiler itself.
  "compiler-failed": "The compiler ran out of time or memory, or failed; the document was not judged.",
} as const;

export type FaultRule = keyof typeof faultRules;
