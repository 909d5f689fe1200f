import { Code, ConnectError } from "@connectrpc/connect";
import {
  DecisionConflict_Kind,
  DecisionConflictSchema,
  RetryInfoSchema,
} from "../gen/switchyard/v1/decision_pb.js";
import {
  type DocumentFault,
  DocumentFault_Severity,
  DocumentFaultSchema,
  FieldFaultSchema,
  MissingSchema,
  VersionConflictSchema,
} from "../gen/switchyard/v1/fault_pb.js";
import { type ExitName, exitOf } from "./exit-codes.ts";
import { toPrintable } from "./table.ts";

/** Why a command ends early: what to tell on stderr, a line each, and how to exit. */
export class CliFailure extends Error {
  readonly exit: ExitName;
  readonly lines: readonly string[];

  constructor(exit: ExitName, lines: readonly string[], cause?: unknown) {
    super(lines.join("\n"), { cause });
    this.name = "CliFailure";
    this.exit = exit;
    this.lines = lines;
  }
}

/** The command line, or a file that it names, is wrong. */
export function usageFailure(...lines: readonly string[]): CliFailure {
  return new CliFailure("usage", lines);
}

/**
 * An error of a call as a failure: the message, then a line for each typed detail. Faults of a document are told as
 * `file:line:column rule message`.
 */
export function callFailure(thrown: unknown, documentName = "document"): CliFailure {
  const error = ConnectError.from(thrown);
  const lines = [
    `${kebabCode(error.code)}: ${toPrintable(error.rawMessage)}`,
    ...error
      .findDetails(FieldFaultSchema)
      .map(({ field, rule, message }) => `  ${toPrintable(`${field}: ${rule}: ${message}`)}`),
    ...error.findDetails(DocumentFaultSchema).map((fault) => formatDocumentFault(documentName, fault)),
    ...error
      .findDetails(MissingSchema)
      .map(({ kind, id }) => `  ${toPrintable(`missing: ${kind} ${JSON.stringify(id)}`)}`),
    ...error
      .findDetails(VersionConflictSchema)
      .map(
        ({ expectedVersion, currentVersion }) => `  expected ${expectedVersion}, current ${currentVersion}`,
      ),
    ...error.findDetails(DecisionConflictSchema).map(({ kind, paymentId, fields, currentRevision }) => {
      const differing = fields.length > 0 ? `, differs in ${fields.join(", ")}` : "";
      const text = `${DecisionConflict_Kind[kind]}: payment ${paymentId}, revision ${currentRevision}${differing}`;
      return `  ${toPrintable(text)}`;
    }),
    ...error
      .findDetails(RetryInfoSchema)
      .flatMap(({ retryAfter }) => (retryAfter ? [`  try again after ${retryAfter.seconds} s`] : [])),
  ];
  if (error.findDetails(MissingSchema).some(({ kind }) => kind === "segment"))
    lines.push("  `switchyard segments list` has them all");
  if (error.code === Code.Unavailable) lines.push("  is the service running? `npm start` starts it");
  return new CliFailure(exitOf(error), lines, thrown);
}

/** A fault of a rule set on one line, as compilers write them, so that editors can jump there. */
export function formatDocumentFault(
  file: string,
  fault: Pick<DocumentFault, "severity" | "path" | "line" | "column" | "rule" | "message">,
): string {
  const at = fault.line > 0 ? `${file}:${fault.line}:${Math.max(1, fault.column)}` : file;
  const warning = fault.severity === DocumentFault_Severity.WARNING ? "warning: " : "";
  const path = fault.path === "" ? "" : ` (${fault.path})`;
  return toPrintable(`${at} ${warning}${fault.rule} ${fault.message}${path}`);
}

/** `FailedPrecondition` as `failed-precondition`. */
export function kebabCode(code: Code): string {
  return (Code[code] ?? "unknown").replace(/(?<=[a-z])[A-Z]/g, (letter) => `-${letter}`).toLowerCase();
}
