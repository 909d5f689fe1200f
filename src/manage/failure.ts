import type { FieldFault } from "../core/field-fault.ts";
import type { DocumentFault } from "../core/rules/compilation.ts";

/** Why an admin's call was refused. Values, not exceptions: `rpc/errors.ts` gives them codes. */
export type ManageFailure =
  | { readonly kind: "invalid"; readonly faults: readonly FieldFault[] }
  | {
      readonly kind: "invalid_document";
      readonly faults: readonly DocumentFault[];
      readonly faultsOmitted: number;
    }
  | { readonly kind: "missing"; readonly what: string; readonly id: string }
  | { readonly kind: "version_conflict"; readonly expected: number; readonly current: number }
  /** The call is right but must not be carried out as things stand. */
  | { readonly kind: "precondition"; readonly faults: readonly FieldFault[] };

export type Managed<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly failure: ManageFailure };

export function succeed<T>(value: T): Managed<T> {
  return { ok: true, value };
}

export function fail(failure: ManageFailure): { readonly ok: false; readonly failure: ManageFailure } {
  return { ok: false, failure };
}

export function failInvalid(field: string, rule: string, message: string): ReturnType<typeof fail> {
  return fail({ kind: "invalid", faults: [{ field, rule, message }] });
}

/** A failure in words, for logs and for people who start the service. */
export function describeFailure(failure: ManageFailure): string {
  switch (failure.kind) {
    case "invalid":
    case "precondition":
      return failure.faults.map(({ field, message }) => `${field}: ${message}`).join("; ");
    case "invalid_document":
      return failure.faults
        .filter(({ severity }) => severity === "ERROR")
        .map(({ path, line, column, rule, message }) => `${line}:${column} ${path} ${rule}: ${message}`)
        .join("; ");
    case "missing":
      return `there is no ${failure.what} ${failure.id}`;
    case "version_conflict":
      return `expected version ${failure.expected}, the current one is ${failure.current}`;
  }
}
