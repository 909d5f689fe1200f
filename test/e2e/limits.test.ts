import { rm } from "node:fs/promises";
import type { Client } from "@connectrpc/connect";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  type DecideResponse,
  DecideResponse_Verdict,
  DecisionService,
  Edge_Action,
  type ReportOutcomeResponse,
  ReportOutcomeResponse_Verdict,
  ReportOutcomeRequest_Result as Result,
} from "../../src/gen/switchyard/v1/decision_pb.js";
import { Outcome_Class } from "../../src/gen/switchyard/v1/payment_pb.js";
import { PlayerService } from "../../src/gen/switchyard/v1/player_pb.js";
import { RuleSetService } from "../../src/gen/switchyard/v1/rule_set_service_pb.js";
import { countRuns } from "../helpers/property-runs.ts";
import {
  connectAdmin,
  connectGateway,
  makeDataDirectory,
  spawnService,
  startService,
  type TestService,
} from "../helpers/service.ts";

const { APPROVE_ROUTE, DENY } = DecideResponse_Verdict;
const { APPLIED, KNOWN, UNKNOWN_PAYMENT } = ReportOutcomeResponse_Verdict;
const callers = 64;
const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
const startMs = Date.UTC(2026, 4, 4, 12);

/** 1,000.00 a day, 900.00 an hour and 64 payments a week for a player, 700.00 a day for a device. */
const ruleSet = `
name: limits
psps:
  - { id: alpha, methods: [card, sepa], kinds: [deposit, withdrawal], three_ds: false }
  - { id: bravo, methods: [card], three_ds: false }
rules:
  - { id: route, class: DEFAULT, kinds: [deposit, withdrawal], effects: { strategy: { priority: { psps: [alpha, bravo] } } } }
limits:
  - { id: day, class: SAFER_GAMBLING, on_unknown: APPLY, measure: GROSS, window: { rolling: 24h }, thresholds: [{ amount: { minor_units: 100000, currency_code: EUR } }] }
  - { id: net, class: SAFER_GAMBLING, on_unknown: APPLY, measure: NET, window: { rolling: 720h }, thresholds: [{ amount: { minor_units: 500000, currency_code: EUR } }] }
  - { id: often, class: RISK, measure: COUNT, window: { rolling: 168h }, thresholds: [{ count: 64 }] }
  - { id: device, class: RISK, subject: DEVICE, measure: GROSS, applies: 'has(payment.device_id)', window: { rolling: 24h }, thresholds: [{ amount: { minor_units: 70000, currency_code: EUR } }] }
  - { id: velocity, class: RISK, measure: GROSS, window: { rolling: 1h }, thresholds: [{ amount: { minor_units: 90000, currency_code: EUR } }] }
`;

type Money = { readonly minorUnits: bigint; readonly currencyCode: string };
type AskMore = {
  readonly card?: { readonly bin: string; readonly fingerprint: string };
  readonly kind?: "deposit" | "withdrawal";
  readonly revision?: number;
  readonly deviceId?: string;
  readonly previousAttempts?: { attemptId: string; psp: string; class: Outcome_Class }[];
};
type Word = {
  readonly merchantId?: string;
  readonly paymentId: string;
  readonly attemptId: string;
  readonly psp: string;
  readonly result: Result;
  readonly amount?: Money;
  readonly playerId?: string;
  readonly kind?: "deposit" | "withdrawal";
};
type WordMore = Pick<Word, "amount">;

const clock = { at: startMs, nowMs: () => clock.at };
const playersOf = new WeakMap<TestService, Client<typeof PlayerService>>();
let house: TestService;
let gateway: Client<typeof DecisionService>;

beforeAll(async () => {
  house = await startService({ clock });
  gateway = connectGateway(DecisionService, house);
  await activate(house);
});

afterAll(() => house.stop());

describe("callers that race", () => {
  test("64 of one amount: what is admitted is the limit, to the minor unit", async () => {
    for (let round = 0; round < countRuns(50); round++) {
      const playerId = `race-${round}`;
      const answers = await race((at) => ask(`${playerId}-${at}`, playerId, 3_125));
      const admitted = answers.filter(({ verdict }) => verdict === APPROVE_ROUTE);
      // 32 times 31.25 is 1,000.00; 28 times, the most that fits, leaves 25.00 of 900.00.
      expect(admitted).toHaveLength(28);
      expect(await readUsed(playerId)).toMatchObject({ day: 87_500n, velocity: 87_500n, often: 28n });
      for (const { reasons } of answers.filter(({ verdict }) => verdict === DENY))
        expect(reasons.map(({ code, sourceId }) => [code, sourceId])).toEqual([
          ["LIMIT_EXCEEDED", "velocity"],
        ]);
    }
  });

  test("64 of mixed amounts: no refused one would have fitted, and what is left is admitted to the last minor unit", async () => {
    for (let round = 0; round < countRuns(10); round++) {
      const playerId = `mixed-${round}`;
      const amounts = Array.from(
        { length: callers },
        (_, at) => 1 + ((at * 7_919 + round * 104_729) % 9_001),
      );
      const answers = await race((at) => ask(`${playerId}-${at}`, playerId, amounts[at]!));
      const sum = amounts.reduce(
        (total, amount, at) => total + (answers[at]!.verdict === APPROVE_ROUTE ? amount : 0),
        0,
      );
      const left = 90_000 - sum;
      expect(left).toBeGreaterThanOrEqual(0);
      const refused = amounts.filter((_, at) => answers[at]!.verdict === DENY);
      expect(Math.min(...refused)).toBeGreaterThan(left);
      expect((await readUsed(playerId)).velocity).toBe(BigInt(sum));
      if (left > 0)
        expect((await gateway.decide(ask(`${playerId}-left`, playerId, left))).verdict).toBe(APPROVE_ROUTE);
      expect((await gateway.decide(ask(`${playerId}-more`, playerId, 1))).verdict).toBe(DENY);
      expect((await readUsed(playerId)).velocity).toBe(90_000n);
    }
  });

  test("the last minor unit is one caller's", async () => {
    const playerId = "last-unit";
    expect((await gateway.decide(ask("last-0", playerId, 89_999))).verdict).toBe(APPROVE_ROUTE);
    const answers = await race((at) => ask(`last-1-${at}`, playerId, 1));
    expect(answers.filter(({ verdict }) => verdict === APPROVE_ROUTE)).toHaveLength(1);
    expect((await readUsed(playerId)).velocity).toBe(90_000n);
  });

  test("over two limits all or none: what the device's limit denied holds nothing of the player's", async () => {
    for (let round = 0; round < countRuns(5); round++) {
      const players = [`two-a-${round}`, `two-b-${round}`];
      const answers = await race((at) =>
        ask(`two-${round}-${at}`, players[at % 2]!, 2_500, { deviceId: `device-${round}` }),
      );
      const admitted = answers.filter(({ verdict }) => verdict === APPROVE_ROUTE);
      expect(admitted).toHaveLength(28);
      for (const [which, playerId] of players.entries()) {
        const own = answers.filter((answer, at) => at % 2 === which && answer.verdict === APPROVE_ROUTE);
        expect(await readUsed(playerId)).toMatchObject({
          day: BigInt(own.length * 2_500),
          often: BigInt(own.length),
        });
      }
    }
  });

  test("one payment 64 times is one reservation and one answer", async () => {
    const answers = await race(() => ask("same", "same-player", 5_000));
    expect(new Set(answers.map(({ decisionId }) => decisionId)).size).toBe(1);
    expect(answers.filter(({ replayed }) => !replayed)).toHaveLength(1);
    expect(await readUsed("same-player")).toMatchObject({ day: 5_000n, often: 1n });
  });

  test("64 reports of one approval commit it once", async () => {
    const { decided, tell } = await decide("told", "told-player", 5_000);
    const told = await Promise.all(Array.from({ length: callers }, () => tell(decided, 0, Result.APPROVED)));
    expect(told.filter(({ verdict }) => verdict === APPLIED)).toHaveLength(1);
    expect(told.filter(({ verdict }) => verdict === KNOWN)).toHaveLength(callers - 1);
    expect(await readUsed("told-player")).toMatchObject({ day: 5_000n, often: 1n });
  });
});

describe("what a payment uses", () => {
  test("retries, cascades and revisions count once", async () => {
    const playerId = "once";
    const { decided, tell } = await decide("once-1", playerId, 5_000);
    await gateway.decide(ask("once-1", playerId, 5_000));
    await tell(decided, 0, Result.DECLINED);
    expect(await readUsed(playerId)).toMatchObject({ day: 5_000n, often: 1n });
    await tell(decided, 1, Result.DECLINED);
    const second = await gateway.decide(ask("once-1", playerId, 4_000, { revision: 1 }));
    expect(await readUsed(playerId)).toMatchObject({ day: 4_000n, often: 1n });
    await tell(second, 0, Result.APPROVED);
    expect(await readUsed(playerId)).toMatchObject({ day: 4_000n, often: 1n, net: 4_000n });
  });

  test("declines, a void and a lapse give back exactly what was held", async () => {
    const playerId = "back";
    await approve("back-0", playerId, 1_234);
    const before = await readUsed(playerId);
    const declined = await decide("back-1", playerId, 5_000);
    await declined.tell(declined.decided, 0, Result.DECLINED);
    await declined.tell(declined.decided, 1, Result.DECLINED);
    expect(await readUsed(playerId)).toEqual(before);
    const voided = await decide("back-2", playerId, 5_000);
    await voided.tell(voided.decided, 0, Result.APPROVED);
    expect((await readUsed(playerId)).day).toBe(6_234n);
    await voided.tell(voided.decided, 0, Result.VOIDED);
    expect(await readUsed(playerId)).toEqual(before);
    await decide("back-3", playerId, 5_000);
    clock.at += 31 * 60_000;
    // The law goes on counting what nobody told of; limits of RISK let go.
    expect(await readUsed(playerId)).toMatchObject({ day: 6_234n, often: 1n, velocity: 1_234n });
    clock.at = startMs;
  });

  test("a part commits the part, a payout when paid reduces the net, a refund and a returned payout too", async () => {
    const playerId = "parts";
    const part = await decide("parts-1", playerId, 8_000);
    await part.tell(part.decided, 0, Result.PARTIAL, { amount: { minorUnits: 3_000n, currencyCode: "EUR" } });
    expect(await readUsed(playerId)).toMatchObject({ day: 3_000n, net: 3_000n });
    const payout = await decide("parts-2", playerId, 1_000, { kind: "withdrawal" });
    expect(await readUsed(playerId)).toMatchObject({ day: 3_000n, net: 3_000n });
    await payout.tell(payout.decided, 0, Result.APPROVED);
    expect(await readUsed(playerId)).toMatchObject({ day: 3_000n, net: 2_000n });
    await part.tell(part.decided, 0, Result.REFUNDED, { amount: { minorUnits: 500n, currencyCode: "EUR" } });
    expect(await readUsed(playerId)).toMatchObject({ day: 3_000n, net: 1_500n });
    await payout.tell(payout.decided, 0, Result.REFUNDED);
    expect(await readUsed(playerId)).toMatchObject({ day: 3_000n, net: 2_500n });
    const cancelled = await decide("parts-3", playerId, 2_000, { kind: "withdrawal" });
    await cancelled.tell(cancelled.decided, 0, Result.APPROVED);
    expect((await readUsed(playerId)).net).toBe(500n);
    await cancelled.tell(cancelled.decided, 0, Result.VOIDED);
    expect((await readUsed(playerId)).net).toBe(2_500n);
  });

  test("attempts that the next call tells of commit as a report does", async () => {
    const playerId = "told-with";
    const { decided } = await decide("told-with", playerId, 5_000);
    const { attemptId, psp } = decided.plan!.steps[0]!;
    await gateway.decide(
      ask("told-with", playerId, 5_000, {
        previousAttempts: [{ attemptId, psp, class: Outcome_Class.APPROVED }],
      }),
    );
    clock.at += 31 * 60_000;
    expect(await readUsed(playerId)).toMatchObject({ day: 5_000n, velocity: 5_000n, often: 1n });
    clock.at = startMs;
  });
});

describe("words that come late", () => {
  test("UNKNOWN for days, approved then: it commits where it was decided, and the overrun is told", async () => {
    const playerId = "days";
    const { decided, tell } = await decide("days-1", playerId, 60_000);
    await tell(decided, 0, Result.UNKNOWN);
    clock.at += 31 * 60_000;
    const { overrun } = await approve("days-2", playerId, 40_000);
    expect(overrun).toBe(false);
    clock.at = startMs + 3 * dayMs;
    const late = await tell(decided, 0, Result.APPROVED);
    expect(late).toMatchObject({ verdict: APPLIED, overrun: true });
    expect(await readUsed(playerId)).toMatchObject({ day: 0n, often: 2n, net: 100_000n });
    clock.at = startMs;
  });
});

describe("the stream of reports", () => {
  test("bad reports keep no good one from being taken, and are told by their places", async () => {
    const good = await decide("stream-1", "streamer", 5_000);
    const other = await decide("stream-2", "streamer", 6_000);
    const words: Word[] = [
      word(good.decided, 0, Result.APPROVED),
      { ...word(good.decided, 0, Result.APPROVED), paymentId: "" },
      { ...word(other.decided, 0, Result.APPROVED), attemptId: "r0-s9-00000000" },
      word(good.decided, 0, Result.APPROVED),
      { ...word(other.decided, 0, Result.PARTIAL), amount: { minorUnits: 6_001n, currencyCode: "EUR" } },
      { ...word(other.decided, 0, Result.PARTIAL), amount: { minorUnits: 1n, currencyCode: "GBP" } },
      { paymentId: "nobody", attemptId: "a", psp: "alpha", result: Result.APPROVED },
      { ...word(other.decided, 0, Result.APPROVED), merchantId: "nobody" },
      word(other.decided, 0, Result.DECLINED),
    ];
    const answer = await gateway.reportOutcomes(each(words));
    expect(answer).toMatchObject({ applied: 2n, known: 1n, unknownPayments: 1n, refusedCount: 5n });
    expect(
      answer.refused.map(({ index, faults }) => [index, faults.map(({ field, rule }) => [field, rule])]),
    ).toEqual([
      [1n, [["payment_id", "required"]]],
      [2n, [["attempt_id", "known"]]],
      [4n, [["amount.minor_units", "out-of-range"]]],
      [5n, [["amount.currency_code", "conflict"]]],
      [7n, [["merchant_id", "refused"]]],
    ]);
    expect(await readUsed("streamer")).toMatchObject({ day: 11_000n, often: 2n });
  });

  test("an approval of a payment that was never decided counts where its player is named, once", async () => {
    const report: Word = {
      paymentId: "elsewhere",
      attemptId: "a-1",
      psp: "alpha",
      result: Result.APPROVED,
      amount: { minorUnits: 700n, currencyCode: "EUR" },
      playerId: "elsewhere",
      kind: "deposit",
    };
    for (let time = 0; time < 2; time++)
      expect(await gateway.reportOutcome(report)).toMatchObject({ verdict: UNKNOWN_PAYMENT, overrun: false });
    const { playerId: _, ...unnamed } = { ...report, paymentId: "elsewhere-2" };
    expect(await gateway.reportOutcome(unnamed)).toMatchObject({ verdict: UNKNOWN_PAYMENT });
    expect(await readUsed("elsewhere")).toMatchObject({ day: 700n, net: 700n, often: 1n });
  });
});

describe("after a restart", () => {
  test("readings are what they were, holds included, after a stop and after kill -9", async () => {
    const dataDirectory = await makeDataDirectory();
    let service = await spawnService({ dataDirectory });
    await activate(service);
    for (let cycle = 0; cycle < countRuns(2); cycle++) {
      const own = connectGateway(DecisionService, service);
      const playerId = `back-${cycle}`;
      const answers = await race((at) => ask(`${playerId}-${at}`, playerId, 3_125), own);
      const admitted = answers.filter(({ verdict }) => verdict === APPROVE_ROUTE);
      expect(admitted).toHaveLength(28);
      const results = [Result.APPROVED, Result.DECLINED, Result.UNKNOWN, Result.PENDING];
      await Promise.all(
        admitted.slice(0, 16).map((answer, at) => own.reportOutcome(word(answer, 0, results[at % 4]!))),
      );
      const before = await readAll(playerId, service);
      expect(before.find(({ limitId }) => limitId === "velocity")?.used).toBe(87_500n);
      await service.end(cycle % 2 === 0 ? "SIGTERM" : "SIGKILL");
      service = await spawnService({ dataDirectory });
      expect(await readAll(playerId, service)).toEqual(before);
      // Nobody gets in where nobody got in before, and a repeat holds nothing more.
      const after = connectGateway(DecisionService, service);
      expect((await after.decide(ask(`${playerId}-more`, playerId, 2_501))).verdict).toBe(DENY);
      expect(await after.decide(ask(admitted[20]!.paymentId, playerId, 3_125))).toMatchObject({
        replayed: true,
      });
      expect(await readAll(playerId, service)).toEqual(before);
      await after.reportOutcome(word(admitted[20]!, 0, Result.DECLINED));
      await after.reportOutcome(word(admitted[20]!, 1, Result.DECLINED));
      expect((await after.decide(ask(`${playerId}-rest`, playerId, 5_625))).verdict).toBe(APPROVE_ROUTE);
    }
    await service.stop();
    await rm(dataDirectory, { recursive: true });
  }, 120_000);

  test("a card that others have in flight is held still, after kill -9 as well", async () => {
    const dataDirectory = await makeDataDirectory();
    const first = await spawnService({ dataDirectory });
    await activate(first);
    const card = { bin: "45710435", fingerprint: "busy" };
    const askBusy = (at: string) => ask(`busy-${at}`, `busy-${at}`, 3_125, { card });
    const { length } = await decideUntilDenied(first, askBusy);
    // The cap of the house is 21 declines of card and amount; each payment is shown two attempts as long as that is half of what is free.
    expect(length).toBe(11);
    await first.end("SIGKILL");
    const second = await spawnService({ dataDirectory });
    const after = connectGateway(DecisionService, second);
    const again = await after.decide(askBusy("again"));
    expect(again.reasons.map(({ code }) => code)).toEqual(["SCHEME_CAP"]);
    expect((await after.decide(ask("busy-other", "busy-other", 3_126, { card }))).verdict).toBe(
      APPROVE_ROUTE,
    );
    await second.stop();
    await rm(dataDirectory, { recursive: true });
  }, 60_000);
});

/** The payments, one after the other and each of a player of its own, that are let in. */
async function decideUntilDenied(service: TestService, make: (at: string) => ReturnType<typeof ask>) {
  const own = connectGateway(DecisionService, service);
  const admitted: DecideResponse[] = [];
  for (let at = 0; at < callers; at++) {
    const answer = await own.decide(make(String(at)));
    if (answer.verdict !== APPROVE_ROUTE) return admitted;
    admitted.push(answer);
  }
  return admitted;
}

async function activate(service: TestService): Promise<void> {
  await connectAdmin(RuleSetService, service).push({
    document: { content: new TextEncoder().encode(ruleSet) },
    author: "test",
    activate: true,
    confirmLoosening: true,
  });
}

function ask(paymentId: string, playerId: string, minorUnits: number, more: AskMore = {}) {
  return {
    paymentId,
    playerId,
    kind: "deposit",
    amount: { minorUnits: BigInt(minorUnits), currencyCode: "EUR" },
    method: "card",
    // Cards of their own: the caps of schemes have a say in how often one is tried at once.
    card: { bin: "45710435", fingerprint: `card-of-${paymentId}` },
    playerCountry: "DK",
    ...more,
  };
}

function race(
  make: (at: number) => ReturnType<typeof ask>,
  client: Client<typeof DecisionService> = gateway,
): Promise<DecideResponse[]> {
  return Promise.all(Array.from({ length: callers }, (_, at) => client.decide(make(at))));
}

/** What is told of the attempt of a step, by its place in the plan. */
function word({ paymentId, plan }: DecideResponse, step: number, result: Result, more: WordMore = {}): Word {
  const { attemptId, psp } = plan!.steps[step]!;
  return { paymentId, attemptId, psp, result, ...more };
}

async function decide(paymentId: string, playerId: string, minorUnits: number, more: AskMore = {}) {
  const decided = await gateway.decide(ask(paymentId, playerId, minorUnits, more));
  expect(decided.verdict, JSON.stringify(decided.reasons)).toBe(APPROVE_ROUTE);
  expect(decided.plan?.next?.action).toBe(Edge_Action.STEP);
  const tell = (answer: DecideResponse, step: number, result: Result, told: WordMore = {}) =>
    gateway.reportOutcome(word(answer, step, result, told));
  return { decided, tell };
}

async function approve(
  paymentId: string,
  playerId: string,
  minorUnits: number,
): Promise<ReportOutcomeResponse> {
  const { decided, tell } = await decide(paymentId, playerId, minorUnits);
  return tell(decided, 0, Result.APPROVED);
}

async function* each<T>(items: readonly T[]): AsyncIterable<T> {
  yield* items;
}

/** What is left of every limit of a player, in order of id; without what the clock alone changes. */
async function readAll(playerId: string, service: TestService) {
  const { limits } = await openPlayers(service).getPlayer({ playerId });
  return limits
    .map(({ limitId, used, headroom, resetsAt, overrun }) => ({
      limitId,
      used,
      headroom,
      resetsAt: resetsAt?.seconds,
      overrun,
    }))
    .sort((a, b) => (a.limitId < b.limitId ? -1 : 1));
}

/** One connection per service: the admin listener bounds how many there are. */
function openPlayers(service: TestService): Client<typeof PlayerService> {
  let players = playersOf.get(service);
  if (players === undefined) {
    players = connectAdmin(PlayerService, service);
    playersOf.set(service, players);
  }
  return players;
}

async function readUsed(playerId: string): Promise<Readonly<Record<string, bigint>>> {
  const readings = await readAll(playerId, house);
  return Object.fromEntries(readings.map(({ limitId, used }) => [limitId, used]));
}
