/** The commands of CRM and safer-gambling people against a service that runs. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { exitCodes } from "../../src/cli/exit-codes.ts";
import { runCli } from "../../src/cli/program.ts";
import { RuleSetService } from "../../src/gen/switchyard/v1/rule_set_service_pb.js";
import { makeIo } from "../helpers/captured-io.ts";
import { connectAdmin, startService } from "../helpers/service.ts";

const dayMs = 86_400_000;
const nowMs = Date.UTC(2026, 5, 15, 12);

const ruleSet = {
  name: "players",
  psps: [{ id: "a", methods: ["card"] }],
  features: [
    {
      id: "deposits_7d",
      aggregate: { function: "COUNT", events: ["payment_approved"], window: { rolling: "7d" } },
    },
    {
      id: "deposited_7d",
      aggregate: {
        function: "SUM",
        of: "amount",
        currency: "EUR",
        events: ["payment_approved"],
        window: { rolling: "7d" },
      },
    },
    { id: "last_bet_at", aggregate: { function: "LAST", of: "at", events: ["bet"] } },
  ],
  segments: [
    { id: "new", when: "feature.deposits_7d == 0" },
    { id: "regular", when: "feature.deposits_7d >= 3" },
  ],
  brands: [{ id: "polar", licence: "SE" }],
  policy_packs: ["DE", "SE", "GB"].map((jurisdiction) => ({
    id: jurisdiction.toLowerCase(),
    jurisdiction,
    limits: [
      {
        id: "week",
        class: "REGULATORY",
        measure: "GROSS",
        window: { rolling: "7d" },
        thresholds: [{ amount: { minor_units: 50000, currency_code: "EUR" } }],
        on_unknown: "APPLY",
      },
    ],
  })),
  limits: [
    {
      id: "deposit-day",
      class: "REGULATORY",
      measure: "GROSS",
      window: { calendar: { period: "DAY", zone: "UTC" } },
      thresholds: [{ amount: { minor_units: 10000, currency_code: "EUR" } }],
      on_unknown: "APPLY",
    },
  ],
  rules: [{ id: "default-route", class: "DEFAULT", effects: { strategy: { least_cost: {} } } }],
};

let service: Awaited<ReturnType<typeof startService>>;
let folder: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "switchyard-players-"));
  const merchants = { default: { complete_since: "2020-01-01T00:00:00Z" } };
  service = await startService({ merchants, clock: { nowMs: () => nowMs } });
  await connectAdmin(RuleSetService, service).push({
    document: { content: new TextEncoder().encode(JSON.stringify(ruleSet)), format: 2 },
    author: "test",
    activate: true,
  });
});
afterAll(async () => {
  await service.stop();
  rmSync(folder, { recursive: true });
});

async function run(...args: readonly string[]) {
  const io = makeIo({
    env: {
      SWITCHYARD_CLI_ADMIN: service.adminUrl,
      SWITCHYARD_CLI_GATEWAY: new URL(service.gatewayUrl).host,
      SWITCHYARD_CLI_AUTHOR: "ann",
    },
  });
  const code = await runCli(args, io);
  return { code, out: io.stdout(), err: io.stderr() };
}

function deposit(n: number, ageDays: number, more: object = {}): object {
  return {
    eventId: `e-${n}`,
    playerId: "eva",
    type: "payment_approved",
    occurredAt: new Date(nowMs - ageDays * dayMs).toISOString(),
    source: "wallet",
    amount: { minorUnits: "2500", currencyCode: "EUR" },
    paymentId: `p-${n}`,
    ...more,
  };
}

test("events of a file are sent, and every one that was not taken in is named", async () => {
  const file = join(folder, "events.jsonl");
  const events = [
    deposit(1, 6),
    deposit(2, 3),
    deposit(3, 0),
    deposit(3, 0),
    deposit(4, 0, { type: "depositt" }),
  ];
  writeFileSync(file, `${events.map((event) => JSON.stringify(event)).join("\n")}\nno json\n`);
  const sent = await run("events", "import", file);
  expect(sent.code).toBe(exitCodes.no.code);
  expect(sent.out).toMatch(/ACCEPTED +3/);
  expect(sent.out).toMatch(/DUPLICATE +1/);
  expect(sent.out).toMatch(/REFUSED +1/);
  expect(sent.out).toContain("depositt");
  expect(sent.out).toMatch(/Rows +6, 1 bad/);
  const sources = await run("events", "sources");
  expect(sources.out).toMatch(/wallet +2026-06-15T12:00:00Z/);
});

test("a player is shown with features, segments and limits", async () => {
  const { out, code } = await run("players", "get", "eva");
  expect(code).toBe(0);
  expect(out).toMatch(/Segments +regular/);
  expect(out).toMatch(/deposits_7d +3/);
  expect(out).toMatch(/last_bet_at +missing/);
  expect(out).toMatch(/deposit-day +player +EUR 25\.00 +EUR 100\.00 +EUR 75\.00 +2026-06-16T00:00:00Z/);
});

test("amounts have a currency, and limits say for which payments they hold", async () => {
  const anywhere = await run("players", "get", "eva");
  expect(anywhere.out).toMatch(/deposited_7d +EUR 75\.00/);
  expect(anywhere.out).toMatch(/de\.week .* payments with player country DE \(none is verified\)/);
  await run("players", "set", "eva", "kyc_country=DE");
  const { out } = await run("players", "limits", "eva");
  expect(out).toMatch(/de\.week +player +EUR 75\.00 +EUR 500\.00 .* all payments \(verified DE\)/);
  expect(out).toMatch(/se\.week .* payments at polar \(licence SE\)/);
  expect(out).not.toContain("gb.week");
  expect((await run("players", "get", "eva")).out).toMatch(
    /^de +DE +all payments \(verified DE\)\nse +SE +payments at polar \(licence SE\)\n\n/m,
  );
});

test("a player of whom only an attribute is known is in segments too", async () => {
  await run("players", "set", "kim", "kyc_country=GB");
  const members = await run("segments", "members", "new");
  expect(members).toMatchObject({ out: "kim\n", err: "1 of 2 players are in new at 2026-06-15T12:00:00Z\n" });
  expect((await run("segments", "list", "--at", "2026-06-15T12:00:00Z")).out).toMatch(/new +1\nregular +1/);
  expect((await run("segments", "stats", "new")).out).toMatch(/new +1 +0 +1 +1\n\n/);
  const watched = await run("segments", "watch", "new", "--after", "0", "--count", "1");
  expect(watched.out).toMatch(/ 2026-06-15T12:00:00Z {2}enter {2}new {2}kim\n$/);
});

test("what is not there is named", async () => {
  const nobody = await run("players", "explain", "ewa", "regular");
  expect(nobody).toMatchObject({
    code: exitCodes.refused.code,
    err: expect.stringContaining('no player "ewa"'),
  });
  const segment = await run("segments", "members", "regulars");
  expect(segment.err).toContain("`switchyard segments list` has them all");
  const late = await run("segments", "watch", "--after", "99");
  expect(late.err).toMatch(/99 was never given, the newest is \d/);
});

test("a membership is explained with when it ends by time alone", async () => {
  const inside = await run("players", "explain", "eva", "regular");
  expect(inside.out).toMatch(/In the segment +yes/);
  expect(inside.out).toMatch(/Changes by time alone +2026-06-16T12:00:00Z/);
  const later = await run("players", "explain", "eva", "regular", "--at", "2026-06-16T12:00:00Z");
  expect(later.out).toMatch(/In the segment +no/);
  expect(later.out).toMatch(/feature\.deposits_7d >= 3 +2 +3 +1/);
  const unknown = await run("players", "explain", "eva", "nobody");
  expect(unknown.code).toBe(exitCodes.refused.code);
});

test("segments are listed, and their members at an instant", async () => {
  expect((await run("segments", "list")).out).toMatch(/regular +1/);
  expect((await run("segments", "members", "regular")).out).toBe("eva\n");
  expect((await run("segments", "members", "regular", "--at", "2026-06-10T00:00:00Z")).out).toBe("");
  const watched = await run("segments", "watch", "--after", "0", "--count", "1");
  expect(watched.out).toMatch(/^1 {2}2026-06-15T12:00:00Z {2}enter {2}regular {2}eva\n$/);
});

test("an own limit holds at once, and a looser one waits", async () => {
  const set = await run("players", "limit", "eva", "day", "--amount", "20 EUR");
  expect(set.out).toContain("the limit holds now; more is used already");
  const raised = await run("players", "limit", "eva", "day", "--amount", "50 EUR");
  expect(raised.out).toMatch(/it waits, and takes effect at 2026-06-16T12:00:00/);
  const { out } = await run("players", "limits", "eva");
  expect(out).toMatch(/player\/day\/gross +player +EUR 25\.00 +EUR 20\.00 +EUR 0\.00/);
  expect(out).toMatch(/day +gross +EUR 20\.00 .*EUR 50\.00 from 2026-06-16T12:00:00Z/);
  const wrong = await run("players", "limit", "eva", "fortnight", "--amount", "20 EUR");
  expect(wrong.code).toBe(exitCodes.usage.code);
});

test("a player is deleted, but for the own limit", async () => {
  const { out } = await run("players", "delete", "eva", "--reason", "asked for it");
  expect(out).toBe("Deleted, with 3 events; 1 restrictions and own limits are kept until they end.\n");
  expect((await run("segments", "members", "regular")).out).toBe("");
});
