import {
  type ConditionNode,
  type ConditionTrace,
  ConditionTrace_Truth,
  type Trace,
} from "../gen/switchyard/v1/decision_pb.js";
import type { Paint } from "./io.ts";
import { formatReasons } from "./show-reasons.ts";
import { type Cell, formatTable, toPrintable } from "./table.ts";

/** Everything that led to a decision: facts, every condition part by part, every PSP, and who won each facet. */
export function formatTrace(trace: Trace, paint: Paint): string {
  const titled = (titles: readonly string[], rows: readonly Cell[][]): string =>
    rows.length === 0
      ? ""
      : formatTable(
          titles.map((title) => ({ title })),
          rows,
          paint.bold,
        );
  const parts = [
    titled(
      ["Fact", "Value", "From"],
      trace.facts.map(({ name, value, source }) => [name, value, source]),
    ),
    trace.conditions.length === 0
      ? ""
      : `${paint.bold("Conditions")}\n${trace.conditions.map((each) => formatCondition(each, paint)).join("")}`,
    titled(
      ["PSP", "Place", "Removed by", "Detail"],
      trace.psps.map(({ psp, rank, removedBy, detail, score }) => [
        psp,
        rank > 0 ? String(rank) : "",
        removedBy,
        [detail, ...Object.entries(score).map(([name, value]) => `${name} ${value}`)]
          .filter((text) => text)
          .join(", "),
      ]),
    ),
    titled(
      ["Facet", "Result", "Won by"],
      trace.facets.map(({ facet, result, winners }) => [facet, result, winners.join(", ")]),
    ),
    trace.reasons.length === 0 ? "" : `All reasons\n${formatReasons(trace.reasons, paint)}`,
    trace.notes.length === 0 ? "" : trace.notes.map((note) => `${toPrintable(note)}\n`).join(""),
  ];
  return parts.filter((part) => part !== "").join("\n");
}

function formatCondition({ path, truth, skipped, condition }: ConditionTrace, paint: Paint): string {
  const why = skipped === "" ? "" : ` (${toPrintable(skipped)})`;
  const head = `${formatTruth(truth, paint)} ${toPrintable(path)}${why}\n`;
  return condition === undefined ? head : head + formatNode(condition, 1, paint);
}

export function formatNode(
  { text, truth, values, parts }: ConditionNode,
  depth: number,
  paint: Paint,
): string {
  const read = Object.entries(values).map(([name, value]) => `${name} = ${value}`);
  const shown = read.length === 0 ? "" : paint.dim(toPrintable(`  [${read.join(", ")}]`));
  const line = `${"  ".repeat(depth)}${formatTruth(truth, paint)} ${toPrintable(text)}${shown}\n`;
  return line + parts.map((part) => formatNode(part, depth + 1, paint)).join("");
}

/** Seven characters wide, so that what follows stands in line. */
function formatTruth(truth: ConditionTrace_Truth, paint: Paint): string {
  switch (truth) {
    case ConditionTrace_Truth.TRUE:
      return paint.green("true   ");
    case ConditionTrace_Truth.FALSE:
      return paint.red("false  ");
    default:
      return paint.yellow("unknown");
  }
}
