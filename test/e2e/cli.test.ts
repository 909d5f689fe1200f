/** The command line against a service that runs: the way of a rule admin, and replays. */
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { exitCodes } from "../../src/cli/exit-codes.ts";
import { runCli } from "../../src/cli/program.ts";
import { startTemporaryService, type TemporaryService } from "../../src/cli/replay/temporary-service.ts";
import { makeIo } from "../helpers/captured-io.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const sampleFile = join(root, "samples/igaming.yaml");

let service: TemporaryService;
let folder: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "switchyard-cli-"));
  service = await startTemporaryService(process.env);
});
afterAll(async () => {
  await service?.stop();
  rmSync(folder, { recursive: true });
});

function environment(): Record<string, string> {
  return {
    SWITCHYARD_CLI_ADMIN: `http://${service.admin}`,
    SWITCHYARD_CLI_GATEWAY: service.gateway,
    SWITCHYARD_CLI_AUTHOR: "ann",
  };
}

async function run(line: string, ...more: readonly string[]) {
  const io = makeIo({ env: environment() });
  const code = await runCli([...line.split(" "), ...more], io);
  return { code, out: io.stdout(), err: io.stderr() };
}

/** The same through a process of its own. */
function runProcess(
  args: readonly string[],
  env = environment(),
): Promise<{ code: number | null; out: string; err: string }> {
  const child = spawn(process.execPath, ["src/cli/main.ts", ...args], {
    cwd: root,
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let out = "";
  let err = "";
  child.stdout.on("data", (chunk) => {
    out += chunk;
  });
  child.stderr.on("data", (chunk) => {
    err += chunk;
  });
  return new Promise((resolve) => child.once("close", (code) => resolve({ code, out, err })));
}

describe("the way of a rule admin", () => {
  const pay = (id: string, ...more: readonly string[]) =>
    run(
      `decide --payment-id ${id} --player ${id} --method card --bin 45710435 --country DK --amount`,
      "50.00 EUR",
      ...more,
    );

  test("write, validate, simulate, push, diff, activate, roll back", async () => {
    const before = await pay("tour-1", "--json");
    expect(before.code).toBe(exitCodes.ok.code);
    expect(JSON.parse(before.out)).toMatchObject({ verdict: "APPROVE_ROUTE", ruleSet: { version: "1" } });

    const draft = join(folder, "draft.yaml");
    const text = readFileSync(sampleFile, "utf8");
    const rule =
      '  - id: no-denmark\n    class: RISK\n    when: payment.player_country == "DK"\n    effects: { deny: {} }\n';
    writeFileSync(draft, text.replace("\nrules:\n", `\nrules:\n${rule}`));
    expect((await run(`rules validate ${draft}`)).code).toBe(exitCodes.ok.code);
    expect((await run(`rules validate ${draft} --offline`)).out).toBe(
      (await run(`rules validate ${draft}`)).out,
    );

    const payments = join(folder, "payments.jsonl");
    const request = {
      paymentId: "s",
      playerId: "s",
      kind: "deposit",
      method: "card",
      card: { bin: "45710435" },
      playerCountry: "DK",
    };
    const amount = { minorUnits: "5000", currencyCode: "EUR" };
    writeFileSync(payments, `${JSON.stringify({ ...request, amount })}\n`);
    const simulated = await run(`rules simulate ${draft} --payments ${payments} --exit-code`);
    expect(simulated.out).toMatch(/^s +.*verdict.* +APPROVE_ROUTE -> DENY/m);
    expect(simulated.code).toBe(exitCodes.no.code);

    expect((await run(`rules push ${draft} --comment trial`)).out).toContain("version 2, ");
    const diff = await run("rules diff 1 2");
    expect(diff.out).toContain("  + no-denmark\n");
    expect((await run(`rules diff ${draft}`)).out).toContain("  + no-denmark\n");
    expect((await pay("tour-2", "--expect", "approve_route")).code).toBe(exitCodes.ok.code);

    expect((await run("rules activate 2 --expected 9")).code).toBe(exitCodes.conflict.code);
    expect((await run("rules activate 2 --expected 1")).out).toBe(
      "version 2 is active, before it version 1\n",
    );
    expect((await run("rules list")).out).toMatch(/^ +2 +active/m);
    expect((await pay("tour-3", "--expect", "deny")).code).toBe(exitCodes.ok.code);
    // What was decided stays decided.
    expect((await pay("tour-2")).out).toContain("(the stored answer)");

    expect((await run("rules rollback --expected 2")).out).toBe("version 1 is active, before it version 2\n");
    expect((await pay("tour-4", "--expect", "approve_route")).code).toBe(exitCodes.ok.code);
    expect((await run("rules get 1")).out).toBe(text);
    expect((await run("rules watch --count 1")).out).toContain("version 1 ");
  });

  test("two admins push from the same version: one is told that the other was first", async () => {
    const newest = JSON.parse((await run("rules list --json")).out).newestVersion as string;
    expect((await run(`rules push ${sampleFile} --base ${newest}`)).code).toBe(exitCodes.ok.code);
    const late = await run(`rules push ${sampleFile} --base ${newest}`);
    expect(late.code).toBe(exitCodes.conflict.code);
    expect(late.err).toContain(`expected ${newest}, current ${Number(newest) + 1}`);
  });

  test("a bad rule set is refused by file and line, and nothing changes", async () => {
    const bad = join(folder, "bad.yaml");
    writeFileSync(
      bad,
      readFileSync(sampleFile, "utf8").replace("payment.trust_score < 30.0", "payment.trust < 30.0"),
    );
    const { code, err } = await run(`rules push ${bad}`);
    expect(code).toBe(exitCodes.refused.code);
    expect(err).toMatch(new RegExp(`^${bad}:\\d+:\\d+ [a-z-]+ .*segments\\[5\\]\\.when`, "m"));
  });

  test("the same payment with another amount is refused, naming what differs", async () => {
    await pay("twice");
    const { code, err } = await run(
      "decide --payment-id twice --player twice --method card --bin 45710435 --country DK --amount",
      "51.00 EUR",
    );
    expect(code).toBe(exitCodes.refused.code);
    expect(err).toContain("IDEMPOTENCY_CONFLICT: payment twice");
  });

  test("a trace shows conditions, facts and PSPs", async () => {
    const { out } = await pay("traced", "--trace", "--via", "admin");
    expect(out).toContain("Conditions\n");
    expect(out).toMatch(/^(true|false|unknown) +segments\/europe/m);
    expect(out).toMatch(/^pix-direct +.*method/m);
  });

  test("players, overrides and PSPs have commands", async () => {
    expect((await run("players get nobody")).code).toBe(exitCodes.refused.code);
    expect((await run("players set vera vip_tier=gold --source crm")).out).toMatch(/^vip_tier +"gold"/m);
    expect((await run("players get vera")).out).toMatch(/^Segments +.*vip/m);
    const restricted = await run("players restrict vera --kind time-out --source desk --until 2999-01-01Z");
    expect(restricted.out).toMatch(/^TIME_OUT +desk/m);

    const override = join(folder, "override.yaml");
    const untilMs = Date.now() + 3_600_000;
    writeFileSync(
      override,
      `id: help-1\nsubject: { playerId: hal }\nreason: a call\nuntil: ${new Date(untilMs).toISOString()}\neffects: { deny: {} }\n`,
    );
    expect((await run(`overrides put ${override}`)).out).toMatch(/^help-1 +ACTIVE +playerId hal +deny/m);
    expect((await run("overrides list")).out).toMatch(/^help-1 /m);
    const denied = "decide --payment-id o --player hal --method sepa --country DE --expect deny --amount";
    expect((await run(denied, "50 EUR")).code).toBe(exitCodes.ok.code);
    expect((await run("overrides expire help-1")).out).toContain("EXPIRED");

    expect((await run("psps list")).out).toMatch(/^nordic-acquiring +ENABLED +yes/m);
    expect((await run("psps set nordic-acquiring drain --reason slow")).out).toMatch(
      /^nordic-acquiring +DRAINING/m,
    );
    expect((await run("psps set nordic-acquiring enable --reason fine")).out).toMatch(
      /^nordic-acquiring +ENABLED/m,
    );
    expect((await run("psps list -m nobody")).code).toBe(exitCodes.refused.code);
  });
});

describe("a replay", () => {
  test("decides a generated export through the gateway; again, it repeats the stored answers", async () => {
    const first = await run("replay --generate 2000 --json");
    expect(first.code).toBe(exitCodes.ok.code);
    const report = JSON.parse(first.out);
    expect(report).toMatchObject({ rows: 2_000, badRows: 0, decided: 2_000, failed: 0, replayed: 0 });
    expect(Object.keys(report.firstPsps)).toContain("house-wallet");
    const again = JSON.parse((await run("replay --generate 2000 --json")).out);
    expect(again).toMatchObject({ replayed: 2_000, verdicts: report.verdicts, firstPsps: report.firstPsps });
  });

  test("of a merchant whose clock is the service's is refused row by row", async () => {
    const { code, out } = await run("replay --generate 5 -m default --json");
    expect(code).toBe(exitCodes.no.code);
    expect(JSON.parse(out)).toMatchObject({ decided: 0, failed: 5, errors: [{ count: 5 }] });
    expect(JSON.parse(out).errors[0].name).toMatch(/^invalid-argument decide_at /);
  });

  test("starts a service of its own where that is asked for, and says so on stderr only", async () => {
    const args = [
      "replay",
      "none.csv.gz",
      "--map",
      "samples/replay/sports-payments.yaml",
      "--limit",
      "300",
      "--serve",
    ];
    const { code, out, err } = await runProcess(args, {});
    expect(err).toContain("none.csv.gz is not on this machine");
    expect(err).toContain("the service for this replay listens on 127.0.0.1:");
    expect(out).toMatch(/^Decided +300$/m);
    expect(out + err).not.toContain("\u001b");
    expect(code).toBe(exitCodes.ok.code);
  });
});

test("watching ends with its process when it has seen enough, though more may come", async () => {
  const rules = await runProcess(["rules", "watch", "--count", "1"]);
  expect(rules.out).toMatch(/^\S+ version 1 [^\n]*\n$/);
  expect(rules.code).toBe(exitCodes.ok.code);
  expect((await run("events import samples/events.jsonl")).code).toBe(exitCodes.ok.code);
  const segments = await runProcess(["segments", "watch", "--after", "0", "--count", "2"]);
  expect(segments.out).toMatch(/^1 {2}[^\n]*\n2 {2}[^\n]*\n$/);
  expect(segments.code).toBe(exitCodes.ok.code);
}, 20_000);

test("a process that nobody reads from ends in silence", async () => {
  const child = spawn(process.execPath, ["src/cli/main.ts", "--help"], {
    cwd: root,
    stdio: ["ignore", "pipe", "pipe"],
  });
  child.stdout.destroy();
  let err = "";
  child.stderr.on("data", (chunk) => {
    err += chunk;
  });
  const code = await new Promise((resolve) => child.once("close", resolve));
  expect({ code, err }).toEqual({ code: 0, err: "" });
});
