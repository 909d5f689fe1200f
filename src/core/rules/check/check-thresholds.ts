import type { Limit, Limit_Threshold } from "../../../gen/switchyard/v1/rule_set_pb.js";
import { Limit_Measure } from "../../../gen/switchyard/v1/rule_set_pb.js";
import { quote } from "../../cel/faults.ts";
import type { FaultList } from "../document/fault.ts";
import type { CheckInput } from "./check-input.ts";
import { checkMoney, checkReference, checkSize } from "./values.ts";

const thresholdsMax = 16;

/** Checks the thresholds of a limit: 1 to 16, of its measure, sums in one currency, the last and no other for everybody. */
export function checkThresholdList(
  { faults, segments }: CheckInput,
  { thresholds, measure }: Limit,
  path: string,
): void {
  if (thresholds.length === 0) faults.error(path, "missing", "a limit needs a threshold");
  if (!checkSize(faults, path, thresholds.length, thresholdsMax)) return;
  const seen = new Set<string>();
  const currency = thresholds[0]?.amount?.currencyCode;
  for (const [index, threshold] of thresholds.entries()) {
    const at = `${path}[${index}]`;
    const { segment, amount } = threshold;
    const isLast = index === thresholds.length - 1;
    if (isLast && segment !== "") {
      const message = "the last threshold is for everybody: add one without a segment";
      faults.error(`${at}.segment`, "threshold-order", message);
    } else if (!isLast && segment === "") {
      const message = "only the last threshold is for everybody; those behind it would never be asked";
      faults.error(`${at}.segment`, "threshold-order", message);
    } else if (segment !== "" && seen.has(segment)) {
      faults.error(`${at}.segment`, "duplicate", `${quote(segment)} has a threshold already`);
    } else if (segment !== "") {
      checkReference(faults, `${at}.segment`, segment, {
        ids: segments,
        rule: "unknown-segment",
        noun: "segment",
      });
    }
    seen.add(segment);
    if (measure !== Limit_Measure.MEASURE_UNSPECIFIED) checkThreshold(faults, threshold, measure, at);
    if (amount !== undefined && currency !== undefined && amount.currencyCode !== currency) {
      const message = `the thresholds of a limit are in one currency, the first in ${currency}`;
      faults.error(`${at}.amount.currency_code`, "threshold-currency", message);
    }
  }
}

/** Checks that a threshold is an amount for sums and else a number. */
function checkThreshold(
  faults: FaultList,
  { amount, count }: Pick<Limit_Threshold, "amount" | "count">,
  measure: Limit_Measure,
  path: string,
): void {
  if (measure === Limit_Measure.GROSS || measure === Limit_Measure.NET) {
    if (count !== 0n) faults.error(`${path}.count`, "not-for-measure", "the threshold of a sum is an amount");
    if (amount === undefined)
      faults.error(`${path}.amount`, "missing", "the threshold of a sum is an amount");
    else checkMoney(faults, `${path}.amount`, amount);
    return;
  }
  if (amount !== undefined)
    faults.error(`${path}.amount`, "not-for-measure", "the threshold of a count is a number");
  checkCount(faults, `${path}.count`, count);
}

/** A number of things, 1 at least: whoever wants none writes a rule that denies. */
export function checkCount(faults: FaultList, path: string, count: bigint): void {
  if (count > BigInt(Number.MAX_SAFE_INTEGER))
    faults.error(path, "out-of-range", "numbers are at most 2^53 - 1");
  else if (count <= 0n) faults.error(path, "positive", "the number must be greater than 0");
}
