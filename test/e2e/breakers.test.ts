import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { afterAll, beforeAll, expect, test } from "vitest";
import { runCli } from "../../src/cli/program.ts";
import {
  type DecideResponse,
  DecisionService,
  ReportOutcomeRequest_Result,
} from "../../src/gen/switchyard/v1/decision_pb.js";
import { Failure } from "../../src/gen/switchyard/v1/payment_pb.js";
import { BreakerStatus_State, PspService } from "../../src/gen/switchyard/v1/psp_pb.js";
import { RuleSetService } from "../../src/gen/switchyard/v1/rule_set_service_pb.js";
import { makeIo } from "../helpers/captured-io.ts";
import { connectAdmin, connectGateway, type InProcessService, startService } from "../helpers/service.ts";

const startMs = Date.UTC(2026, 10, 16, 12);
const clock = { at: startMs, nowMs: () => clock.at };

const ruleSet = `
psps:
  - { id: alpha, methods: [card] }
  - { id: bravo, methods: [card], maintenance: [{ from: 2026-11-20T01:00:00Z, until: 2026-11-20T02:00:00Z }] }
rules:
  - { id: order, class: DEFAULT, effects: { strategy: { priority: { psps: [alpha, bravo] } } } }
`;

let service: InProcessService;

beforeAll(async () => {
  service = await startService({ clock, merchants: { default: {} } });
  const document = { content: new TextEncoder().encode(ruleSet) };
  await connectAdmin(RuleSetService, service).push({ document, author: "test", activate: true });
});

afterAll(() => service.stop());

async function decide(paymentId: string): Promise<DecideResponse> {
  return connectGateway(DecisionService, service).decide({
    requestId: "r",
    paymentId,
    playerId: `player-${paymentId}`,
    kind: "deposit",
    amount: { minorUnits: 5_000n, currencyCode: "EUR" },
    method: "card",
    playerCountry: "US",
  });
}

async function report(paymentId: string, decided: DecideResponse, failure?: Failure): Promise<void> {
  const { attemptId, psp } = decided.plan!.steps[0]!;
  const { APPROVED, UNKNOWN } = ReportOutcomeRequest_Result;
  await connectGateway(DecisionService, service).reportOutcome({
    paymentId,
    attemptId,
    psp,
    ...(failure === undefined ? { result: APPROVED } : { result: UNKNOWN, failure }),
  });
}

async function readMetrics(): Promise<string> {
  return (await fetch(`${service.adminUrl}/metrics`)).text();
}

test("a breaker is listed, measured and shown as it opens, tries and closes", async () => {
  const psps = connectAdmin(PspService, service);
  const alpha = async () => (await psps.listPsps({})).psps[0]!.breakers[0]!;
  expect(await alpha()).toMatchObject({ state: BreakerStatus_State.CLOSED, reason: "", method: "" });
  const [, bravo] = (await psps.listPsps({})).psps;
  expect(bravo!.maintenance?.from).toEqual(timestampFromMs(Date.UTC(2026, 10, 20, 1)));

  for (let at = 0; at < 5; at++) await report(`broken-${at}`, await decide(`broken-${at}`), Failure.TIMEOUT);
  expect(await alpha()).toMatchObject({
    state: BreakerStatus_State.OPEN,
    reason: "5 timeouts in a row",
    since: timestampFromMs(startMs),
    nextProbeAt: timestampFromMs(startMs + 30_000),
    calls: 5,
    failures: 5,
    probes: 0,
  });
  expect((await decide("detour")).plan!.steps[0]!.psp).toBe("bravo");
  expect(await readMetrics()).toContain(
    'switchyard_psp_breaker_state{merchant="default",psp="alpha",part="psp",method=""} 2',
  );
  const io = makeIo({ env: { SWITCHYARD_CLI_ADMIN: service.adminUrl } });
  expect(await runCli(["psps", "list"], io)).toBe(0);
  expect(io.stdout()).toMatch(/^alpha +all +OPEN +5\/5 +0 .* 5 timeouts in a row$/m);
  expect(io.stdout()).toMatch(/^bravo +ENABLED .*2026-11-20/m);

  clock.at = startMs + 30_000;
  const tried = await alpha();
  expect([tried.state, tried.nextProbeAt]).toEqual([BreakerStatus_State.HALF_OPEN, undefined]);
  for (let at = 0; at < 3; at++) {
    const burst = await Promise.all(
      Array.from({ length: 32 }, async (_, each) => ({
        id: `probe-${at}-${each}`,
        decided: await decide(`probe-${at}-${each}`),
      })),
    );
    const probes = burst.filter(({ decided }) => decided.plan!.steps.some(({ psp }) => psp === "alpha"));
    expect(probes).toHaveLength(1);
    expect((await alpha()).probes).toBe(1);
    await report(probes[0]!.id, probes[0]!.decided);
  }
  expect(await alpha()).toMatchObject({
    state: BreakerStatus_State.CLOSED,
    reason: "3 probes in a row succeeded",
  });
  expect((await decide("back")).plan!.steps[0]!.psp).toBe("alpha");
  const page = await readMetrics();
  expect(page).toContain(
    'switchyard_psp_breaker_transitions_total{merchant="default",psp="alpha",part="psp",method="",to="open"} 1',
  );
  expect(page).toContain('switchyard_psp_probes_total{merchant="default",psp="alpha",fate="succeeded"} 3');
});
