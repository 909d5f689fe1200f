import type { DescMessage, MessageInitShape } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import type { FieldFault } from "../core/field-fault.ts";
import { DecisionConflictSchema, RetryInfoSchema } from "../gen/switchyard/v1/decision_pb.js";
import {
  DocumentFaultSchema,
  FieldFaultSchema,
  MissingSchema,
  VersionConflictSchema,
} from "../gen/switchyard/v1/fault_pb.js";
import type { ManageFailure } from "../manage/failure.ts";
import { encodeDocumentFault } from "./codec/encode-rule-sets.ts";

/** Most details that one error carries; the message says how many there were. */
const detailsMax = 100;

type Detail = { readonly desc: DescMessage; readonly value: MessageInitShape<DescMessage> };

/**
 * Every way in which a call can fail, with its code and the type of its details: the only place that knows codes, for every transport.
 * `docs/errors.md` lists them, and a test compares the two. A payment that is refused is an answer and not here.
 */
export const errorKinds = {
  invalid: {
    code: Code.InvalidArgument,
    detail: FieldFaultSchema.typeName,
    when: "A field is missing, malformed or out of range.",
  },
  invalid_document: {
    code: Code.InvalidArgument,
    detail: DocumentFaultSchema.typeName,
    when: "A rule set has faults; each names its line and the broken rule.",
  },
  missing: {
    code: Code.NotFound,
    detail: MissingSchema.typeName,
    when: "The merchant, player, rule set, segment, override or PSP is unknown.",
  },
  version_conflict: {
    code: Code.Aborted,
    detail: VersionConflictSchema.typeName,
    when: "Somebody else pushed, activated or changed overrides first.",
  },
  precondition: {
    code: Code.FailedPrecondition,
    detail: FieldFaultSchema.typeName,
    when: "The call is right but must not be carried out as things stand: it would loosen the law or orphan overrides.",
  },
  decision_conflict: {
    code: Code.FailedPrecondition,
    detail: DecisionConflictSchema.typeName,
    when: "IDEMPOTENCY_CONFLICT, STALE_REVISION, PAYMENT_CLOSED or NO_ACTIVE_RULE_SET.",
  },
  forgotten: {
    code: Code.OutOfRange,
    detail: FieldFaultSchema.typeName,
    when: "A stream is to go on where nothing is kept any more: list what stands, then watch from now on.",
  },
  unavailable: {
    code: Code.Unavailable,
    detail: RetryInfoSchema.typeName,
    when: "The store can't be written, so no answer may leave.",
  },
  internal: {
    code: Code.Internal,
    detail: "",
    when: 'A bug. The text is always "internal error"; the cause goes to the log.',
  },
} as const satisfies Record<string, { readonly code: Code; readonly detail: string; readonly when: string }>;

/** INVALID_ARGUMENT naming each field and the rule that it breaks. */
export function invalidFields(faults: readonly FieldFault[]): ConnectError {
  return makeError(
    errorKinds.invalid.code,
    summarise(faults.map(({ message }) => message)),
    faults.map(toFieldDetail),
  );
}

export function invalidField(field: string, rule: string, message: string): ConnectError {
  return invalidFields([{ field, rule, message }]);
}

export function missing(kind: string, id: string): ConnectError {
  const value = { kind, id };
  return makeError(errorKinds.missing.code, `no ${kind.replace("_", " ")} ${JSON.stringify(id)}`, [
    { desc: MissingSchema, value },
  ]);
}

export function decisionConflict(
  message: string,
  value: MessageInitShape<typeof DecisionConflictSchema>,
): ConnectError {
  return makeError(errorKinds.decision_conflict.code, message, [{ desc: DecisionConflictSchema, value }]);
}

/** What came after a sequence is no longer kept, or the sequence was never given. */
export function forgotten(field: string, sequence: number, newest: number): ConnectError {
  const why =
    sequence > newest
      ? `${sequence} was never given, the newest is ${newest}`
      : `what came after ${sequence} is not kept`;
  const message = `${why}: list the members, and watch from now on`;
  return makeError(errorKinds.forgotten.code, message, [toFieldDetail({ field, rule: "kept", message })]);
}

/** The store can't be written or read; worth a try after `retryAfterMs`. */
export function unavailable(message: string, retryAfterMs: number): ConnectError {
  return makeError(errorKinds.unavailable.code, message, [retryDetail(retryAfterMs)]);
}

/** The error of an admin's call that was refused. */
export function managementError(failure: ManageFailure): ConnectError {
  switch (failure.kind) {
    case "invalid":
      return invalidFields(failure.faults);
    case "invalid_document": {
      const messages = failure.faults
        .filter(({ severity }) => severity === "ERROR")
        .map(({ path, line, message }) => `${path}${line > 0 ? ` (line ${line})` : ""}: ${message}`);
      const details = failure.faults.map((fault) => ({
        desc: DocumentFaultSchema,
        value: encodeDocumentFault(fault),
      }));
      return makeError(errorKinds.invalid_document.code, summarise(messages, failure.faultsOmitted), details);
    }
    case "missing":
      return missing(failure.what, failure.id);
    case "version_conflict": {
      const value = { expectedVersion: BigInt(failure.expected), currentVersion: BigInt(failure.current) };
      const message = `expected version ${failure.expected}, the current one is ${failure.current}`;
      return makeError(errorKinds.version_conflict.code, message, [{ desc: VersionConflictSchema, value }]);
    }
    case "precondition":
      return makeError(
        errorKinds.precondition.code,
        summarise(failure.faults.map(({ message }) => message)),
        failure.faults.map(toFieldDetail),
      );
  }
}

function makeError(code: Code, message: string, details: readonly Detail[]): ConnectError {
  return new ConnectError(message, code, undefined, details.slice(0, detailsMax));
}

function toFieldDetail({ field, rule, message }: FieldFault): Detail {
  return { desc: FieldFaultSchema, value: { field, rule, message } };
}

function retryDetail(retryAfterMs: number): Detail {
  const value = {
    retryAfter: {
      seconds: BigInt(Math.floor(retryAfterMs / 1000)),
      nanos: (retryAfterMs % 1000) * 1_000_000,
    },
  };
  return { desc: RetryInfoSchema, value };
}

/** The first three messages and how many more there are. */
function summarise(messages: readonly string[], omitted = 0): string {
  const more = messages.length - 3 + omitted;
  return messages.slice(0, 3).join("; ") + (more > 0 ? `; and ${more} more` : "");
}
