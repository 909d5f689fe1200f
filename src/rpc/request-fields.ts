import type { DescMessage, Message } from "@bufbuild/protobuf";
import { reflect } from "@bufbuild/protobuf/reflect";
import type { FieldFault } from "../core/field-fault.ts";
import type { Managed } from "../manage/failure.ts";
import type { Merchants } from "../manage/merchants.ts";
import { FieldChecks } from "./codec/field-checks.ts";
import { invalidFields, managementError, missing } from "./errors.ts";

/** The merchant of a call. Throws NotFound for an unknown one, InvalidArgument for what can be no merchant. */
export function resolveMerchant(merchants: Merchants, merchantId: string): string {
  const id = merchantId === "" ? "default" : merchantId;
  if (merchants.has(id)) return id;
  // Checked before it is repeated to the caller: it may be a card number.
  const checks = new FieldChecks();
  checks.text("merchant_id", id);
  refuseFaults(checks.faults);
  throw missing("merchant", id);
}

/** Runs the checks of a request and throws InvalidArgument with all that they found. */
export function checkRequest<T>(schema: DescMessage, request: Message, check: (checks: FieldChecks) => T): T {
  const checks = new FieldChecks();
  checks.noUnknownFieldsWithin("", reflect(schema, request));
  const result = check(checks);
  refuseFaults(checks.faults);
  return result;
}

function refuseFaults(faults: readonly FieldFault[]): void {
  if (faults.length > 0) throw invalidFields(faults);
}

/** The value of a managed call; throws the error of its failure. */
export function unwrap<T>(managed: Managed<T>): T {
  if (managed.ok) return managed.value;
  throw managementError(managed.failure);
}

/** An optional int64 version or sequence as a number. */
export function decodeVersion(checks: FieldChecks, field: string, version: bigint): number {
  const value = checks.safeInt(field, version);
  if (value < 0) checks.note(field, "not-negative", `${field} must not be negative`);
  return value;
}
