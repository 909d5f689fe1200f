import { Code, ConnectError } from "@connectrpc/connect";
import { expect } from "vitest";
import { FieldFaultSchema, VersionConflictSchema } from "../../src/gen/switchyard/v1/fault_pb.js";

/** The error that a call ends with; fails where it does not. */
export async function catchError(call: Promise<unknown>): Promise<ConnectError> {
  try {
    await call;
  } catch (thrown) {
    return ConnectError.from(thrown);
  }
  throw new Error("the call should have been refused");
}

/** ABORTED, with the version that was expected and the one that stands. */
export function expectConflict(error: ConnectError, expectedVersion: bigint, currentVersion: bigint): void {
  expect(error.code).toBe(Code.Aborted);
  expect(error.findDetails(VersionConflictSchema)).toMatchObject([{ expectedVersion, currentVersion }]);
}

/** INVALID_ARGUMENT with just these faults, each as `field rule`. */
export function expectFaults(error: ConnectError, ...faults: readonly string[]): void {
  const details = error.findDetails(FieldFaultSchema).map(({ field, rule }) => `${field} ${rule}`);
  expect({ code: Code[error.code], faults: details }).toEqual({ code: "InvalidArgument", faults });
}

/** FAILED_PRECONDITION with one fault, whose message names something. */
export function expectPrecondition(error: ConnectError, fault: string, names = ""): void {
  const details = error.findDetails(FieldFaultSchema);
  expect(error.code).toBe(Code.FailedPrecondition);
  expect(details.map(({ field, rule }) => `${field} ${rule}`)).toEqual([fault]);
  expect(details[0]?.message).toContain(names);
}
