import { readFileSync } from "node:fs";
import { create } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { describe, expect, test } from "vitest";
import { useCliHarness } from "../../test/helpers/cli-harness.ts";
import { DecisionConflict_Kind, DecisionConflictSchema } from "../gen/switchyard/v1/decision_pb.js";
import {
  DocumentFault_Severity,
  DocumentFaultSchema,
  FieldFaultSchema,
  MissingSchema,
  VersionConflictSchema,
} from "../gen/switchyard/v1/fault_pb.js";
import { PushResponseSchema } from "../gen/switchyard/v1/rule_set_service_pb.js";
import { exitCodes } from "./exit-codes.ts";

const { ok, usage, unreachable, refused, conflict, broken } = exitCodes;
const root = new URL("../../", import.meta.url);
const cli = useCliHarness();

describe("exit codes", () => {
  const fail = (code: Code, desc?: unknown, value?: unknown): ConnectError =>
    new ConnectError("it failed", code, undefined, desc === undefined ? [] : [{ desc, value } as never]);
  const cases = [
    {
      name: "a wrong field",
      error: fail(Code.InvalidArgument, FieldFaultSchema, {
        field: "amount",
        rule: "positive",
        message: "must be",
      }),
      code: refused.code,
      err: "invalid-argument: it failed\n  amount: positive: must be\n",
    },
    {
      name: "something unknown",
      error: fail(Code.NotFound, MissingSchema, { kind: "merchant", id: "x" }),
      code: refused.code,
      err: 'not-found: it failed\n  missing: merchant "x"\n',
    },
    {
      name: "a conflict of payments",
      error: fail(Code.FailedPrecondition, DecisionConflictSchema, {
        kind: DecisionConflict_Kind.IDEMPOTENCY_CONFLICT,
        paymentId: "p",
        fields: ["amount"],
      }),
      code: refused.code,
      err: "failed-precondition: it failed\n  IDEMPOTENCY_CONFLICT: payment p, revision 0, differs in amount\n",
    },
    {
      name: "an overloaded service",
      error: fail(Code.ResourceExhausted),
      code: unreachable.code,
      err: "resource-exhausted: it failed\n",
    },
    {
      name: "a bug of the service",
      error: fail(Code.Internal),
      code: broken.code,
      err: "internal: it failed\n",
    },
  ];
  test.each(cases)("$name, through either door", async ({ error, code, err }) => {
    cli.stub.answers.set("Decide", () => {
      throw error;
    });
    for (const via of ["gateway", "admin"]) {
      expect(await cli.run(["decide", "--via", via])).toEqual({ code, out: "", err });
    }
  });

  test("somebody else pushed first", async () => {
    cli.stub.answers.set("Push", () => {
      throw fail(Code.Aborted, VersionConflictSchema, { expectedVersion: 2n, currentVersion: 3n });
    });
    const { code, err } = await cli.run([
      "rules",
      "push",
      cli.file("x.yaml", "x"),
      "--base",
      "2",
      "--author",
      "ann",
    ]);
    expect(code).toBe(conflict.code);
    expect(err).toBe("aborted: it failed\n  expected 2, current 3\n");
  });

  test("an aborted call that names no version is no conflict", async () => {
    cli.stub.answers.set("ListPsps", () => {
      throw fail(Code.Aborted);
    });
    expect((await cli.run(["psps", "list"])).code).toBe(unreachable.code);
  });

  test("faults of a pushed document are told by file and line", async () => {
    cli.stub.answers.set("Push", () => {
      throw fail(Code.InvalidArgument, DocumentFaultSchema, {
        severity: DocumentFault_Severity.ERROR,
        line: 3,
        column: 5,
        rule: "unknown-field",
        message: "no",
        path: "x",
      });
    });
    const path = cli.file("x.yaml", "x");
    const { code, err } = await cli.run(["rules", "push", path, "--base", "0", "--author", "ann"]);
    expect(code).toBe(refused.code);
    expect(err).toContain(`${path}:3:5 unknown-field no (x)\n`);
  });

  test("warnings of a pushed document go to stderr", async () => {
    cli.stub.answers.set("Push", () =>
      create(PushResponseSchema, {
        version: { version: 5n, ruleCount: 2, hash: "abc" },
        warnings: [{ severity: DocumentFault_Severity.WARNING, line: 1, column: 1, rule: "r", message: "m" }],
      }),
    );
    const path = cli.file("x.yaml", "x");
    const { code, out, err } = await cli.run(["rules", "push", path, "--base", "0", "--author", "ann"]);
    expect(code).toBe(ok.code);
    expect(err).toBe(`${path}:1:1 warning: r m\n`);
    expect(out).toBe("version 5, 2 rules, hash abc, not active: switchyard rules activate 5\n");
  });

  test("nobody at home", async () => {
    const env = { SWITCHYARD_CLI_ADMIN: "http://127.0.0.1:1", SWITCHYARD_CLI_GATEWAY: "127.0.0.1:1" };
    for (const args of [["decide"], ["decide", "--via", "admin"], ["psps", "list"]]) {
      const { code, err } = await cli.run(args, { env });
      expect(code).toBe(unreachable.code);
      expect(err).toMatch(/^unavailable: /);
    }
  });

  const wrong = [
    ["nonsense"],
    ["rules", "nonsense"],
    ["rules", "activate"],
    ["rules", "activate", "three", "--author", "ann"],
    ["rules", "activate", "0", "--author", "ann"],
    ["rules", "push", "/no/such/file", "--author", "ann"],
    ["rules", "diff", "file.yaml", "3"],
    ["rules", "simulate", "--payments", "x"],
    ["rules", "list", "--limit", "1001"],
    ["psps", "set", "x", "explode", "--reason", "r", "--author", "a"],
    ["psps", "set", "x", "toString", "--reason", "r", "--author", "a"],
    ["psps", "set", "x", "drain", "--author", "a"],
    ["psps", "set", "x", "drain", "--reason", "r"],
    ["players", "set", "ann", "novalue"],
    ["players", "set", "ann", "a=1", "--ttl", "soon"],
    ["players", "restrict", "ann", "--kind", "KIND_UNSPECIFIED", "--source", "x"],
    ["decide", "--amount", "50.000 EUR"],
    ["decide", "--amount", "50"],
    ["decide", "--at", "2026-01-01T00:00:00"],
    ["decide", "--revision", "-1"],
    ["decide", "--trust-score", "high"],
    ["decide", "--via", "window"],
    ["decide", "--gateway", "http://x"],
    ["psps", "list", "--admin", "ftp://x"],
    ["replay"],
    ["replay", "x.csv"],
    ["replay", "x.csv", "--map", "/no/such/map.yaml"],
    ["replay", "--generate", "0"],
    ["replay", "x.csv", "--generate", "5"],
  ];
  test.each(wrong.map((args) => [args.join(" "), args] as const))(
    "%s is wrong usage, and calls nobody",
    async (_, args) => {
      const { code, err, out } = await cli.run(args);
      expect(err).not.toBe("");
      expect(err).not.toContain("a bug");
      expect(out).toBe("");
      expect(code).toBe(usage.code);
      expect(cli.stub.calls).toEqual([]);
    },
  );

  test.each([
    { name: "an unknown field", text: '{"paymentid":"p"}', says: "paymentid" },
    { name: "a field twice", text: '{"paymentId":"p","paymentId":"q"}', says: "unique" },
    { name: "a field of another type", text: '{"paymentId":["p"]}', says: "payment_id" },
    { name: "no JSON or YAML", text: "{", says: "r.json" },
    { name: "what drives a terminal", text: '{"\\u001b[2J":1}', says: "\\u001b[2J" },
  ])("a request file with $name is wrong usage", async ({ text, says }) => {
    const { code, err } = await cli.run(["decide", "--file", cli.file("r.json", text)]);
    expect(code).toBe(usage.code);
    expect(err).toContain(says);
    expect(cli.stub.calls).toEqual([]);
  });

  test("help is help, and lists every exit code", async () => {
    for (const args of [["--help"], ["rules", "push", "--help"]]) {
      const { code, out } = await cli.run(args);
      expect(code).toBe(ok.code);
      for (const { code: each, meaning } of Object.values(exitCodes))
        expect(out).toContain(`  ${each}  ${meaning}`);
    }
  });

  test("docs/cli.md has the same table", () => {
    const page = readFileSync(new URL("docs/cli.md", root), "utf8");
    const rows = [...page.matchAll(/^\| (\d) \| (.+) \|$/gm)].map((match) => [Number(match[1]), match[2]]);
    expect(rows).toEqual(Object.values(exitCodes).map(({ code, meaning }) => [code, meaning]));
  });
});
