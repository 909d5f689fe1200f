import { create } from "@bufbuild/protobuf";
import { describe, expect, test } from "vitest";
import { useCliHarness } from "../../../test/helpers/cli-harness.ts";
import { DecideResponse_Verdict } from "../../gen/switchyard/v1/decision_pb.js";
import {
  ListResponseSchema,
  SimulateResponseSchema,
  ValidateResponseSchema,
} from "../../gen/switchyard/v1/rule_set_service_pb.js";
import { exitCodes } from "../exit-codes.ts";

const { ok, no } = exitCodes;
const cli = useCliHarness();

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
    const { code, err } = await cli.run(args);
    expect(err).toBe("");
    expect(code).toBe(ok.code);
    expect(cli.stub.calls).toEqual([call]);
  });

  test("decide takes a request from a file or stdin, and options go on top", async () => {
    const request =
      '{"paymentId":"p","playerId":"bob","merchantId":"acme","card":{"bin":"457104"},"riskSignals":["x"]}';
    await cli.run(["decide", "--file", cli.file("r.json", request), "--player", "ann", "--scheme", "visa"]);
    await cli.run(["decide", "--stdin", "-m", "default"], { stdin: request });
    expect(cli.stub.calls.map((call) => call.request)).toMatchObject([
      { paymentId: "p", playerId: "ann", merchantId: "acme", card: { bin: "457104", scheme: "visa" } },
      { paymentId: "p", playerId: "bob", merchantId: "default" },
    ]);
  });

  test("rules push takes the newest version there is as its base, or the one it is told", async () => {
    cli.stub.answers.set("List", () => create(ListResponseSchema, { newestVersion: 4n }));
    const path = cli.file("rules.yaml", "psps: []");
    const env = { SWITCHYARD_CLI_AUTHOR: "ann" };
    await cli.run(["rules", "push", path, "--comment", "why", "--activate"], { env });
    await cli.run(["rules", "push", path, "--base", "2"], { env });
    const content = Buffer.from("psps: []").toString("base64");
    expect(cli.stub.calls.map(({ method, request }) => [method, request])).toEqual([
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
    cli.stub.answers.set("Validate", () => create(ValidateResponseSchema, { valid: true }));
    await cli.run(["rules", "validate", cli.file(name, "x")]);
    expect(cli.stub.calls[0]?.request).toMatchObject({ document: { format } });
  });

  test("overrides put reads YAML, its instants as text", async () => {
    const text = "id: o-1\nsubject: { playerId: ann }\nuntil: 2026-02-01T00:00:00Z\neffects: { deny: {} }\n";
    await cli.run([
      "overrides",
      "put",
      cli.file("o.yaml", text),
      "--author",
      "bob",
      "--expected-revision",
      "3",
    ]);
    expect(cli.stub.calls[0]).toMatchObject({
      method: "PutOverride",
      request: {
        expectedRevision: "3",
        override: { id: "o-1", subject: { playerId: "ann" }, author: "bob", until: "2026-02-01T00:00:00Z" },
      },
    });
  });

  test("rules simulate sends at most a thousand payments at a time and adds the answers up", async () => {
    const lines = Array.from({ length: 1_001 }, (_, i) => JSON.stringify({ paymentId: `p-${i}` }));
    cli.stub.answers.set("Simulate", () =>
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
    const payments = cli.file("payments.jsonl", `${lines.join("\n")}\n\n`);
    const { code, out } = await cli.run([
      "rules",
      "simulate",
      "--version",
      "3",
      "--payments",
      payments,
      "--exit-code",
    ]);
    expect(code).toBe(no.code);
    expect(cli.stub.calls.map(({ request }) => (request as { payments: unknown[] }).payments.length)).toEqual(
      [1_000, 1],
    );
    expect(out).toContain("p-0      verdict  DENY -> APPROVE_ROUTE  WHY -> -      - -> x\n");
    expect(out).toContain("2 of 2 payments would change");
  });
});
