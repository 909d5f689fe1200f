import { parse } from "@bufbuild/cel";
import { type FaultSink, quote } from "./faults.ts";
import { scanText } from "./scan.ts";
import { type Node, readSyntax } from "./syntax.ts";

/**
 * Reads the text of a condition into a syntax tree.
 *
 * Fails:  undefined with located faults in the sink: `too-long`, `not-well-formed`, `unbalanced`, `nesting-too-deep`, `syntax`,
 *         `too-many-nodes`, `list-too-long`, and the refusals of what the language leaves out.
 * Source: DESIGN.md 4.1. `@bufbuild/cel` parses; its offsets are UTF-16 units.
 */
export function parseCondition(text: string, faults: FaultSink): Node | undefined {
  const clean = scanText(text, faults);
  if (clean === undefined) return undefined;
  try {
    return readSyntax(clean, parse(clean), faults);
  } catch (error) {
    return faults.add(offsetOf(error), "syntax", describe(error, clean));
  }
}

type ParserError = Error & { readonly location: { readonly start: { readonly offset: number } } };

function isParserError(error: unknown): error is ParserError {
  return error instanceof Error && "location" in error;
}

function offsetOf(error: unknown): number {
  return isParserError(error) ? error.location.start.offset : 0;
}

/** The parser's own words name every token that it might have liked; where it stopped says more. */
function describe(error: unknown, text: string): string {
  if (!isParserError(error)) return "this cannot be parsed as CEL";
  if (error.message.includes("reserved")) return "this is a reserved word of CEL";
  const rest = text.slice(error.location.start.offset).trimStart();
  return rest === "" ? "the condition ends too early" : `this cannot be parsed as CEL from ${quote(rest)} on`;
}
