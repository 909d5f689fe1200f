import type { Reason } from "../gen/switchyard/v1/decision_pb.js";
import { Rule_Class } from "../gen/switchyard/v1/rule_set_pb.js";
import type { Paint } from "./io.ts";
import { type Cell, formatTable } from "./table.ts";

/** Reasons in their order; nothing where there are none. */
export function formatReasons(reasons: readonly Reason[], paint: Paint): string {
  if (reasons.length === 0) return "";
  const rows = reasons.map(({ code, ruleClass, sourceId, detail, playerMessageKey }): Cell[] => [
    code,
    nameClass(ruleClass),
    sourceId,
    playerMessageKey,
    detail,
  ]);
  const titles = ["Reason", "Class", "Source", "Player message", "Detail"];
  return formatTable(
    titles.map((title) => ({ title })),
    rows,
    paint.bold,
  );
}

/** `REGULATORY` and so on; empty where no rule speaks. */
export function nameClass(ruleClass: Rule_Class): string {
  return ruleClass === Rule_Class.CLASS_UNSPECIFIED ? "" : (Rule_Class[ruleClass] ?? String(ruleClass));
}
