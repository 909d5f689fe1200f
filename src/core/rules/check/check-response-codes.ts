import { equals } from "@bufbuild/protobuf";
import { Outcome_Class } from "../../../gen/switchyard/v1/payment_pb.js";
import {
  type ResponseCode,
  ResponseCode_Block,
  ResponseCodeSchema,
} from "../../../gen/switchyard/v1/rule_set_pb.js";
import { quote } from "../../cel/faults.ts";
import type { FaultList } from "../document/fault.ts";
import { toMs } from "../names.ts";
import { keyResponse } from "../response-codes.ts";
import type { CheckInput } from "./check-input.ts";
import { checkSpan } from "./check-rules.ts";
import {
  checkDuration,
  checkReference,
  checkScheme,
  checkSet,
  checkSize,
  checkText,
  keyMax,
} from "./values.ts";

const codesMax = 4_096;
const fieldsMax = 16;
const pspCodeMax = 64;
const meaningMax = 256;
const dayMs = 86_400_000;

const { APPROVED, PARTIAL, WAIT, GENERIC, TECH_NOT_PROCESSED, ISSUER_DOWN, UNKNOWN, PENDING, ABANDONED } =
  Outcome_Class;
/** What says that money moves; only a PSP's own code may. */
const charging: readonly Outcome_Class[] = [APPROVED, PARTIAL];
/** Classes after which waiting helps. */
const waiting: readonly Outcome_Class[] = [WAIT, GENERIC, TECH_NOT_PROCESSED, ISSUER_DOWN];
/** Classes that say nothing against the card. */
const blameless: readonly Outcome_Class[] = [APPROVED, PARTIAL, UNKNOWN, PENDING, ABANDONED];

/** Checks the section `response_codes`. */
export function checkResponseCodes(input: CheckInput): void {
  const { responseCodes } = input.ruleSet;
  if (!checkSize(input.faults, "response_codes", responseCodes.length, codesMax)) return;
  for (const [index, entry] of responseCodes.entries()) {
    const path = `response_codes[${index}]`;
    checkAnswer(input, entry, path);
    checkMeaning(input.faults, entry, path);
    checkSpan(input, entry, path, { noun: "entry", isPacked: true });
  }
  checkOverlaps(input.faults, responseCodes);
}

/** Which answer an entry is for. */
function checkAnswer({ faults, psps }: CheckInput, entry: ResponseCode, path: string): void {
  const { psp, pspCode, scheme, code, adviceCode } = entry;
  if (pspCode === "" && code === "" && adviceCode === "")
    faults.error(path, "missing", "say of which answer: psp_code, code or advice_code");
  if (psp !== "") checkReference(faults, `${path}.psp`, psp, { ids: psps, rule: "unknown-psp", noun: "PSP" });
  else if (pspCode !== "") faults.error(`${path}.psp`, "missing", "say whose code psp_code is");
  checkText(faults, `${path}.psp_code`, pspCode, pspCodeMax);
  if (scheme !== "") checkScheme(faults, `${path}.scheme`, scheme);
  if (code !== "" && !/^[0-9A-Z]{2}$/.test(code)) {
    const message = `${quote(code)} is no response code: two digits or capitals, such as "05" or "1A"`;
    faults.error(`${path}.code`, "bad-code", message);
  }
  if (adviceCode !== "" && !/^\d{2}$/.test(adviceCode)) {
    const message = `${quote(adviceCode)} is no advice code: two digits, such as "03"`;
    faults.error(`${path}.advice_code`, "bad-code", message);
  }
}

/** What an entry says of its answer. */
function checkMeaning(faults: FaultList, entry: ResponseCode, path: string): void {
  const { outcome, pspCode, wait, fields, meaning } = entry;
  checkText(faults, `${path}.meaning`, meaning, meaningMax);
  checkSet(faults, { path: `${path}.fields`, values: fields, max: fieldsMax }, (at, field) =>
    checkText(faults, at, field, keyMax),
  );
  if (wait !== undefined)
    checkDuration(faults, `${path}.wait`, wait, { min: 0, max: 30 * dayMs, said: "at most 30 days" });
  checkBlock(faults, entry, path);
  if (outcome === Outcome_Class.CLASS_UNSPECIFIED) {
    faults.error(`${path}.outcome`, "missing", "say which class of outcomes the answer is");
    return;
  }
  const name = Outcome_Class[outcome];
  if (charging.includes(outcome) && pspCode === "") {
    const message = `only a PSP's own code may mean ${name}: what the networks approve is known`;
    faults.error(`${path}.outcome`, "approved-by-code", message);
  }
  if (fields.length > 0 && outcome !== Outcome_Class.DATA)
    faults.error(`${path}.fields`, "not-for-outcome", `${name} changes no fields, DATA does`);
  if (wait !== undefined && !waiting.includes(outcome))
    faults.error(`${path}.wait`, "not-for-outcome", `${name} waits for nothing`);
}

function checkBlock(faults: FaultList, { outcome, block, blockFor }: ResponseCode, path: string): void {
  const isBlocking = block !== ResponseCode_Block.BLOCK_UNSPECIFIED;
  if (isBlocking && blameless.includes(outcome)) {
    const message = `${Outcome_Class[outcome]} says nothing against the card, so nothing is blocked`;
    faults.error(`${path}.block`, "not-for-outcome", message);
  }
  if (blockFor === undefined) return;
  if (!isBlocking) faults.error(`${path}.block`, "missing", "say what is blocked for so long");
  const bounds = { min: 1, max: 1_000 * dayMs, said: "more than 0 and at most 1,000 days" };
  checkDuration(faults, `${path}.block_for`, blockFor, bounds);
}

type Placed = { readonly entry: ResponseCode; readonly path: string };

/** Entries for the same answer: two that overlap contradict each other, or one of them is never needed. */
function checkOverlaps(faults: FaultList, entries: readonly ResponseCode[]): void {
  const byAnswer = new Map<string, Placed[]>();
  for (const [index, entry] of entries.entries()) {
    const placed = { entry, path: `response_codes[${index}]` };
    const key = keyResponse(entry);
    const others = byAnswer.get(key);
    if (others === undefined) byAnswer.set(key, [placed]);
    else others.push(placed);
  }
  for (const group of byAnswer.values()) {
    const ordered = [...group].sort((a, b) => startOf(a) - startOf(b) || endOf(b) - endOf(a));
    let last: Placed | undefined;
    for (const placed of ordered) {
      if (last !== undefined && startOf(placed) < endOf(last)) tellOverlap(faults, last, placed);
      if (last === undefined || endOf(placed) > endOf(last)) last = placed;
    }
  }
}

function tellOverlap(faults: FaultList, first: Placed, second: Placed): void {
  if (!saysSame(first.entry, second.entry)) {
    const message = `${first.path} says something else of the same answer at the same time`;
    faults.error(second.path, "code-conflict", message);
  } else if (endOf(second) <= endOf(first)) {
    const message = `${first.path} says the same at all times of this entry`;
    faults.add({ severity: "WARNING", path: second.path, rule: "code-shadowed", message });
  }
}

/** Whether two entries for the same answer mean the same, whenever they hold. */
function saysSame(first: ResponseCode, second: ResponseCode): boolean {
  const { from, until, meaning } = first;
  const { from: _from, until: _until, ...rest } = second;
  return equals(ResponseCodeSchema, first, {
    ...rest,
    meaning,
    fields: [...second.fields],
    ...(from && { from }),
    ...(until && { until }),
  });
}

function startOf({ entry: { from } }: Placed): number {
  return from === undefined ? Number.NEGATIVE_INFINITY : toMs(from);
}

function endOf({ entry: { until } }: Placed): number {
  return until === undefined ? Number.POSITIVE_INFINITY : toMs(until);
}
