import fc from "fast-check";
import { expect, test } from "vitest";
import { compileForTest } from "../../test/helpers/compile.ts";
import { createMemoryState } from "../../test/helpers/memory-state.ts";
import { countRuns } from "../../test/helpers/property-runs.ts";
import { emptyBinTable } from "../core/bin/bin-table.ts";
import type { Step } from "../core/decision.ts";
import type { OutcomeReport } from "../core/outcome-report.ts";
import type { Payment } from "../core/payment.ts";
import { buildOverrideSet } from "../core/rules/override-set.ts";
import type { PlanNow } from "./decided.ts";
import { createDecider } from "./decider.ts";
import { createReporter } from "./reporter.ts";

/** Plans as a gateway meets them over time: whole payments through the corridors, held against a model that knows nothing of histories. */

const hour = 3_600_000;
const day = 24 * hour;
const startMs = Date.UTC(2026, 10, 16, 12);

type World = {
  readonly maxAttempts: number;
  readonly generic: string;
  readonly takesProof: readonly boolean[];
  readonly caps: readonly { readonly key: "CARD" | "CARD_AMOUNT"; readonly declines: number }[];
  readonly acquirers: readonly string[];
  readonly floor: boolean;
};

const ids = ["alpha", "bravo", "coral"];
const visaWindowMs = 2 * day;

function compileWorld({ maxAttempts, generic, takesProof, caps, acquirers, floor }: World) {
  const psps = ids.map((id, at) => ({
    id,
    methods: ["card"],
    acquirer_country: acquirers[at],
    three_ds: id !== "coral",
    amounts: [{ max: { minor_units: id === "alpha" ? 5_000 : 50_000, currency_code: "EUR" } }],
    sca: { takes_proof: takesProof[at], fraud_rate_bps: 5 },
  }));
  return compileForTest(
    JSON.stringify({
      name: "t",
      psps,
      rules: [
        {
          id: "order",
          class: "DEFAULT",
          effects: { strategy: { priority: { psps: ids } }, retry_policy: "own" },
        },
        ...(floor
          ? [
              {
                id: "law",
                class: "REGULATORY",
                on_unknown: "APPLY",
                effects: { three_ds: { level: "REQUIRE" } },
              },
            ]
          : []),
      ],
      retry_policies: [
        { id: "own", max_attempts: maxAttempts, rules: [{ outcome: "GENERIC", response: generic }] },
      ],
      scheme_caps: caps.map((cap, at) => ({ id: `cap-${at}`, scheme: "visa", window: "172800s", ...cap })),
    }),
  );
}

/** What a PSP may answer, and what a gateway may do between. */
type Answer = {
  readonly code?: string;
  readonly advice?: string;
  readonly failure?: "CONNECT" | "TIMEOUT";
  readonly approved?: true;
  readonly host?: "PSP" | "MERCHANT";
};

const answer: fc.Arbitrary<Answer> = fc.oneof(
  { arbitrary: fc.constantFrom<Answer>({ code: "05" }, { code: "96" }, { code: "91" }), weight: 5 },
  fc.constantFrom<Answer>(
    { code: "05", host: "PSP" },
    { code: "96", host: "MERCHANT" },
    { code: "96", host: "PSP" },
  ),
  {
    arbitrary: fc.constantFrom<Answer>({ code: "57" }, { code: "41" }, { code: "62" }, { code: "R1" }),
    weight: 2,
  },
  fc.constantFrom<Answer>({ code: "51" }, { code: "1A" }, { code: "63" }, { code: "N7" }, { code: "54" }),
  fc.constantFrom<Answer>({ code: "59" }, { code: "03" }, { code: "01" }, { failure: "CONNECT" }),
  fc.constantFrom<Answer>({ failure: "TIMEOUT" }, { code: "94" }),
  fc.constant<Answer>({ approved: true }),
);

type Act = {
  readonly card: "f-1" | "f-2";
  readonly amountMinor: number;
  readonly initiator: "CIT" | "MIT";
  readonly afterMs: number;
  /** Steps before the next payment begins; what is left comes when all have begun. */
  readonly atOnce: number;
  readonly answers: readonly Answer[];
};

const act: fc.Arbitrary<Act> = fc.record({
  card: fc.constantFrom("f-1", "f-1", "f-1", "f-2"),
  amountMinor: fc.constantFrom(2_000, 9_000),
  initiator: fc.constantFrom("CIT", "CIT", "MIT"),
  afterMs: fc.constantFrom(0, 0, 60_000, hour, day, 8 * day),
  atOnce: fc.constantFrom(0, 0, 1, 9),
  answers: fc.array(answer, { minLength: 9, maxLength: 9 }),
});

const world: fc.Arbitrary<World> = fc.record({
  maxAttempts: fc.integer({ min: 1, max: 6 }),
  generic: fc.constantFrom("STEP_UP", "NEXT_PSP", "STOP"),
  takesProof: fc.array(fc.boolean(), { minLength: 3, maxLength: 3 }),
  caps: fc.array(
    fc.record({
      key: fc.constantFrom("CARD" as const, "CARD_AMOUNT" as const),
      declines: fc.integer({ min: 2, max: 6 }),
    }),
    { minLength: 1, maxLength: 2 },
  ),
  acquirers: fc.array(fc.constantFrom("DE", "US"), { minLength: 3, maxLength: 3 }),
  floor: fc.boolean(),
});

/** Compiling takes far longer than deciding, so some worlds serve many runs. */
const worlds = fc.sample(world, countRuns(20)).map((told) => [told, compileWorld(told)] as const);

/** One house for all runs, for its slabs are large; each run has a player, cards and payments of its own. */
const house = { snapshot: worlds[0]![1], runs: 0 };
const clock = { at: startMs };
const state = createMemoryState({
  merchants: new Map([["default", { clock: "server" }]]),
  rules: {
    current: () => ({
      snapshot: house.snapshot,
      overrides: buildOverrideSet({ revision: 0, slots: [], overrides: [] }),
    }),
  },
  bins: emptyBinTable,
  clock: { nowMs: () => clock.at },
});
const decider = createDecider(state);
const reporter = createReporter(state);

/** An attempt as the model saw it. */
type Seen = {
  readonly card: string;
  readonly amountMinor: number;
  readonly initiator: string;
  readonly atMs: number;
  readonly answer: Answer;
};

/** Days for which the house remembers an answer, by what; told again here, so that a change is seen. */
const cardBlockMs: Readonly<Record<string, number>> = { "57": 7 * day, "41": Number.POSITIVE_INFINITY };

function checkStep(step: Step, asked: Payment, seen: readonly Seen[], { caps }: World, nowMs: number): void {
  const fingerprint = asked.card!.fingerprint!;
  const ofCard = seen.filter(({ card }) => card === fingerprint);
  for (const { answer, atMs } of ofCard) {
    const blockMs = cardBlockMs[answer.code ?? ""];
    if (blockMs !== undefined)
      expect(nowMs, `blocked by ${answer.code}`).toBeGreaterThanOrEqual(atMs + blockMs);
    if (answer.code === "R1") expect(asked.initiator).toBe("CIT");
  }
  for (const { key, declines } of caps) {
    const counted = ofCard.filter(
      ({ amountMinor, initiator }) =>
        initiator === asked.initiator && (key === "CARD" || amountMinor === asked.amountMinor),
    );
    const since = counted.slice(counted.findLastIndex(({ answer }) => answer.approved === true) + 1);
    const used = since.filter(
      ({ answer, atMs }) => answer.code !== undefined && answer.code !== "94" && atMs > nowMs - visaWindowMs,
    );
    expect(used.length, "attempts beyond a scheme cap").toBeLessThan(declines);
  }
  if (asked.amountMinor! > 5_000) expect(step.psp).not.toBe("alpha");
  if (asked.initiator === "MIT") expect(step.kind).not.toBe("STEP_UP");
}

function checkLaw(step: Step, { floor, acquirers }: World, asked: Payment): void {
  const { requirement } = step.threeDs;
  if (asked.initiator === "MIT") return;
  if (floor) expect(requirement).toBe("THREE_DS");
  // Inside the zone a step authenticates or names the exemption that it asks for.
  if (acquirers[ids.indexOf(step.psp)] === "DE") expect(["THREE_DS", "EXEMPTION"]).toContain(requirement);
}

function makeReport(asked: Payment, step: Step, { code, approved, failure, host }: Answer): OutcomeReport {
  const result = approved === true ? "APPROVED" : failure === "TIMEOUT" ? "UNKNOWN" : "DECLINED";
  return {
    merchantId: "default",
    paymentId: asked.paymentId,
    attemptId: step.attemptId,
    psp: step.psp,
    result,
    ...(code === undefined ? {} : { responseCode: code }),
    ...(failure === undefined ? {} : { failure }),
    ...(host === undefined ? {} : { threeDs: { host, transStatus: "Y" as const, hasCryptogram: true } }),
  };
}

/** A payment on its way. */
type Flow = {
  readonly asked: Payment;
  readonly sent: { readonly step: Step; readonly answer: Answer }[];
  readonly answers: Answer[];
};

/** The plan as it stands: a gateway asks before every step, so that it hears of what other payments met. */
function askAgain({ asked }: Flow): PlanNow | undefined {
  const decided = decider.decide(asked, "gateway");
  if (decided.ok) return decided.plan;
  // After a week only its final state is kept.
  if (decided.kind !== "payment_closed") throw new Error(decided.kind);
  return undefined;
}

/** The step to execute now; undefined where the plan has come to an end, or to a question. */
function findStep(flow: Flow): Step | undefined {
  const { sent } = flow;
  let plan = askAgain(flow);
  if (plan?.next.action === "WAIT_UNTIL") {
    clock.at = Math.max(clock.at, plan.next.notBeforeMs);
    plan = askAgain(flow);
  }
  if (plan === undefined) return undefined;
  const { next, steps } = plan;
  if (sent.some(({ answer }) => answer.failure === "TIMEOUT" || answer.code === "94"))
    expect(next.action).toBe("STATUS_CHECK");
  if (sent.some(({ answer }) => answer.approved)) expect(next.action).toBe("DONE");
  if (next.action !== "STEP" && next.action !== "WAIT_UNTIL") return undefined;
  return steps.find(({ number }) => number === next.step)!;
}

function walk(flow: Flow, most: number, told: World, seen: Seen[]): void {
  const { asked, sent, answers } = flow;
  for (let at = 0; at < most && answers.length > 0; at++) {
    // One ms after the other, so that the order of what is told is no matter of chance.
    clock.at += 1;
    const step = findStep(flow);
    if (step === undefined) return;
    const answer = answers.shift()!;
    checkStep(step, asked, seen, told, clock.at);
    checkLaw(step, told, asked);
    expect(sent.map((each) => each.step.attemptId)).not.toContain(step.attemptId);
    for (const { step: before, answer: met } of sent) {
      if (before.psp === step.psp || met.host === undefined) continue;
      expect(met.host).toBe("MERCHANT");
      expect(told.takesProof[ids.indexOf(step.psp)]).toBe(true);
    }
    sent.push({ step, answer });
    expect(sent.length).toBeLessThanOrEqual(told.maxAttempts);
    const { card, amountMinor, initiator } = asked;
    const atMs = clock.at;
    seen.push({ card: card!.fingerprint!, amountMinor: amountMinor!, initiator, atMs, answer });
    const reported = reporter.report(makeReport(asked, step, answer));
    if (!reported.ok) throw new Error(reported.kind);
  }
}

function makePayment({ card, amountMinor, initiator }: Act, at: number): Payment {
  return {
    requestId: "r",
    merchantId: "default",
    paymentId: `pay-${house.runs}-${at}`,
    revision: 0,
    playerId: `p-${house.runs}`,
    brand: "",
    kind: "deposit",
    amountMinor,
    currency: "EUR",
    method: "card",
    card: { fingerprint: `${card}-${house.runs}`, bin: "497010", scheme: "visa", issuerCountry: "FR" },
    initiator,
    riskSignals: [],
    attributes: new Map(),
    previousAttempts: [],
    mode: "PAYMENT",
    trace: false,
  };
}

test("SEMANTICS 4.2, 4.6: no step runs past a hard stop, a cap, an unknown outcome or a proof that stays behind", () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...worlds),
      fc.array(act, { minLength: 2, maxLength: 6 }),
      ([told, snapshot], acts) => {
        house.snapshot = snapshot;
        house.runs++;
        clock.at = startMs;
        const seen: Seen[] = [];
        const flows: Flow[] = [];
        for (const [at, each] of acts.entries()) {
          clock.at += each.afterMs;
          const flow: Flow = { asked: makePayment(each, at), sent: [], answers: [...each.answers] };
          askAgain(flow);
          walk(flow, each.atOnce, told, seen);
          flows.push(flow);
        }
        for (const flow of flows) {
          walk(flow, Number.POSITIVE_INFINITY, told, seen);
          expect(flow.answers.length).toBeGreaterThan(0);
        }
      },
    ),
    { numRuns: countRuns(400) },
  );
}, 60_000);
