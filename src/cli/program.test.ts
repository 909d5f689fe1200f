import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { create } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { makeIo } from "../../test/helpers/captured-io.ts";
import { type StubService, startStubService } from "../../test/helpers/stub-service.ts";
import {
  DecideResponse_Verdict,
  DecideResponseSchema,
  DecisionConflict_Kind,
  DecisionConflictSchema,
  Edge_Action,
  ThreeDs_Requirement,
} from "../gen/switchyard/v1/decision_pb.js";
import {
  DocumentFault_Severity,
  DocumentFaultSchema,
  FieldFaultSchema,
  MissingSchema,
  VersionConflictSchema,
} from "../gen/switchyard/v1/fault_pb.js";
import { Outcome_Class } from "../gen/switchyard/v1/payment_pb.js";
import { GetPlayerResponseSchema } from "../gen/switchyard/v1/player_pb.js";
import {
  Difference_Kind,
  DiffResponseSchema,
  GetResponseSchema,
  ListResponseSchema,
  PushResponseSchema,
  SimulateResponseSchema,
  ValidateResponseSchema,
  WatchActiveResponseSchema,
} from "../gen/switchyard/v1/rule_set_service_pb.js";
import { exitCodes } from "./exit-codes.ts";
import { runCli } from "./program.ts";

const { ok, no, usage, unreachable, refused, conflict, broken } = exitCodes;
const root = new URL("../../", import.meta.url);

let stub: StubService;
let folder: string;
beforeAll(async () => {
  stub = await startStubService();
});
afterAll(() => stub.stop());
beforeEach(() => {
  stub.calls.length = 0;
  stub.answers.clear();
  folder = mkdtempSync(join(tmpdir(), "switchyard-cli-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** Runs a command line against the stub. */
async function run(args: readonly string[], given: Parameters<typeof makeIo>[0] = {}) {
  const env = { SWITCHYARD_CLI_ADMIN: stub.admin, SWITCHYARD_CLI_GATEWAY: stub.gateway, ...given.env };
  const io = makeIo({ ...given, env });
  const code = await runCli(args, io);
  return { code, out: io.stdout(), err: io.stderr() };
}

function file(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

describe("what each command asks", () => {
  const cases = [
    {
      name: "decide asks the gateway",
      args: [
        ..."decide --payment-id p --player ann --method card --bin 457104 --country DK --ip-country SE".split(
          " ",
        ),
        ..."--trust-score 12.5 --risk-signal proxy velocity --attribute channel=web tries=3 --revision 2".split(
          " ",
        ),
        ..."--at 2026-01-02T03:04:05Z --trace -m acme --amount".split(" "),
        "50.00 EUR",
      ],
      call: {
        door: "gateway",
        method: "Decide",
        request: {
          merchantId: "acme",
          paymentId: "p",
          revision: 2,
          playerId: "ann",
          kind: "deposit",
          amount: { minorUnits: "5000", currencyCode: "EUR" },
          method: "card",
          card: { bin: "457104" },
          playerCountry: "DK",
          ipCountry: "SE",
          trustScore: 12.5,
          riskSignals: ["proxy", "velocity"],
          attributes: { channel: "web", tries: 3 },
          trace: true,
          decideAt: "2026-01-02T03:04:05Z",
        },
      },
    },
    {
      name: "decide --via admin asks the admin listener",
      args: "decide --via admin --cashier --player ann --currency BRL --kind withdrawal --mit".split(" "),
      call: {
        door: "admin",
        method: "Decide",
        request: {
          merchantId: "default",
          playerId: "ann",
          kind: "withdrawal",
          amount: { currencyCode: "BRL" },
          initiator: "MIT",
          mode: "CASHIER",
        },
      },
    },
    {
      name: "rules list",
      args: "rules list -m acme --limit 5 --before 9".split(" "),
      call: {
        door: "admin",
        method: "List",
        request: { merchantId: "acme", pageSize: 5, beforeVersion: "9" },
      },
    },
    {
      name: "rules get",
      args: "rules get 7".split(" "),
      call: { door: "admin", method: "Get", request: { merchantId: "default", version: "7" } },
    },
    {
      name: "rules diff of two versions",
      args: "rules diff 3 4".split(" "),
      call: {
        door: "admin",
        method: "Diff",
        request: { merchantId: "default", fromVersion: "3", toVersion: "4" },
      },
    },
    {
      name: "rules diff of the active version and another",
      args: "rules diff 4".split(" "),
      call: { door: "admin", method: "Diff", request: { merchantId: "default", toVersion: "4" } },
    },
    {
      name: "rules activate",
      args: "rules activate 3 --author ann --expected 2 --confirm-loosening --allow-orphans".split(" "),
      call: {
        door: "admin",
        method: "Activate",
        request: {
          merchantId: "default",
          version: "3",
          expectedActiveVersion: "2",
          author: "ann",
          confirmLoosening: true,
          allowOrphans: true,
        },
      },
    },
    {
      name: "rules rollback",
      args: "rules rollback --author ann --expected 0".split(" "),
      call: {
        door: "admin",
        method: "Rollback",
        request: { merchantId: "default", expectedActiveVersion: "0", author: "ann" },
      },
    },
    {
      name: "psps list",
      args: "psps list -m acme".split(" "),
      call: { door: "admin", method: "ListPsps", request: { merchantId: "acme" } },
    },
    {
      name: "psps set",
      args: "psps set nordic drain --author ann --reason slow".split(" "),
      call: {
        door: "admin",
        method: "SetPspState",
        request: { merchantId: "default", psp: "nordic", state: "DRAINING", author: "ann", reason: "slow" },
      },
    },
    {
      name: "overrides list",
      args: "overrides list --expired".split(" "),
      call: {
        door: "admin",
        method: "ListOverrides",
        request: { merchantId: "default", includeExpired: true },
      },
    },
    {
      name: "overrides expire",
      args: "overrides expire o-1 --author ann".split(" "),
      call: {
        door: "admin",
        method: "ExpireOverride",
        request: { merchantId: "default", id: "o-1", author: "ann" },
      },
    },
    {
      name: "players get",
      args: "players get ann".split(" "),
      call: { door: "admin", method: "GetPlayer", request: { merchantId: "default", playerId: "ann" } },
    },
    {
      name: "players set",
      args: [
        ..."players set ann vip_tier=gold approved_deposits=3 kyc=true note=a=b gone=null".split(" "),
        ..."--ttl 30d --source crm --set-at 2026-01-01Z".split(" "),
      ],
      call: {
        door: "admin",
        method: "UpdatePlayer",
        request: {
          merchantId: "default",
          playerId: "ann",
          attributes: Object.fromEntries(
            Object.entries({
              vip_tier: "gold",
              approved_deposits: 3,
              kyc: true,
              note: "a=b",
              gone: null,
            }).map(([name, value]) => [
              name,
              { value, setAt: "2026-01-01T00:00:00Z", ttl: "2592000s", source: "crm" },
            ]),
          ),
        },
      },
    },
    {
      name: "players restrict",
      args: [
        ..."players restrict ann --kind self-exclusion --source GAMSTOP --until 2027-01-01Z".split(" "),
        ..."--max-age 24h --returned".split(" "),
      ],
      call: {
        door: "admin",
        method: "SetRestriction",
        request: {
          merchantId: "default",
          playerId: "ann",
          restriction: {
            kind: "SELF_EXCLUSION",
            until: "2027-01-01T00:00:00Z",
            source: "GAMSTOP",
            maxAge: "86400s",
            returned: true,
          },
        },
      },
    },
  ];
  test.each(cases)("$name", async ({ args, call }) => {
    const { code, err } = await run(args);
    expect(err).toBe("");
    expect(code).toBe(ok.code);
    expect(stub.calls).toEqual([call]);
  });

  test("decide takes a request from a file or stdin, and options go on top", async () => {
    const request =
      '{"paymentId":"p","playerId":"bob","merchantId":"acme","card":{"bin":"457104"},"riskSignals":["x"]}';
    await run(["decide", "--file", file("r.json", request), "--player", "ann", "--scheme", "visa"]);
    await run(["decide", "--stdin", "-m", "other"], { stdin: request });
    expect(stub.calls.map((call) => call.request)).toMatchObject([
      { paymentId: "p", playerId: "ann", merchantId: "acme", card: { bin: "457104", scheme: "visa" } },
      { paymentId: "p", playerId: "bob", merchantId: "other" },
    ]);
  });

  test("rules push takes the newest version there is as its base, or the one it is told", async () => {
    stub.answers.set("List", () => create(ListResponseSchema, { newestVersion: 4n }));
    const path = file("rules.yaml", "psps: []");
    const env = { SWITCHYARD_CLI_AUTHOR: "ann" };
    await run(["rules", "push", path, "--comment", "why", "--activate"], { env });
    await run(["rules", "push", path, "--base", "2"], { env });
    const content = Buffer.from("psps: []").toString("base64");
    expect(stub.calls.map(({ method, request }) => [method, request])).toEqual([
      ["List", { merchantId: "default", pageSize: 1 }],
      [
        "Push",
        {
          merchantId: "default",
          document: { content, format: "YAML" },
          baseVersion: "4",
          author: "ann",
          comment: "why",
          activate: true,
        },
      ],
      [
        "Push",
        { merchantId: "default", document: { content, format: "YAML" }, baseVersion: "2", author: "ann" },
      ],
    ]);
  });

  test.each([
    { name: "x.json", format: "JSON" },
    { name: "x.binpb", format: "PROTOBUF" },
    { name: "x.yml", format: "YAML" },
  ])("the format of $name is $format", async ({ name, format }) => {
    stub.answers.set("Validate", () => create(ValidateResponseSchema, { valid: true }));
    await run(["rules", "validate", file(name, "x")]);
    expect(stub.calls[0]?.request).toMatchObject({ document: { format } });
  });

  test("overrides put reads YAML, its instants as text", async () => {
    const text = "id: o-1\nsubject: { playerId: ann }\nuntil: 2026-02-01T00:00:00Z\neffects: { deny: {} }\n";
    await run(["overrides", "put", file("o.yaml", text), "--author", "bob", "--expected-revision", "3"]);
    expect(stub.calls[0]).toMatchObject({
      method: "PutOverride",
      request: {
        expectedRevision: "3",
        override: { id: "o-1", subject: { playerId: "ann" }, author: "bob", until: "2026-02-01T00:00:00Z" },
      },
    });
  });

  test("rules simulate sends at most a thousand payments at a time and adds the answers up", async () => {
    const lines = Array.from({ length: 1_001 }, (_, i) => JSON.stringify({ paymentId: `p-${i}` }));
    stub.answers.set("Simulate", () =>
      create(SimulateResponseSchema, {
        changed: 1,
        results: [
          {
            active: { verdict: DecideResponse_Verdict.DENY, reasons: [{ code: "WHY" }] },
            draft: { verdict: DecideResponse_Verdict.APPROVE_ROUTE, plan: { steps: [{ psp: "x" }] } },
            changed: ["verdict"],
          },
        ],
      }),
    );
    const payments = file("payments.jsonl", `${lines.join("\n")}\n\n`);
    const { code, out } = await run([
      "rules",
      "simulate",
      "--version",
      "3",
      "--payments",
      payments,
      "--exit-code",
    ]);
    expect(code).toBe(no.code);
    expect(stub.calls.map(({ request }) => (request as { payments: unknown[] }).payments.length)).toEqual([
      1_000, 1,
    ]);
    expect(out).toContain("p-0      verdict  DENY -> APPROVE_ROUTE  WHY -> -      - -> x\n");
    expect(out).toContain("2 of 2 payments would change");
  });
});

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
          threeDs: { requirement: ThreeDs_Requirement.THREE_DS, challengeIndicator: "02" },
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
    stub.answers.set("Decide", () => decision);
    const { out, code } = await run(["decide"]);
    expect(code).toBe(ok.code);
    expect(out).toContain("Verdict   APPROVE_ROUTE\n");
    expect(out).toContain("Rule set  version 3 0123456789ab\n");
    expect(out).toContain("Segments  vip\n");
    expect(out).toMatch(/^1 +FIRST +nordic +m-1 +THREE_DS 02 +STEP 2$/m);
    expect(out).toMatch(/^vip-direct +SEGMENT +strategy +retry to x$/m);
    expect(out).toContain('true    rules/vip-direct\n  true    segment("vip")  [vip = true]\n');
    expect(out).toMatch(/^globe +currency +EUR$/m);
    expect(out).not.toContain("\u001b");
  });

  test("a terminal gets colours", async () => {
    stub.answers.set("Decide", () => decision);
    expect((await run(["decide"], { isTty: true })).out).toContain("\u001b[32mAPPROVE_ROUTE\u001b[0m");
    expect((await run(["decide"], { isTty: true, env: { NO_COLOR: "1" } })).out).not.toContain("\u001b");
  });

  test("machines get one JSON document", async () => {
    stub.answers.set("Decide", () => decision);
    const { out } = await run(["decide", "--json"], { isTty: true });
    expect(JSON.parse(out)).toMatchObject({ verdict: "APPROVE_ROUTE", ruleSet: { version: "3" } });
  });

  test.each([
    { verdict: "approve-route", code: ok.code },
    { verdict: "DENY", code: no.code },
    { verdict: "perhaps", code: usage.code },
  ])("decide --expect $verdict exits $code", async ({ verdict, code }) => {
    stub.answers.set("Decide", () => decision);
    expect((await run(["decide", "--expect", verdict])).code).toBe(code);
  });

  test("rules diff marks what was added, removed and changed, by section", async () => {
    stub.answers.set("Diff", () =>
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
    const { out, code } = await run(["rules", "diff", "1", "2", "--exit-code"]);
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
    stub.answers.set("Get", () =>
      create(GetResponseSchema, {
        version: { version: 3n },
        document: { content: Buffer.from("name: x\n"), format: 1 },
      }),
    );
    expect((await run(["rules", "get"])).out).toBe("name: x\n");
    const path = join(folder, "out.yaml");
    expect((await run(["rules", "get", "-o", path])).out).toBe("");
    expect(readFileSync(path, "utf8")).toBe("name: x\n");
  });

  test("rules watch tells the active version until it has told enough", async () => {
    stub.answers.set("WatchActive", () =>
      create(WatchActiveResponseSchema, { version: { version: 3n, hash: "abc", name: "n", author: "ann" } }),
    );
    expect((await run(["rules", "watch", "--count", "1"])).out).toContain("version 3 abc n by ann");
  });

  test("names from elsewhere can't drive the terminal", async () => {
    stub.answers.set("GetPlayer", () =>
      create(GetPlayerResponseSchema, { player: { playerId: "x" }, segments: ["\u001b[2Jevil\n"] }),
    );
    expect((await run(["players", "get", "x"])).out).toContain("\\u001b[2Jevil\\u000a");
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
    stub.answers.set("Validate", () => create(ValidateResponseSchema, { faults, faultsOmitted: 2 }));
    const path = file("x.yaml", "x");
    const { code, out } = await run(["rules", "validate", path]);
    expect(code).toBe(no.code);
    expect(out).toBe(
      `${path}:12:9 unknown-name no x (rules[0].when)\n${path}:14:1 warning: unreachable never\n${path} and 2 more\n`,
    );
  });

  test("exits 0 where all are right", async () => {
    stub.answers.set("Validate", () =>
      create(ValidateResponseSchema, { valid: true, ruleCount: 3, hash: "abc" }),
    );
    const { code, out } = await run(["rules", "validate", file("x.yaml", "x"), "--json"]);
    expect(code).toBe(ok.code);
    expect(JSON.parse(out)).toEqual({
      files: [{ file: join(folder, "x.yaml"), valid: true, ruleCount: 3, hash: "abc" }],
    });
  });

  test("checks offline by the code that serves, and calls nobody", async () => {
    const path = file("x.yaml", "rulez: []\n");
    const { code, out } = await run(["rules", "validate", path, "--offline"]);
    expect(code).toBe(no.code);
    expect(out).toContain(`${path}:1:1 `);
    expect(out).toContain("rulez");
    expect(stub.calls).toEqual([]);
  });

  test("without a file checks what the merchants file names, and so does serve --check", async () => {
    file("rules.yaml", "rulez: []\n");
    const merchants = file("merchants.yaml", "merchants:\n  default: { rule_set: rules.yaml }\n");
    for (const args of [
      ["rules", "validate"],
      ["serve", "--check"],
    ]) {
      const { code, out } = await run(args, { env: { SWITCHYARD_MERCHANTS_FILE: merchants } });
      expect(code).toBe(no.code);
      expect(out).toContain(`${join(folder, "rules.yaml")}:1:1 `);
    }
  });

  test("the samples are right", async () => {
    const merchants = new URL("samples/merchants.yaml", root).pathname;
    const { code, out } = await run(["serve", "--check"], { env: { SWITCHYARD_MERCHANTS_FILE: merchants } });
    expect(out).toMatch(/igaming\.yaml: valid, \d+ rules/);
    expect(out).toMatch(/sportsbook-us\.yaml: valid, \d+ rules/);
    expect(code).toBe(ok.code);
  });

  test("serve --check names every fault of the configuration", async () => {
    const env = { SWITCHYARD_LOG_LEVEL: "loud", SWITCHYARD_NO_SUCH: "x" };
    const { code, err } = await run(["serve", "--check"], { env });
    expect(code).toBe(no.code);
    expect(err).toMatch(/SWITCHYARD_LOG_LEVEL: .*\n.*SWITCHYARD_NO_SUCH: no such setting|SWITCHYARD_NO_SUCH/);
    expect(err).toContain("SWITCHYARD_NO_SUCH: no such setting");
    expect(err).toContain("SWITCHYARD_LOG_LEVEL: ");
  });
});

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
    stub.answers.set("Decide", () => {
      throw error;
    });
    for (const via of ["gateway", "admin"]) {
      expect(await run(["decide", "--via", via])).toEqual({ code, out: "", err });
    }
  });

  test("somebody else pushed first", async () => {
    stub.answers.set("Push", () => {
      throw fail(Code.Aborted, VersionConflictSchema, { expectedVersion: 2n, currentVersion: 3n });
    });
    const { code, err } = await run(["rules", "push", file("x.yaml", "x"), "--base", "2", "--author", "ann"]);
    expect(code).toBe(conflict.code);
    expect(err).toBe("aborted: it failed\n  expected 2, current 3\n");
  });

  test("an aborted call that names no version is no conflict", async () => {
    stub.answers.set("ListPsps", () => {
      throw fail(Code.Aborted);
    });
    expect((await run(["psps", "list"])).code).toBe(unreachable.code);
  });

  test("faults of a pushed document are told by file and line", async () => {
    stub.answers.set("Push", () => {
      throw fail(Code.InvalidArgument, DocumentFaultSchema, {
        severity: DocumentFault_Severity.ERROR,
        line: 3,
        column: 5,
        rule: "unknown-field",
        message: "no",
        path: "x",
      });
    });
    const path = file("x.yaml", "x");
    const { code, err } = await run(["rules", "push", path, "--base", "0", "--author", "ann"]);
    expect(code).toBe(refused.code);
    expect(err).toContain(`${path}:3:5 unknown-field no (x)\n`);
  });

  test("warnings of a pushed document go to stderr", async () => {
    stub.answers.set("Push", () =>
      create(PushResponseSchema, {
        version: { version: 5n, ruleCount: 2, hash: "abc" },
        warnings: [{ severity: DocumentFault_Severity.WARNING, line: 1, column: 1, rule: "r", message: "m" }],
      }),
    );
    const path = file("x.yaml", "x");
    const { code, out, err } = await run(["rules", "push", path, "--base", "0", "--author", "ann"]);
    expect(code).toBe(ok.code);
    expect(err).toBe(`${path}:1:1 warning: r m\n`);
    expect(out).toBe("version 5, 2 rules, hash abc, not active: switchyard rules activate 5\n");
  });

  test("nobody at home", async () => {
    const env = { SWITCHYARD_CLI_ADMIN: "http://127.0.0.1:1", SWITCHYARD_CLI_GATEWAY: "127.0.0.1:1" };
    for (const args of [["decide"], ["decide", "--via", "admin"], ["psps", "list"]]) {
      const { code, err } = await run(args, { env });
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
      const { code, err, out } = await run(args);
      expect(err).not.toBe("");
      expect(err).not.toContain("a bug");
      expect(out).toBe("");
      expect(code).toBe(usage.code);
      expect(stub.calls).toEqual([]);
    },
  );

  test("unknown fields of a request file are wrong usage", async () => {
    const { code, err } = await run(["decide", "--file", file("r.json", '{"paymentid":"p"}')]);
    expect(code).toBe(usage.code);
    expect(err).toContain("paymentid");
  });

  test("help is help, and lists every exit code", async () => {
    for (const args of [["--help"], ["rules", "push", "--help"]]) {
      const { code, out } = await run(args);
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

describe("replay", () => {
  const map = `merchant: replay
time: { column: When }
payment_id: { row: r- }
player_id: { column: Who }
kind: { value: deposit }
method: { value: card }
amount: { column: Amount }
currency: { value: USD }
`;
  const rows = [
    "When,Who,Amount",
    "2020-01-02T00:00:00Z,ann,20.6",
    "2020-01-01T00:00:00Z,bob,5",
    "2020-01-01T00:00:00Z,bob,5",
    "2020-01-03T00:00:00Z,bob,wrong",
  ];

  test("decides the good rows through the gateway in order of time, names the bad ones and exits 1", async () => {
    stub.answers.set("Decide", () =>
      create(DecideResponseSchema, {
        verdict: DecideResponse_Verdict.APPROVE_ROUTE,
        plan: { steps: [{ psp: "x" }] },
        ruleSet: { version: 1n, hash: "abc" },
      }),
    );
    const csv = file("x.csv", rows.join("\n"));
    const args = ["replay", csv, "--map", file("map.yaml", map), "--in-flight", "1", "--connections", "1"];
    const { code, out, err } = await run(args);
    expect(stub.calls).toEqual(
      [
        ["r-2", "bob", "500", "2020-01-01T00:00:00Z"],
        ["r-3", "bob", "500", "2020-01-01T00:00:00Z"],
        ["r-1", "ann", "2060", "2020-01-02T00:00:00Z"],
      ].map(([paymentId, playerId, minorUnits, decideAt]) => ({
        door: "gateway",
        method: "Decide",
        request: {
          merchantId: "replay",
          paymentId,
          playerId,
          kind: "deposit",
          amount: { minorUnits, currencyCode: "USD" },
          method: "card",
          decideAt,
        },
      })),
    );
    expect(code).toBe(no.code);
    expect(err).toBe("");
    expect(out).toMatch(/^ +5 +Amount +decimal +"wrong" is no plain decimal/m);
    expect(out).toContain("1 bad rows were not decided");
    expect(out).toMatch(/^APPROVE_ROUTE +3 +100\.00%$/m);
    expect(out).toMatch(/^x +3 +100\.00%$/m);
    expect(out).toMatch(/^Decided +3$/m);
  });

  test("exits 0 where every row was decided, and gives one JSON document", async () => {
    const csv = file("x.csv", rows.slice(0, 3).join("\n"));
    const { code, out } = await run([
      "replay",
      csv,
      "--map",
      file("map.yaml", map),
      "--json",
      "--limit",
      "1",
    ]);
    expect(code).toBe(ok.code);
    expect(JSON.parse(out)).toMatchObject({
      rows: 2,
      badRows: 0,
      sent: 1,
      decided: 1,
      failed: 0,
      ended: "all sent",
    });
  });

  test("counts errors by their kind", async () => {
    stub.answers.set("Decide", () => {
      throw new ConnectError("no", Code.NotFound, undefined, [
        { desc: MissingSchema, value: { kind: "merchant", id: "replay" } },
      ]);
    });
    const csv = file("x.csv", rows.slice(0, 4).join("\n"));
    const { code, out } = await run(["replay", csv, "--map", file("map.yaml", map), "--json"]);
    expect(code).toBe(no.code);
    expect(JSON.parse(out)).toMatchObject({
      failed: 3,
      errors: [{ name: "not-found merchant", count: 3, message: "no" }],
    });
  });

  test("a progress bar is for terminals only", async () => {
    const args = ["replay", file("x.csv", rows.slice(0, 3).join("\n")), "--map", file("map.yaml", map)];
    expect((await run(args, { isTty: true })).err).toContain("payments");
    expect((await run(args)).err).toBe("");
  });

  test("a missing export is said, and replaced by a generated one only where the map names its shape", async () => {
    const missing = join(folder, "none.csv");
    const plain = await run(["replay", missing, "--map", file("map.yaml", map)]);
    expect(plain).toMatchObject({ code: usage.code, err: `${missing}: there is no such file\n` });
    const sample = new URL("samples/replay/sports-payments.yaml", root).pathname;
    const generated = await run(["replay", missing, "--map", sample, "--limit", "10"]);
    expect(generated.code).toBe(ok.code);
    expect(generated.err).toContain(`${missing} is not on this machine: replaying 10000 generated payments`);
    expect(stub.calls).toHaveLength(10);
  });

  test("where somebody said where the gateway is, nothing else is started", async () => {
    const { code, err } = await run(["replay", "--generate", "5", "--gateway", "127.0.0.1:1"]);
    expect(code).toBe(unreachable.code);
    expect(err).toBe("nothing listens on 127.0.0.1:1\n");
  });
});
