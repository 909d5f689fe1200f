import { readFileSync } from "node:fs";
import { Code, ConnectError } from "@connectrpc/connect";
import { describe, expect, test } from "vitest";
import {
  DocumentFaultSchema,
  FieldFaultSchema,
  VersionConflictSchema,
} from "../gen/switchyard/v1/fault_pb.js";
import { errorKinds, invalidField, managementError } from "./errors.ts";

describe("errors", () => {
  test("are documented, each with its code, detail and cause", () => {
    const text = readFileSync(new URL("../../docs/errors.md", import.meta.url), "utf8");
    const rows = text.split("\n").filter((line) => line.startsWith("| `"));
    const wanted = Object.entries(errorKinds).map(
      ([kind, { code, detail, when }]) =>
        `| \`${kind}\` | ${Code[code]} | ${detail === "" ? "-" : `\`${detail}\``} | ${when} |`,
    );
    expect(rows).toEqual(wanted);
  });

  test("name field and rule in a typed detail", () => {
    const error = invalidField("amount.minor_units", "positive", "amount.minor_units must be positive");
    expect(error.code).toBe(Code.InvalidArgument);
    expect(error.findDetails(FieldFaultSchema)).toMatchObject([
      { field: "amount.minor_units", rule: "positive" },
    ]);
  });

  test("tell both versions where somebody else was first", () => {
    const error = managementError({ kind: "version_conflict", expected: 3, current: 4 });
    expect(error.code).toBe(Code.Aborted);
    expect(error.findDetails(VersionConflictSchema)).toMatchObject([
      { expectedVersion: 3n, currentVersion: 4n },
    ]);
  });

  test("carry at most 100 details and say how many faults there are", () => {
    const fault = {
      severity: "ERROR",
      path: "rules[0].when",
      line: 7,
      column: 3,
      rule: "syntax",
      message: "oops",
      id: "r",
    } as const;
    const error = managementError({
      kind: "invalid_document",
      faults: Array(150).fill(fault),
      faultsOmitted: 50,
    });
    expect(error).toBeInstanceOf(ConnectError);
    expect(error.findDetails(DocumentFaultSchema)).toHaveLength(100);
    expect(error.rawMessage).toContain("rules[0].when (line 7): oops");
    expect(error.rawMessage).toContain("and 197 more");
  });
});
