import { describe, expect, test } from "vitest";
import { cardDeposit } from "../../test/helpers/card-deposit.ts";
import { compileForTest } from "../../test/helpers/compile.ts";
import { createMemoryPayments } from "../../test/helpers/memory-payments.ts";
import { createMemoryState } from "../../test/helpers/memory-state.ts";
import { emptyBinTable } from "../core/bin/bin-table.ts";
import { defaultBreakerPolicy } from "../core/breakers/breaker-policy.ts";
import type { OutcomeReport } from "../core/outcome-report.ts";
import type { Payment } from "../core/payment.ts";
import { buildOverrideSet } from "../core/rules/override-set.ts";
import type { RuleSnapshot } from "../core/rules/snapshot.ts";
import { type BreakerTransition, createBreakers, type ProbeFate } from "./breakers.ts";
import type { Decided } from "./decided.ts";
import { createDecider } from "./decider.ts";
import { createReporter } from "./reporter.ts";

const second = 1_000;
const noonMs = Date.UTC(2026, 10, 16, 12);

const psps = `
  - { id: alpha, methods: [card, wallet], kinds: [deposit, withdrawal], acquirer_country: US }
  - { id: bravo, methods: [card], kinds: [deposit, withdrawal], acquirer_country: US }
`;
const compile = (more = "", psp = psps): RuleSnapshot =>
  compileForTest(`
name: t
psps: ${psp}
attributes:
  - { name: tier, subject: PLAYER, type: STRING, values: [none, gold] }
segments:
  - { id: vip, when: 'player.tier == "gold"' }
rules:
  - { id: route, class: DEFAULT, effects: { strategy: { priority: { psps: [alpha, bravo] } } } }
fx_rates:
  - { from: USD, to: EUR, rate: "0.9" }
${more}`);

const house = compile();

const payment: Payment = { ...cardDeposit, amountMinor: 5_000, card: { issuerCountry: "US" }, trace: true };

/** Closes after one success. */
const eager = { ...defaultBreakerPolicy, closeAfter: 1 };

const standard = { playerId: "p", restrictions: [], tier: "none" };
const failures = {
  down: { result: "DECLINED", failure: "CONNECT" },
  timeout: { result: "UNKNOWN", failure: "TIMEOUT" },
  code96: { result: "DECLINED", responseCode: "96" },
} as const;

type Told = Omit<OutcomeReport, "merchantId" | "paymentId" | "attemptId" | "psp">;

/** A merchant, and another that shares nothing with it. Every payment has an id of its own, unless it says otherwise. */
function openWorld(first: RuleSnapshot = house, payments = createMemoryPayments()) {
  const world = { nowMs: noonMs, snapshot: first };
  const transitions: string[] = [];
  const fates: ProbeFate[] = [];
  const rules = {
    current: () => ({
      snapshot: world.snapshot,
      overrides: buildOverrideSet({ revision: 0, slots: [], overrides: [] }),
    }),
  };
  const players = {
    get: (_: string, playerId: string) => {
      const tier = playerId === "vip" ? "gold" : playerId === "unknown" ? undefined : standard.tier;
      const attributes = new Map(
        tier === undefined ? [] : [["tier", { value: tier, setAtMs: 0, source: "" }]],
      );
      return { ...standard, playerId, attributes };
    },
  };
  const breakers = createBreakers({
    rules,
    onTransition: ({ psp, kind, from, to }: BreakerTransition) =>
      transitions.push(`${psp} ${kind} ${from} ${to}`),
    onProbe: ({ fate }) => fates.push(fate),
  });
  const state = {
    ...createMemoryState({
      merchants: new Map([
        ["default", { clock: "server" }],
        ["other", { clock: "server" }],
      ]),
      rules,
      players,
      payments,
      bins: emptyBinTable,
      clock: { nowMs: () => world.nowMs },
    }),
    breakers,
    onOutcome: breakers.hear,
  };
  const decider = createDecider(state);
  const reporter = createReporter(state);
  let count = 0;
  const decide = (more: Partial<Payment> = {}): Decided => {
    const decided = decider.decide({ ...payment, paymentId: `pay-${++count}`, ...more }, "gateway");
    if (!decided.ok) throw new Error(JSON.stringify(decided));
    return decided;
  };
  const report = (of: Decided, told: Told, step = 0) => {
    const { attemptId, psp } = of.decision.plan!.steps[step]!;
    const { merchantId, paymentId } = of.payment;
    const reported = reporter.report({ merchantId, paymentId, attemptId, psp, ...told });
    if (!reported.ok) throw new Error(JSON.stringify(reported));
    return reported;
  };
  const breaker = (psp: string, at = 0, merchantId = "default") =>
    breakers.list(merchantId, psp, world.nowMs)[at]!;
  /** Opens the breaker of alpha by timeouts, and lets it be half-open where asked. */
  const breakAlpha = (isHalfOpen = false) => {
    for (let at = 0; at < 5; at++) report(decide({ playerId: `breaking-${at}` }), failures.timeout);
    if (isHalfOpen) world.nowMs += 30 * second;
  };
  return { world, decider, decide, report, breaker, breakers, breakAlpha, transitions, fates };
}

const routeOf = ({ decision }: Decided): readonly string[] => [
  ...new Set(decision.plan?.steps.map(({ psp }) => psp) ?? []),
];
const removalOf = ({ trace }: Decided, psp: string) => {
  const { removedBy, detail } = trace!.psps.find((each) => each.psp === psp)!;
  return { removedBy, detail };
};

describe("breakers of the decision", () => {
  test("DOMAIN 6, row 23: a refused connection sends to the next PSP at once and counts as one failure", () => {
    const { decide, report, breaker } = openWorld();
    const decided = decide();
    const { plan } = report(decided, failures.down);
    const next = plan!.next;
    expect(next.action).toBe("STEP");
    const step = plan!.steps.find(({ number }) => next.action === "STEP" && number === next.step);
    expect(step?.psp).toBe("bravo");
    expect(breaker("alpha")).toMatchObject({ phase: "CLOSED", calls: 1, failures: 1 });
    expect(breaker("bravo")).toMatchObject({ calls: 0 });
  });

  test("DOMAIN 6, row 29: 12 of 20 fail within a minute; bravo first; 30 s later one probe under load; three close", () => {
    const { world, decide, report, breaker, fates, transitions } = openWorld();
    for (let at = 0; at < 20; at++) {
      const decided = decide({ playerId: `p${at}` });
      expect(routeOf(decided)).toEqual(["alpha", "bravo"]);
      report(decided, at % 5 < 2 ? { result: "APPROVED" } : failures.code96);
      world.nowMs += 3 * second;
    }
    world.nowMs -= 3 * second;
    expect(breaker("alpha")).toMatchObject({
      phase: "OPEN",
      calls: 20,
      failures: 12,
      reason: "12 of 20 calls failed",
    });
    const detoured = decide();
    expect(routeOf(detoured)).toEqual(["bravo"]);
    expect(removalOf(detoured, "alpha")).toEqual({
      removedBy: "breaker",
      detail: "breaker open: 12 of 20 calls failed; next probe at 2026-11-16T12:01:27.000Z",
    });
    world.nowMs += 30 * second - 1;
    expect(routeOf(decide())).toEqual(["bravo"]);
    world.nowMs += 1;
    for (let probe = 0; probe < 3; probe++) {
      const burst = Array.from({ length: 50 }, () => decide());
      const probes = burst.filter((each) => routeOf(each)[0] === "alpha");
      expect(probes).toHaveLength(1);
      expect(burst.filter((each) => routeOf(each).includes("alpha"))).toEqual(probes);
      expect(breaker("alpha")).toMatchObject({ phase: "HALF_OPEN", probes: 1 });
      report(probes[0]!, { result: "APPROVED" });
      world.nowMs += second;
    }
    expect(breaker("alpha")).toMatchObject({
      phase: "CLOSED",
      reason: "3 probes in a row succeeded",
      calls: 0,
    });
    expect(routeOf(decide())).toEqual(["alpha", "bravo"]);
    expect(fates).toEqual(["LEASED", "SUCCEEDED", "LEASED", "SUCCEEDED", "LEASED", "SUCCEEDED"]);
    expect(transitions).toEqual([
      "alpha psp CLOSED OPEN",
      "alpha psp OPEN HALF_OPEN",
      "alpha psp HALF_OPEN CLOSED",
    ]);
  });

  test("DOMAIN 6, row 30: all are open, so the card is refused and another method offered", () => {
    const { decide, report, breakAlpha, breaker } = openWorld();
    breakAlpha();
    for (let at = 0; at < 5; at++) report(decide({ playerId: `b${at}` }), failures.timeout);
    expect(breaker("bravo").phase).toBe("OPEN");
    const { decision } = decide();
    expect(decision).toMatchObject({
      verdict: "DENY",
      plan: undefined,
      reasons: [{ code: "ALL_ROUTES_DOWN", playerMessageKey: "payment.other_method" }],
      retryAfterMs: noonMs + 60 * second,
    });
  });

  test("a storm of wrong CVVs moves no PSP's health, and neither do answers of issuers", () => {
    const { decide, report, breaker } = openWorld();
    for (let at = 0; at < 200; at++) {
      const responseCode = ["N7", "05", "51", "14", "54"][at % 5]!;
      report(decide({ playerId: `p${at}` }), { result: "DECLINED", responseCode });
    }
    expect(breaker("alpha")).toMatchObject({ phase: "CLOSED", calls: 0, failures: 0, sinceMs: undefined });
  });

  test("two merchants share no breaker", () => {
    const { decide, breakAlpha, breaker } = openWorld();
    breakAlpha();
    expect(routeOf(decide({ merchantId: "other" }))).toEqual(["alpha", "bravo"]);
    expect(breaker("alpha", 0, "other").phase).toBe("CLOSED");
  });

  test("previous attempts that come with a call are heard as reports are", () => {
    const { decide, breaker } = openWorld();
    for (let at = 0; at < 5; at++) {
      const first = decide({ playerId: `p${at}` });
      const { attemptId, psp } = first.decision.plan!.steps[0]!;
      const { paymentId } = first.payment;
      decide({ paymentId, playerId: `p${at}`, previousAttempts: [{ attemptId, psp, failure: "TIMEOUT" }] });
    }
    expect(breaker("alpha").phase).toBe("OPEN");
  });

  test("a planned step at a PSP whose breaker opened since is cut", () => {
    const { decide, report, breakAlpha } = openWorld();
    const before = decide({ paymentId: "before" });
    breakAlpha();
    const { plan } = decide({ paymentId: "before" });
    expect(plan!.cut.map(({ code, sourceId }) => [code, sourceId])).toEqual([["BREAKER_OPEN", "alpha"]]);
    expect(new Set(plan!.steps.map(({ psp }) => psp))).toEqual(new Set(["bravo"]));
    expect(report(before, failures.down, 0).plan!.next.action).toBe("STEP");
  });
});

describe("probes", () => {
  test.each<{ name: string; asks: Partial<Payment>; tries: boolean }>([
    { name: "an ordinary deposit", asks: {}, tries: true },
    { name: "a VIP's deposit", asks: { playerId: "vip" }, tries: false },
    { name: "one of whom nobody knows whether", asks: { playerId: "unknown" }, tries: true },
    { name: "one cent below the amount", asks: { amountMinor: 19_999 }, tries: true },
    { name: "just the amount", asks: { amountMinor: 20_000 }, tries: false },
    { name: "less in another currency", asks: { amountMinor: 22_221, currency: "USD" }, tries: true },
    { name: "as much in another currency", asks: { amountMinor: 22_223, currency: "USD" }, tries: false },
    { name: "an amount without a rate", asks: { amountMinor: 100, currency: "BRL" }, tries: false },
    { name: "what the merchant starts", asks: { initiator: "MIT" }, tries: false },
    { name: "a payout", asks: { kind: "withdrawal" }, tries: false },
  ])("are made with $name: $tries", ({ asks, tries }) => {
    const { decide, breakAlpha, breaker } = openWorld();
    breakAlpha(true);
    const decided = decide(asks);
    expect(routeOf(decided)[0]).toBe(tries ? "alpha" : "bravo");
    expect(routeOf(decided).includes("alpha")).toBe(tries);
    expect(breaker("alpha").probes).toBe(tries ? 1 : 0);
    if (!tries) expect(removalOf(decided, "alpha").removedBy).toBe("breaker");
  });

  test("are no fallback steps", () => {
    const bravoFirst = compile('  - { from: BRL, to: EUR, rate: "0.2" }');
    const { world, decide, breakAlpha } = openWorld(bravoFirst);
    breakAlpha(true);
    world.snapshot = compileForTest(
      `
name: t
psps: ${psps}
rules:
  - { id: route, class: DEFAULT, effects: { strategy: { priority: { psps: [bravo, alpha] } } } }
`,
      2,
    );
    const decided = decide();
    expect(routeOf(decided)).toEqual(["bravo"]);
    expect(removalOf(decided, "alpha")).toEqual({
      removedBy: "breaker",
      detail: "half-open: tried as the first step only",
    });
    world.nowMs += 30 * second;
    expect(routeOf(decide())).toEqual(["alpha", "bravo"]);
    expect(routeOf(decide())).toEqual(["bravo"]);
  });

  test("are leased by no simulation and no cashier, which see what a payment would", () => {
    const { decider, world, decide, breakAlpha, breaker } = openWorld();
    breakAlpha(true);
    const simulated = decider.simulate(
      { snapshot: world.snapshot, overrides: buildOverrideSet({ revision: 0, slots: [], overrides: [] }) },
      { ...payment, paymentId: "simulated" },
    );
    expect(simulated.draft.ok && routeOf(simulated.draft)).toEqual(["alpha", "bravo"]);
    expect(decide({ mode: "CASHIER", playerId: "vip" }).decision.verdict).toBe("APPROVE_ROUTE");
    expect(breaker("alpha").probes).toBe(0);
  });

  test("are given back by a payment that is denied, goes elsewhere, or has an answer that says nothing", () => {
    const { world, decide, report, breakAlpha, breaker, fates } = openWorld();
    breakAlpha(true);
    const first = decide({ paymentId: "first" });
    expect(breaker("alpha").probes).toBe(1);
    decide({ paymentId: "first", revision: 1, amountMinor: 30_000 });
    expect(breaker("alpha").probes).toBe(0);
    const declined = decide();
    expect(report(declined, { result: "DECLINED", responseCode: "05" })).toBeTruthy();
    expect(breaker("alpha")).toMatchObject({ phase: "HALF_OPEN", probes: 0 });
    const cut = decide({ paymentId: "cut" });
    expect(routeOf(cut)[0]).toBe("alpha");
    world.snapshot = compileForTest(
      `
name: t
psps: ${psps}
rules:
  - { id: law, class: REGULATORY, on_unknown: SKIP, when: "payment.currency == \\"EUR\\"", effects: { exclude_psps: [alpha] } }
`,
      2,
    );
    decide({ paymentId: "cut" });
    expect(breaker("alpha").probes).toBe(0);
    expect(routeOf(first)[0]).toBe("alpha");
    expect(fates).toEqual(["LEASED", "RETURNED", "LEASED", "NEUTRAL", "LEASED", "RETURNED"]);
  });

  test("are given back where a report tells that the payment went elsewhere, or its step is cut", () => {
    const { world, decide, report, breakAlpha, breaker } = openWorld();
    breakAlpha(true);
    const elsewhere = decide();
    const bravo = elsewhere.decision.plan!.steps.findIndex(({ psp }) => psp === "bravo");
    expect(breaker("alpha").probes).toBe(1);
    report(elsewhere, { result: "APPROVED" }, bravo);
    expect(breaker("alpha")).toMatchObject({ phase: "HALF_OPEN", probes: 0 });
    const cut = decide();
    expect(breaker("alpha").probes).toBe(1);
    world.snapshot = compile(
      "",
      psps.replace(
        "id: alpha,",
        'id: alpha, maintenance: [{ from: "2026-11-16T12:00:00Z", until: "2026-11-17T00:00:00Z" }],',
      ),
    );
    report(cut, { result: "PENDING" }, cut.decision.plan!.steps.length - 1);
    expect(breaker("alpha").probes).toBe(0);
  });

  test("are given back where the decision could not be kept", async () => {
    const memory = createMemoryPayments();
    const disk = { isFull: false };
    const { decider, breakAlpha, breaker } = openWorld(house, {
      get: memory.get,
      put: (...record) => (disk.isFull ? Promise.reject(new Error("disk full")) : memory.put(...record)),
    });
    breakAlpha(true);
    disk.isFull = true;
    const decided = decider.decide({ ...payment, paymentId: "unkept" }, "gateway");
    expect(breaker("alpha").probes).toBe(1);
    await expect(decided.ok && decided.durable).rejects.toThrow("disk full");
    expect(breaker("alpha").probes).toBe(0);
  });

  test("go on with a step-up at the same PSP, whose answer is theirs", () => {
    const { decide, report, breakAlpha, breaker, fates } = openWorld({ ...house, breakerPolicy: eager });
    breakAlpha(true);
    const probe = decide({ card: { issuerCountry: "US", scheme: "visa" } });
    const { plan } = report(probe, { result: "DECLINED", responseCode: "1A" });
    expect(plan!.next).toMatchObject({ action: "STEP", step: 2 });
    expect(plan!.steps.find(({ number }) => number === 2)?.psp).toBe("alpha");
    expect(breaker("alpha")).toMatchObject({ phase: "HALF_OPEN", probes: 1 });
    expect(routeOf(decide())).toEqual(["bravo"]);
    report(probe, { result: "APPROVED" }, 1);
    expect(breaker("alpha").phase).toBe("CLOSED");
    expect(fates).toEqual(["LEASED", "NEUTRAL", "SUCCEEDED"]);
  });

  test("are told in the trace", () => {
    const { decide, breakAlpha } = openWorld();
    breakAlpha(true);
    expect(decide().trace!.notes).toContain("alpha is half-open: the payment tries whether it works again");
    expect(decide().trace!.notes.join()).not.toContain("half-open");
  });

  test("that are lost expire when plan and PSP have had their time", () => {
    const { world, decide, breakAlpha, breaker } = openWorld();
    breakAlpha(true);
    const lost = decide();
    const validUntilMs = lost.decision.plan!.validUntilMs;
    world.nowMs = validUntilMs + 60 * second - 1;
    expect(routeOf(decide())).toEqual(["bravo"]);
    world.nowMs += 1;
    expect(routeOf(decide())[0]).toBe("alpha");
    expect(breaker("alpha").probes).toBe(1);
  });

  test("that fail open it again, and their plan stands where it is a probe", () => {
    const { decide, report, breakAlpha, breaker } = openWorld();
    breakAlpha(true);
    const probe = decide({ paymentId: "probe" });
    expect(decide({ paymentId: "probe" }).plan!.steps[0]!.psp).toBe("alpha");
    report(probe, failures.down);
    expect(breaker("alpha")).toMatchObject({ phase: "OPEN", reason: "a probe failed" });
  });
});

describe("policies of rule sets", () => {
  test("LEAST_BAD sends where the least fails, says so, and lets the plan stand", () => {
    const { world, decide, report, breaker } = openWorld(
      compile("breaker_policy: { all_down: LEAST_BAD, window: 600s }"),
    );
    const spoil = (good: number, bad: number) => {
      for (let at = 0; at < good + bad; at++) {
        report(
          decide({ playerId: `${world.nowMs}-${at}` }),
          at < good ? { result: "APPROVED" } : failures.code96,
        );
        world.nowMs += 10;
      }
    };
    spoil(2, 18);
    expect(breaker("alpha").phase).toBe("OPEN");
    spoil(10, 10);
    expect(breaker("bravo").phase).toBe("OPEN");
    const decided = decide({ paymentId: "least", amountMinor: 100_000 });
    expect(routeOf(decided)).toEqual(["bravo"]);
    expect(decided.decision.reasons).toMatchObject([{ code: "LEAST_BAD_ROUTE", sourceId: "bravo" }]);
    expect(decide({ paymentId: "least", amountMinor: 100_000 }).plan!.cut).toEqual([]);
    expect(decide({ kind: "withdrawal" }).decision.reasons).toMatchObject([{ code: "ALL_ROUTES_DOWN" }]);
  });

  test("per_method: a method of a PSP opens by itself", () => {
    const { decide, report, breaker, breakers } = openWorld(
      compile("breaker_policy: { per_method: true, calls_min: 10 }"),
    );
    const { card: _, ...wallet } = payment;
    for (let at = 0; at < 10; at++) {
      for (const player of ["a", "b"]) report(decide({ playerId: `${player}${at}` }), { result: "APPROVED" });
      const decided = decide({ ...wallet, paymentId: `w${at}`, method: "wallet", playerId: `w${at}` });
      report(decided, failures.code96);
    }
    const listed = breakers
      .list("default", "alpha", noonMs)
      .map(({ kind, method, phase }) => [kind, method, phase]);
    expect(listed).toEqual([
      ["psp", "", "CLOSED"],
      ["method", "card", "CLOSED"],
      ["method", "wallet", "OPEN"],
    ]);
    expect(routeOf(decide())).toEqual(["alpha", "bravo"]);
    expect(decide({ ...wallet, paymentId: "w", method: "wallet" }).decision.reasons).toMatchObject([
      { code: "ALL_ROUTES_DOWN" },
    ]);
    expect(breaker("alpha")).toMatchObject({ calls: 30, failures: 10 });
  });

  test("3DS has a breaker of its own, which keeps only those away that need 3DS", () => {
    const challenged = `
  - { id: large, class: RISK, when: 'payment.currency == "EUR" && payment.amount_minor > 8000', effects: { three_ds: { level: CHALLENGE } } }`;
    const snapshot = compileForTest(`
name: t
psps: ${psps}
rules:
  - { id: route, class: DEFAULT, effects: { strategy: { priority: { psps: [alpha, bravo] } } } }${challenged}
`);
    const { decide, report, breaker, breakers } = openWorld(snapshot);
    for (let at = 0; at < 10; at++)
      report(decide({ playerId: `p${at}`, amountMinor: 9_000 }), { result: "DECLINED", failure: "THREE_DS" });
    expect(breaker("alpha")).toMatchObject({ kind: "psp", phase: "CLOSED", calls: 0 });
    expect(breakers.list("default", "alpha", noonMs)[1]).toMatchObject({ kind: "three_ds", phase: "OPEN" });
    expect(routeOf(decide({ amountMinor: 9_000 }))).toEqual(["bravo"]);
    expect(routeOf(decide({ amountMinor: 5_000 }))).toEqual(["alpha", "bravo"]);
  });

  test("what left the rule set is forgotten, and is as new when it comes back", () => {
    const { world, decide, breakAlpha, breaker, breakers } = openWorld();
    breakAlpha();
    world.snapshot = compile(
      "",
      "\n  - { id: bravo, methods: [card], acquirer_country: US }\n  - { id: alpha, methods: [wallet] }",
    );
    expect(breaker("alpha").phase).toBe("OPEN");
    world.snapshot = compileForTest("name: t\npsps: [{ id: bravo, methods: [card] }]\nrules: []\n", 3);
    expect(breakers.list("default", "alpha", world.nowMs)).toEqual([]);
    world.snapshot = house;
    expect(breaker("alpha")).toMatchObject({ phase: "CLOSED", calls: 0 });
    expect(routeOf(decide())).toEqual(["alpha", "bravo"]);
  });

  test("maintenance keeps new plans away and cuts planned steps, to the millisecond", () => {
    const inMaintenance = psps.replace(
      "methods: [card, wallet]",
      'methods: [card, wallet], maintenance: [{ from: "2026-11-16T12:10:00Z", until: "2026-11-16T12:12:00Z" }]',
    );
    const { world, decide } = openWorld(compile("", inMaintenance));
    world.nowMs = noonMs + 600 * second - 1;
    expect(routeOf(decide({ paymentId: "planned" }))).toEqual(["alpha", "bravo"]);
    world.nowMs += 1;
    const during = decide();
    expect(routeOf(during)).toEqual(["bravo"]);
    expect(removalOf(during, "alpha")).toEqual({
      removedBy: "maintenance",
      detail: "in maintenance until 2026-11-16T12:12:00.000Z",
    });
    expect(decide({ paymentId: "planned" }).plan!.cut).toMatchObject([
      { code: "PSP_MAINTENANCE", sourceId: "alpha" },
    ]);
    world.nowMs = noonMs + 720 * second;
    expect(routeOf(decide())).toEqual(["alpha", "bravo"]);
  });
});
