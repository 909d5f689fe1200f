import { create } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import {
  DecideResponse_Verdict,
  DecideResponseSchema,
  ReportOutcomeRequest_Result,
} from "../../gen/switchyard/v1/decision_pb.js";
import { FieldFaultSchema } from "../../gen/switchyard/v1/fault_pb.js";
import type { DecideResult } from "../gateway-client.ts";
import type { ReplayPayment } from "./map-row.ts";
import { makeSender, type ReplayOptions, type ReplayRun, replayPayments } from "./run.ts";
import { Tally } from "./tally.ts";

const approved = {
  ok: true as const,
  response: create(DecideResponseSchema, { verdict: DecideResponse_Verdict.APPROVE_ROUTE }),
};
const unavailable: DecideResult = { ok: false, error: new ConnectError("gone", Code.Unavailable) };

function makePayments(players: readonly string[]): readonly ReplayPayment[] {
  return players.map((playerId, i) => ({
    row: i + 1,
    line: i + 2,
    timeMs: i,
    playerId,
    request: { paymentId: `p-${i + 1}`, playerId },
    outcome: undefined,
  }));
}

/** A service that answers when told to. */
function openBench(payments: readonly ReplayPayment[], options: Partial<ReplayOptions> = {}) {
  const sent: string[] = [];
  const open = new Map<string, (result: DecideResult) => void>();
  const interrupts = new AbortController();
  let most = 0;
  const run: Promise<ReplayRun> = replayPayments(
    payments,
    ({ request }, done) => {
      sent.push(request.paymentId!);
      open.set(request.paymentId!, done);
      most = Math.max(most, open.size);
    },
    {
      inFlightMax: 2,
      perSecond: undefined,
      interrupted: interrupts.signal,
      nowMs: () => performance.now(),
      onProgress: () => {},
      ...options,
    },
  );
  const answer = (id: string, result: DecideResult = approved): void => {
    const done = open.get(id);
    if (done === undefined) throw new Error(`${id} is not in flight`);
    open.delete(id);
    done(result);
  };
  return { sent, run, answer, open, interrupts, most: () => most };
}

test("an outcome is reported for the first step, with the codes of its answer", () => {
  const [payment] = makePayments(["ann"]);
  const response = create(DecideResponseSchema, { plan: { steps: [{ attemptId: "a-1", psp: "alpha" }] } });
  const told: unknown[] = [];
  const send = makeSender({
    decide: (_, done) => done({ ok: true, response }),
    report: (report) => told.push(report),
  });
  send({ ...payment!, outcome: "DECLINED", answer: { responseCode: "51" } }, () => {});
  expect(told).toEqual([
    {
      merchantId: "",
      paymentId: "p-1",
      attemptId: "a-1",
      psp: "alpha",
      result: ReportOutcomeRequest_Result.DECLINED,
      responseCode: "51",
    },
  ]);
});

describe("a replay at full speed", () => {
  test("keeps so many in flight and no more, in order", async () => {
    const bench = openBench(makePayments(["a", "b", "c", "d"]));
    expect(bench.sent).toEqual(["p-1", "p-2"]);
    bench.answer("p-2");
    expect(bench.sent).toEqual(["p-1", "p-2", "p-3"]);
    for (const id of ["p-1", "p-3", "p-4"]) bench.answer(id);
    expect(await bench.run).toMatchObject({ sent: 4, ended: "all sent" });
    expect(bench.most()).toBe(2);
  });

  test("sends a player's payments one after the other, and others meanwhile", async () => {
    const bench = openBench(makePayments(["a", "a", "b", "a", "c"]), { inFlightMax: 2 });
    expect(bench.sent).toEqual(["p-1", "p-3"]);
    bench.answer("p-3");
    expect(bench.sent).toEqual(["p-1", "p-3", "p-5"]);
    bench.answer("p-1");
    expect(bench.sent.at(-1)).toBe("p-2");
    for (const id of ["p-5", "p-2", "p-4"]) bench.answer(id);
    expect((await bench.run).tally.decided).toBe(5);
  });

  test("looks only so far past a player who waits", async () => {
    const players = [...Array<string>(100).fill("a"), "b"];
    const bench = openBench(makePayments(players), { inFlightMax: 2 });
    expect(bench.sent).toEqual(["p-1"]);
    let next = 1;
    while (bench.open.size > 0) {
      const [id] = bench.open.keys();
      bench.answer(id!);
      next++;
    }
    expect(next).toBe(102);
    expect((await bench.run).sent).toBe(101);
  });

  test("ends at once where there is nothing to send", async () => {
    expect(await openBench([]).run).toMatchObject({ sent: 0, ended: "all sent" });
  });

  test("works with a service that answers before the call returns", async () => {
    const run = await replayPayments(makePayments(["a", "a", "b", "b", "a"]), (_, done) => done(approved), {
      inFlightMax: 1,
      perSecond: undefined,
      interrupted: new AbortController().signal,
      nowMs: () => 0,
      onProgress: () => {},
    });
    expect(run).toMatchObject({ sent: 5, ended: "all sent" });
  });

  test("stops sending when interrupted, and waits for what is in flight", async () => {
    const bench = openBench(makePayments(["a", "b", "a"]));
    bench.interrupts.abort();
    bench.answer("p-1");
    bench.answer("p-2");
    expect(await bench.run).toMatchObject({ sent: 2, ended: "interrupted" });
    expect(bench.sent).toEqual(["p-1", "p-2"]);
  });

  test("gives up after a thousand errors in a row, and an answer between them starts the count anew", async () => {
    const payments = makePayments(Array.from({ length: 3_000 }, (_, i) => `player-${i}`));
    let calls = 0;
    const options = {
      inFlightMax: 1,
      perSecond: undefined,
      interrupted: new AbortController().signal,
      nowMs: () => 0,
      onProgress: () => {},
    };
    const later = (result: DecideResult) => (_: unknown, done: (result: DecideResult) => void) =>
      queueMicrotask(() => done(++calls === 999 ? approved : result));
    const run = await replayPayments(payments, later(unavailable), options);
    expect(run).toMatchObject({ sent: 1_999, ended: "only errors" });
    expect(run.tally).toMatchObject({ decided: 1, failed: 1_998 });
  });
});

describe("a replay at a rate", () => {
  beforeEach(() => vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] }));
  afterEach(() => vi.useRealTimers());

  test("sends payments when they are due, whatever became of earlier ones", async () => {
    const bench = openBench(makePayments(["a", "b", "c"]), { perSecond: 10, inFlightMax: 10 });
    expect(bench.sent).toEqual(["p-1"]);
    await vi.advanceTimersByTimeAsync(99);
    expect(bench.sent).toEqual(["p-1"]);
    await vi.advanceTimersByTimeAsync(1);
    expect(bench.sent).toEqual(["p-1", "p-2"]);
    await vi.advanceTimersByTimeAsync(100);
    expect(bench.sent).toEqual(["p-1", "p-2", "p-3"]);
    for (const id of bench.sent) bench.answer(id);
    expect(await bench.run).toMatchObject({ sent: 3, ended: "all sent" });
  });

  test("counts latency from the instant at which a payment was due", async () => {
    const bench = openBench(makePayments(["a", "b"]), { perSecond: 1_000, inFlightMax: 1 });
    await vi.advanceTimersByTimeAsync(500);
    bench.answer("p-1");
    await vi.advanceTimersByTimeAsync(0);
    bench.answer("p-2");
    const { tally } = await bench.run;
    // The second was due at 1 ms and waited for the first.
    expect(tally.latency()).toMatchObject({ p50: 499, max: 500 });
  });

  test("stops waiting when interrupted", async () => {
    const bench = openBench(makePayments(["a", "b"]), { perSecond: 1 });
    bench.answer("p-1");
    bench.interrupts.abort();
    expect(await bench.run).toMatchObject({ sent: 1, ended: "interrupted" });
  });
});

describe("the tally", () => {
  test("counts verdicts, first PSPs, segments, rules, reasons and rule sets", () => {
    const tally = new Tally(2);
    const response = create(DecideResponseSchema, {
      verdict: DecideResponse_Verdict.APPROVE_ROUTE,
      plan: { steps: [{ psp: "x" }, { psp: "y" }] },
      segments: ["s1", "s2"],
      matchedRules: [{ id: "live" }, { id: "trial", shadow: true }],
      reasons: [{ code: "WHY" }],
      ruleSet: { version: 3n, hash: "abc" },
      replayed: true,
    });
    tally.add(response, 1);
    tally.add(create(DecideResponseSchema, { verdict: DecideResponse_Verdict.DENY, segments: ["s2"] }), 2);
    expect(tally).toMatchObject({ decided: 2, replayed: 1, failed: 0 });
    expect(tally.verdicts).toEqual([
      ["APPROVE_ROUTE", 1],
      ["DENY", 1],
    ]);
    expect(tally.psps).toEqual([
      ["(no plan)", 1],
      ["x", 1],
    ]);
    expect(tally.segments).toEqual([
      ["s2", 2],
      ["s1", 1],
    ]);
    expect(tally.rules).toEqual([
      ["live", 1],
      ["trial (shadow)", 1],
    ]);
    expect(tally.reasons).toEqual([["WHY", 1]]);
    expect(tally.ruleSets).toEqual([
      ["0 ", 1],
      ["3 abc", 1],
    ]);
  });

  test("gives exact percentiles by nearest rank", () => {
    const tally = new Tally(1_000);
    for (let ms = 1_000; ms >= 1; ms--) tally.add(approved.response, ms);
    expect(tally.latency()).toEqual({ p50: 500, p90: 900, p99: 990, p999: 999, max: 1_000 });
    expect(new Tally(0).latency()).toEqual({ p50: 0, p90: 0, p99: 0, p999: 0, max: 0 });
  });

  test("counts errors by their kind, not by their text", () => {
    const tally = new Tally(3);
    const fault = { desc: FieldFaultSchema, value: { field: "amount", rule: "positive" } };
    for (const id of ["p-1", "p-2"]) {
      tally.fail(new ConnectError(`${id} is wrong`, Code.InvalidArgument, undefined, [fault]), 1);
    }
    tally.fail(new ConnectError("gone", Code.Unavailable), 1);
    expect(tally.errors).toEqual([
      { name: "invalid-argument amount positive", count: 2, message: "p-1 is wrong" },
      { name: "unavailable", count: 1, message: "gone" },
    ]);
  });
});
