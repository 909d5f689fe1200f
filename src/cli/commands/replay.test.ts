import { join } from "node:path";
import { create } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { describe, expect, test } from "vitest";
import { useCliHarness } from "../../../test/helpers/cli-harness.ts";
import { DecideResponse_Verdict, DecideResponseSchema } from "../../gen/switchyard/v1/decision_pb.js";
import { MissingSchema } from "../../gen/switchyard/v1/fault_pb.js";
import { exitCodes } from "../exit-codes.ts";

const { ok, no, usage, unreachable } = exitCodes;
const root = new URL("../../../", import.meta.url);
const cli = useCliHarness();

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
    cli.stub.answers.set("Decide", () =>
      create(DecideResponseSchema, {
        verdict: DecideResponse_Verdict.APPROVE_ROUTE,
        plan: { steps: [{ psp: "x" }] },
        ruleSet: { version: 1n, hash: "abc" },
      }),
    );
    const csv = cli.file("x.csv", rows.join("\n"));
    const args = [
      "replay",
      csv,
      "--map",
      cli.file("map.yaml", map),
      "--in-flight",
      "1",
      "--connections",
      "1",
    ];
    const { code, out, err } = await cli.run(args);
    expect(cli.stub.calls).toEqual(
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
    const csv = cli.file("x.csv", rows.slice(0, 3).join("\n"));
    const { code, out } = await cli.run([
      "replay",
      csv,
      "--map",
      cli.file("map.yaml", map),
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
    cli.stub.answers.set("Decide", () => {
      throw new ConnectError("no", Code.NotFound, undefined, [
        { desc: MissingSchema, value: { kind: "merchant", id: "replay" } },
      ]);
    });
    const csv = cli.file("x.csv", rows.slice(0, 4).join("\n"));
    const { code, out } = await cli.run(["replay", csv, "--map", cli.file("map.yaml", map), "--json"]);
    expect(code).toBe(no.code);
    expect(JSON.parse(out)).toMatchObject({
      failed: 3,
      errors: [{ name: "not-found merchant", count: 3, message: "no" }],
    });
  });

  test("a progress bar is for terminals only", async () => {
    const args = [
      "replay",
      cli.file("x.csv", rows.slice(0, 3).join("\n")),
      "--map",
      cli.file("map.yaml", map),
    ];
    expect((await cli.run(args, { isTty: true })).err).toContain("payments");
    expect((await cli.run(args)).err).toBe("");
  });

  test("a missing export is said, and replaced by a generated one only where the map names its shape", async () => {
    const missing = join(cli.folder, "none.csv");
    const plain = await cli.run(["replay", missing, "--map", cli.file("map.yaml", map)]);
    expect(plain).toMatchObject({ code: usage.code, err: `${missing}: there is no such file\n` });
    const sample = new URL("samples/replay/sports-payments.yaml", root).pathname;
    const generated = await cli.run(["replay", missing, "--map", sample, "--limit", "10"]);
    expect(generated.code).toBe(ok.code);
    expect(generated.err).toContain(`${missing} is not on this machine: taking 10000 generated payments`);
    expect(cli.stub.calls).toHaveLength(10);
  });

  test("where somebody said where the gateway is, nothing else is started", async () => {
    const { code, err } = await cli.run(["replay", "--generate", "5", "--gateway", "127.0.0.1:1"]);
    expect(code).toBe(unreachable.code);
    expect(err).toBe("nothing listens on 127.0.0.1:1\n");
  });
});
