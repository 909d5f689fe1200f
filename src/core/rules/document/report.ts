import type { RuleSet } from "../../../gen/switchyard/v1/rule_set_pb.js";
import type { Compilation, DocumentFault } from "../compilation.ts";
import { nameResponse } from "../response-codes.ts";
import type { FaultList, RawFault } from "./fault.ts";
import { type Locator, type Place, splitPath } from "./locate.ts";
import type { ReadDocument } from "./read-document.ts";

/** Faults that are listed; the rest are counted. */
const faultsMax = 200;

/** Locates faults in their text and puts them in order of place. Where there are too many, errors are listed rather than warnings. */
export function reportFaults(
  list: FaultList,
  { ruleSet, locator }: ReadDocument,
): Pick<Compilation, "faults" | "faultsOmitted"> {
  const located = list.faults.map((fault): DocumentFault => {
    const { severity, path, rule, message } = fault;
    return {
      severity,
      path,
      ...placeOf(fault, locator),
      rule,
      message,
      id: ruleSet === undefined ? "" : idAt(ruleSet, path),
    };
  });
  const byPlace = (a: DocumentFault, b: DocumentFault): number => a.line - b.line || a.column - b.column;
  const byWeight = (a: DocumentFault, b: DocumentFault): number =>
    Number(a.severity === "WARNING") - Number(b.severity === "WARNING") || byPlace(a, b);
  return {
    faults: located.sort(byWeight).slice(0, faultsMax).sort(byPlace),
    faultsOmitted: Math.max(0, located.length - faultsMax) + list.dropped(),
  };
}

function placeOf({ path, offset, inText }: RawFault, locator: Locator | undefined): Place {
  if (locator === undefined) return { line: 0, column: 0 };
  if (offset !== undefined) return locator.placeAt(offset);
  const node = locator.nodeAt(path);
  if (node === undefined) return { line: 1, column: 1 };
  // Only where the text stands in the document as it is, on one line, is a place in the one a place in the other.
  if (inText?.line === 1 && node.kind === "scalar" && node.textStart !== undefined) {
    return locator.placeAt(node.textStart + inText.column - 1);
  }
  return locator.placeAt(node.start);
}

/** The id, or the name of the attribute, of the entry that a path leads into. */
function idAt(ruleSet: RuleSet, path: string): string {
  const [section = "", index = ""] = splitPath(path);
  switch (section) {
    case "psps":
    case "lists":
    case "segments":
    case "rules":
    case "brands":
    case "features":
    case "lifecycles":
    case "limits":
    case "models":
      return ruleSet[section][Number(index)]?.id ?? "";
    case "retry_policies":
      return ruleSet.retryPolicies[Number(index)]?.id ?? "";
    case "scheme_caps":
      return ruleSet.schemeCaps[Number(index)]?.id ?? "";
    case "response_codes": {
      const entry = ruleSet.responseCodes[Number(index)];
      return entry === undefined ? "" : nameResponse(entry);
    }
    case "policy_packs":
      return ruleSet.policyPacks[Number(index)]?.id ?? "";
    case "event_types":
      return ruleSet.eventTypes[Number(index)]?.name ?? "";
    case "attributes":
      return ruleSet.attributes[Number(index)]?.name ?? "";
    default:
      return "";
  }
}
