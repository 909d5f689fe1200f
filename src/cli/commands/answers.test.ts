import { readFileSync } from "node:fs";
import { join } from "node:path";
import { create } from "@bufbuild/protobuf";
import { describe, expect, test } from "vitest";
import { useCliHarness } from "../../../test/helpers/cli-harness.ts";
import {
  DecideResponse_Verdict,
  DecideResponseSchema,
  Edge_Action,
  ThreeDs_Requirement,
} from "../../gen/switchyard/v1/decision_pb.js";
import { DocumentFault_Severity } from "../../gen/switchyard/v1/fault_pb.js";
import { Outcome_Class } from "../../gen/switchyard/v1/payment_pb.js";
import { GetPlayerResponseSchema } from "../../gen/switchyard/v1/player_pb.js";
import {
  Difference_Kind,
  DiffResponseSchema,
  GetResponseSchema,
  ValidateResponseSchema,
  WatchActiveResponseSchema,
} from "../../gen/switchyard/v1/rule_set_service_pb.js";
import { exitCodes } from "../exit-codes.ts";

const { ok, no, usage } = exitCodes;
const root = new URL("../../../", import.meta.url);
const cli = useCliHarness();

describe("what people read", () => {
  const decision = create(DecideResponseSchema, {
    decisionId: "d-1",
    paymentId: "p",
    verdict: DecideResponse_Verdict.APPROVE_ROUTE,
    segments: ["vip"],
    matchedRules: [{ id: "vip-direct", class: 6, won: ["strategy"], lost: [{ facet: "retry", to: "x" }] }],
    ruleSet: { version: 3n, hash: "0123456789abcdef" },
    plan: {
      steps: [
        {
          number: 1,
          kind: 1,
          psp: "nordic",
          mid: "m-1",
          threeDs: { requirement: ThreeDs_Requirement.THREE_DS, challengeIndicator: "02", reason: "TRA" },
          edges: [{ outcome: Outcome_Class.GENERIC, edge: { action: Edge_Action.STEP, step: 2 } }],
        },
      ],
    },
    trace: {
      conditions: [
        {
          path: "rules/vip-direct",
          truth: 1,
          condition: { text: 'segment("vip")', truth: 1, values: { vip: "true" }, parts: [] },
        },
      ],
      psps: [{ psp: "globe", removedBy: "currency", detail: "EUR" }],
    },
  });

  test("decide shows verdict, plan, rules, segments and trace", async () => {
    cli.stub.answers.set("Decide", () => decision);
    const { out, code } = await cli.run(["decide"]);
    expect(code).toBe(ok.code);
    expect(out).toContain("Verdict   APPROVE_ROUTE\n");
    expect(out).toContain("Rule set  version 3 0123456789ab\n");
    expect(out).toContain("Segments  vip\n");
    expect(out).toMatch(/^1 +FIRST +nordic +m-1 +THREE_DS 02 \(TRA\) +STEP 2$/m);
    expect(out).toMatch(/^vip-direct +SEGMENT +strategy +retry to x$/m);
    expect(out).toContain('true    rules/vip-direct\n  true    segment("vip")  [vip = true]\n');
    expect(out).toMatch(/^globe +currency +EUR$/m);
    expect(out).not.toContain("\u001b");
  });

  test("a terminal gets colours", async () => {
    cli.stub.answers.set("Decide", () => decision);
    expect((await cli.run(["decide"], { isTty: true })).out).toContain("\u001b[32mAPPROVE_ROUTE\u001b[0m");
    expect((await cli.run(["decide"], { isTty: true, env: { NO_COLOR: "1" } })).out).not.toContain("\u001b");
  });

  test("machines get one JSON document", async () => {
    cli.stub.answers.set("Decide", () => decision);
    const { out } = await cli.run(["decide", "--json"], { isTty: true });
    expect(JSON.parse(out)).toMatchObject({ verdict: "APPROVE_ROUTE", ruleSet: { version: "3" } });
  });

  test.each([
    { verdict: "approve-route", code: ok.code },
    { verdict: "DENY", code: no.code },
    { verdict: "perhaps", code: usage.code },
  ])("decide --expect $verdict exits $code", async ({ verdict, code }) => {
    cli.stub.answers.set("Decide", () => decision);
    expect((await cli.run(["decide", "--expect", verdict])).code).toBe(code);
  });

  test("rules diff marks what was added, removed and changed, by section", async () => {
    cli.stub.answers.set("Diff", () =>
      create(DiffResponseSchema, {
        fromVersion: 1n,
        toVersion: 2n,
        differences: [
          { kind: Difference_Kind.ADDED, section: "psps", id: "new" },
          { kind: Difference_Kind.REMOVED, section: "rules", id: "old", loosens: true },
          {
            kind: Difference_Kind.CHANGED,
            section: "rules",
            id: "same",
            fields: [{ path: "priority", before: "1", after: "2" }],
          },
        ],
      }),
    );
    const { out, code } = await cli.run(["rules", "diff", "1", "2", "--exit-code"]);
    expect(code).toBe(no.code);
    expect(out).toBe(
      [
        "version 1 to version 2: 3 differences",
        "psps",
        "  + new",
        "rules",
        "  - old (may loosen the law)",
        "  ~ same",
        "      - priority: 1",
        "      + priority: 2",
        "",
      ].join("\n"),
    );
  });

  test("rules get prints the document as it was pushed, or writes it", async () => {
    cli.stub.answers.set("Get", () =>
      create(GetResponseSchema, {
        version: { version: 3n },
        document: { content: Buffer.from("name: x\n"), format: 1 },
      }),
    );
    expect((await cli.run(["rules", "get"])).out).toBe("name: x\n");
    const path = join(cli.folder, "out.yaml");
    expect((await cli.run(["rules", "get", "-o", path])).out).toBe("");
    expect(readFileSync(path, "utf8")).toBe("name: x\n");
  });

  test("rules watch tells the active version until it has told enough", async () => {
    cli.stub.answers.set("WatchActive", () =>
      create(WatchActiveResponseSchema, { version: { version: 3n, hash: "abc", name: "n", author: "ann" } }),
    );
    expect((await cli.run(["rules", "watch", "--count", "1"])).out).toContain("version 3 abc n by ann");
  });

  test("names from elsewhere can't drive the terminal", async () => {
    cli.stub.answers.set("GetPlayer", () =>
      create(GetPlayerResponseSchema, { player: { playerId: "x" }, segments: ["\u001b[2Jevil\n"] }),
    );
    expect((await cli.run(["players", "get", "x"])).out).toContain("\\u001b[2Jevil\\u000a");
  });
});

describe("rules validate", () => {
  const faults = [
    {
      severity: DocumentFault_Severity.ERROR,
      path: "rules[0].when",
      line: 12,
      column: 9,
      rule: "unknown-name",
      message: "no x",
    },
    {
      severity: DocumentFault_Severity.WARNING,
      path: "",
      line: 14,
      column: 1,
      rule: "unreachable",
      message: "never",
    },
  ];

  test("prints faults as file:line:column, and exits 1", async () => {
    cli.stub.answers.set("Validate", () => create(ValidateResponseSchema, { faults, faultsOmitted: 2 }));
    const path = cli.file("x.yaml", "x");
    const { code, out } = await cli.run(["rules", "validate", path]);
    expect(code).toBe(no.code);
    expect(out).toBe(
      `${path}:12:9 unknown-name no x (rules[0].when)\n${path}:14:1 warning: unreachable never\n${path} and 2 more\n`,
    );
  });

  test("exits 0 where all are right", async () => {
    cli.stub.answers.set("Validate", () =>
      create(ValidateResponseSchema, { valid: true, ruleCount: 3, hash: "abc" }),
    );
    const { code, out } = await cli.run(["rules", "validate", cli.file("x.yaml", "x"), "--json"]);
    expect(code).toBe(ok.code);
    expect(JSON.parse(out)).toEqual({
      files: [{ file: join(cli.folder, "x.yaml"), valid: true, ruleCount: 3, hash: "abc" }],
    });
  });

  test("checks offline by the code that serves, and calls nobody", async () => {
    const path = cli.file("x.yaml", "rulez: []\n");
    const { code, out } = await cli.run(["rules", "validate", path, "--offline"]);
    expect(code).toBe(no.code);
    expect(out).toContain(`${path}:1:1 `);
    expect(out).toContain("rulez");
    expect(cli.stub.calls).toEqual([]);
  });

  test("without a file checks what the merchants file names, and so does serve --check", async () => {
    cli.file("rules.yaml", "rulez: []\n");
    const merchants = cli.file("merchants.yaml", "merchants:\n  default: { rule_set: rules.yaml }\n");
    for (const args of [
      ["rules", "validate"],
      ["serve", "--check"],
    ]) {
      const { code, out } = await cli.run(args, { env: { SWITCHYARD_MERCHANTS_FILE: merchants } });
      expect(code).toBe(no.code);
      expect(out).toContain(`${join(cli.folder, "rules.yaml")}:1:1 `);
    }
  });

  test("the samples are right", async () => {
    const merchants = new URL("samples/merchants.yaml", root).pathname;
    const { code, out } = await cli.run(["serve", "--check"], {
      env: { SWITCHYARD_MERCHANTS_FILE: merchants },
    });
    expect(out).toMatch(/igaming\.yaml: valid, \d+ rules/);
    expect(out).toMatch(/sportsbook-us\.yaml: valid, \d+ rules/);
    expect(code).toBe(ok.code);
  });

  test("serve --check names every fault of the configuration", async () => {
    const env = { SWITCHYARD_LOG_LEVEL: "loud", SWITCHYARD_NO_SUCH: "x" };
    const { code, err } = await cli.run(["serve", "--check"], { env });
    expect(code).toBe(no.code);
    expect(err).toMatch(/SWITCHYARD_LOG_LEVEL: .*\n.*SWITCHYARD_NO_SUCH: no such setting|SWITCHYARD_NO_SUCH/);
    expect(err).toContain("SWITCHYARD_NO_SUCH: no such setting");
    expect(err).toContain("SWITCHYARD_LOG_LEVEL: ");
  });
});
