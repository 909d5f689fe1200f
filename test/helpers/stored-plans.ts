/** Random plans as stores keep them: every kind of edge and of 3DS. */
import fc from "fast-check";
import type { Edge, Plan, Step, StepThreeDs } from "../../src/core/decision.ts";
import { outcomeClasses } from "../../src/core/retry/outcome-class.ts";
import { threeDsReasons } from "../../src/core/sca/three-ds-reasons.ts";
import { instant, list, maybe, record, text, texts } from "./arbitrary-values.ts";

const edge: fc.Arbitrary<Edge> = fc.oneof(
  record({
    action: fc.constantFrom("DONE", "STATUS_CHECK", "VOID_FIRST", "OTHER_METHOD", "NEW_CIT", "STOP"),
  }),
  record({
    action: fc.constant("STEP" as const),
    step: fc.oneof(fc.nat(5), fc.constantFrom(94, 95, 1e9)),
  }),
  record({ action: fc.constant("WAIT_UNTIL" as const), step: fc.nat(9), notBeforeMs: instant }),
  record({ action: fc.constant("CHANGE_DATA" as const), fields: texts }),
  record({ action: fc.constantFrom("LOWER_AMOUNT", "ASK_AGAIN"), notBeforeMs: maybe(instant) }),
);
export const outcomeClass = fc.constantFrom(...outcomeClasses);

const threeDsReason = fc.constantFrom("" as const, ...threeDsReasons.map(({ code }) => code));
const threeDs: fc.Arbitrary<StepThreeDs> = fc.oneof(
  record({ requirement: fc.constantFrom("NONE", "OUT_OF_SCOPE", "NOT_APPLICABLE"), reason: threeDsReason }),
  record({
    requirement: fc.constant("THREE_DS" as const),
    challengeIndicator: text,
    reason: threeDsReason,
    useProof: fc.boolean(),
  }),
  record({ requirement: fc.constant("EXEMPTION" as const), exemption: text, reason: threeDsReason }),
);

const usualEdges = fc
  .array(edge, { minLength: outcomeClasses.length, maxLength: outcomeClasses.length })
  .map((edges) => edges.map((each, at) => ({ outcomeClass: outcomeClasses[at]!, edge: each })));

const step: fc.Arbitrary<Step> = record({
  number: fc.integer({ min: 1, max: 9 }),
  kind: fc.constantFrom("FIRST", "CASCADE", "STEP_UP"),
  psp: text,
  mid: text,
  instrument: text,
  threeDs,
  liabilityShift: fc.constantFrom("EXPECTED", "NOT_EXPECTED", "UNKNOWN"),
  attemptId: text,
  idempotencyKey: text,
  notBeforeMs: maybe(instant),
  edges: fc.oneof(usualEdges, list(record({ outcomeClass, edge }))),
  timeoutMs: fc.integer({ min: 1_000, max: 300_000 }),
  mayResend: fc.boolean(),
});

export const plan: fc.Arbitrary<Plan> = record({
  steps: list(step),
  validUntilMs: instant,
  codeTableVersion: text,
});
