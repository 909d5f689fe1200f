import { fromJsonString } from "@bufbuild/protobuf";
import {
  type Effects_LimitThreshold,
  type Effects as EffectsMessage,
  EffectsSchema,
} from "../../gen/switchyard/v1/rule_set_pb.js";
import type { SlotSource } from "../cel/environment.ts";
import { lowerCondition } from "../cel/lower.ts";
import { buildPredicate } from "../cel/predicate.ts";
import type { FieldFault } from "../field-fault.ts";
import type { LimitSpec } from "../limits/limit.ts";
import type { PaymentKind } from "../payment.ts";
import { checkEffects } from "./check/check-effects.ts";
import { readEffects } from "./compile/hydrate-rule.ts";
import { createFaultList } from "./document/fault.ts";
import { marketingActions } from "./effects-by-class.ts";
import { createEnvironments } from "./environment.ts";
import type { CompiledOverride, OverrideSubject } from "./override-set.ts";
import { createProtectedFinder } from "./protected-reads.ts";
import { rankOf } from "./rule-class.ts";
import { actionKinds, type RuleSnapshot } from "./snapshot.ts";

/** An override as it was put: PSPs, segments, rules and policies by name. `effectsJson` is the contract's `Effects` as protobuf JSON. */
export type OverrideDraft = Omit<CompiledOverride, "subject" | "condition" | "effects"> & {
  readonly subject:
    | { readonly kind: "player" | "card" | "device" | "payment" | "segment"; readonly id: string }
    | { readonly kind: "everyone" };
  readonly when: string;
  readonly kinds: readonly PaymentKind[];
  readonly effectsJson: string;
};

export type OverrideResult =
  | { readonly ok: true; readonly override: CompiledOverride }
  /** Paths are those of the message Override. */
  | { readonly ok: false; readonly faults: readonly FieldFault[] };

export type OverrideCompiler = {
  readonly compile: (draft: OverrideDraft) => OverrideResult;
  /** Sources of the slots that the conditions compiled so far read. */
  readonly slots: readonly SlotSource[];
};

/**
 * Holds overrides against a rule set: the whitelist of class OVERRIDE, names that must exist, conditions by the same language as rules.
 *
 * Fails: with every fault of an override; one that was right under another rule set may name what this one does not have.
 */
export function createOverrideCompiler(snapshot: RuleSnapshot): OverrideCompiler {
  const segments = new Map(snapshot.segments.map(({ id }, ordinal) => [id, ordinal]));
  const { plain, slots } = createEnvironments({
    attributes: snapshot.attributes,
    playerAttributes: snapshot.playerAttributes,
    lists: new Map(
      snapshot.listIds.map((id, ordinal) => [id, { ordinal, kind: snapshot.listKinds[ordinal]! }]),
    ),
    segments,
    features: snapshot.features,
  });
  const finder = createProtectedFinder({
    declarations: snapshot,
    slots: snapshot.slots,
    segmentAt: (ordinal) => ({
      ...snapshot.segments[ordinal]!,
      exprs: [snapshot.segmentCondition(ordinal), snapshot.segmentExit(ordinal)],
    }),
    features: snapshot.features,
    eventTypes: snapshot.eventTypes,
  });

  function compile(draft: OverrideDraft): OverrideResult {
    const faults: FieldFault[] = [];
    const subject = resolveSubject(draft.subject, segments, faults);
    const condition = compileCondition(draft.when, faults);
    const message = fromJsonString(EffectsSchema, draft.effectsJson);
    faults.push(...findEffectFaults(message, snapshot));
    if (subject !== undefined && sells(message)) faults.push(...findProtectedReads(subject, condition));
    if (subject === undefined || faults.length > 0) return { ok: false, faults };
    // A weighted draw is seeded by the strategy's id: the override's own where it has none, as with rules.
    if (message.strategy?.id === "") message.strategy.id = draft.id;
    const { id, kinds, fromMs, untilMs, priority, author, reason } = draft;
    const effects = readEffects(message, snapshot.pspOrdinals);
    return {
      ok: true,
      override: { id, subject, condition, kinds, fromMs, untilMs, priority, author, reason, effects },
    };
  }

  function compileCondition(when: string, faults: FieldFault[]): CompiledOverride["condition"] {
    if (when === "") return undefined;
    const lowered = lowerCondition(when, plain);
    if (lowered.ok) return { expr: lowered.expr, predicate: buildPredicate(lowered.expr) };
    for (const { line, column, rule, message } of lowered.faults) {
      faults.push({ field: "when", rule, message: `${line}:${column} ${message}` });
    }
    return undefined;
  }

  /** A marketing action never depends on what only safer gambling or anti-money-laundering may use (`SEMANTICS.md` 3.9). */
  function findProtectedReads(
    subject: OverrideSubject,
    condition: CompiledOverride["condition"],
  ): readonly FieldFault[] {
    const reads = [
      ["subject.segment", subject.kind === "segment" ? finder.inSegment(subject.ordinal) : undefined],
      ["when", condition && finder.inCondition(condition.expr, slots)],
    ] as const;
    return reads.flatMap(([field, what]) => {
      const message = `a marketing action may not depend on ${what}`;
      return what === undefined ? [] : [{ field, rule: "marketing-reads-protected", message }];
    });
  }

  return { compile, slots };
}

function sells({ actions }: EffectsMessage): boolean {
  return actions.some(({ kind }) => marketingActions.has(actionKinds[kind - 1]!));
}

function resolveSubject(
  subject: OverrideDraft["subject"],
  segments: ReadonlyMap<string, number>,
  faults: FieldFault[],
): OverrideSubject | undefined {
  if (subject.kind === "everyone") return subject;
  if (subject.kind !== "segment") return { kind: subject.kind, id: subject.id };
  const ordinal = segments.get(subject.id);
  if (ordinal !== undefined) return { kind: "segment", ordinal };
  faults.push({
    field: "subject.segment",
    rule: "unknown-segment",
    message: `there is no segment ${JSON.stringify(subject.id)}`,
  });
  return undefined;
}

function findEffectFaults(effects: EffectsMessage, snapshot: RuleSnapshot): readonly FieldFault[] {
  const list = createFaultList();
  checkEffects({
    faults: list,
    psps: new Set(snapshot.pspOrdinals.keys()),
    policies: new Set(snapshot.retryPolicies.keys()),
    effects,
    path: "effects",
    ruleClass: "OVERRIDE",
  });
  const faults = list.faults.map(({ path, rule, message }): FieldFault => ({ field: path, rule, message }));
  const limits = new Map(snapshot.limits.map((limit) => [limit.id, limit]));
  effects.allow.forEach((id, at) => {
    const ordinal = snapshot.ruleOrdinals.get(id);
    const lifted = ordinal === undefined ? limits.get(id) : snapshot.rules[ordinal]!;
    const field = `effects.allow[${at}]`;
    if (lifted === undefined)
      faults.push({
        field,
        rule: "unknown-rule",
        message: `there is no rule or limit ${JSON.stringify(id)}`,
      });
    else if (lifted.ruleClass !== "RISK") {
      faults.push({
        field,
        rule: "lifts-risk-only",
        message: `${id} is of class ${lifted.ruleClass}; only RISK rules and limits can be lifted`,
      });
    }
  });
  effects.limitThresholds.forEach((threshold, at) => {
    const field = `effects.limit_thresholds[${at}]`;
    const fault = findThresholdFault(threshold, limits.get(threshold.limit));
    if (fault !== undefined) faults.push({ ...fault, field: `${field}${fault.field}` });
  });
  return faults;
}

/** A threshold is replaced in the measure and the currency of its limit, and never of a limit of classes 1 and 2. */
function findThresholdFault(
  { limit: id, amount }: Effects_LimitThreshold,
  limit: LimitSpec | undefined,
): FieldFault | undefined {
  if (limit === undefined) {
    return { field: ".limit", rule: "unknown-limit", message: `there is no limit ${JSON.stringify(id)}` };
  }
  const { ruleClass, currency } = limit;
  if (rankOf[ruleClass] < rankOf.RISK) {
    const message = `${id} is of class ${ruleClass}; thresholds are replaced in RISK, SEGMENT and DEFAULT only`;
    return { field: ".limit", rule: "threshold-protected", message };
  }
  if ((amount?.currencyCode ?? "") === currency) return undefined;
  const message =
    currency === ""
      ? `the threshold of ${id} is a number`
      : `the threshold of ${id} is an amount in ${currency}`;
  return { field: "", rule: "threshold-measure", message };
}
