import { describe, expect, test } from "vitest";
import { cardDeposit } from "../../test/helpers/card-deposit.ts";
import { compileForTest } from "../../test/helpers/compile.ts";
import { createMemoryState } from "../../test/helpers/memory-state.ts";
import { emptyBinTable } from "../core/bin/bin-table.ts";
import type { HeardOutcome } from "../core/breakers/heard-outcome.ts";
import { hashWide } from "../core/history/hash-wide.ts";
import type { Subject } from "../core/history/history.ts";
import type { OutcomeReport, OutcomeResult } from "../core/outcome-report.ts";
import type { Payment } from "../core/payment.ts";
import { buildOverrideSet } from "../core/rules/override-set.ts";
import type { Reported } from "./decided.ts";
import { createDecider } from "./decider.ts";
import { createReporter } from "./reporter.ts";

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
const noonMs = Date.UTC(2026, 10, 16, 12);
const card = { fingerprint: "f", bin: "45710435", scheme: "mastercard", issuerCountry: "DK" } as const;

const payment: Payment = { ...cardDeposit, card };

/** A house without limits, with one payment at alpha in the EEA, then at bravo outside; `more` is added to its rule set. */
function openHouse(more = "", asked: Partial<Payment> = {}) {
  const snapshot = compileForTest(`
name: t
psps:
  - { id: alpha, methods: [card], acquirer_country: DE, accounts: [{ mid: A-1 }] }
  - { id: bravo, methods: [card], acquirer_country: SG }
rules:
  - { id: route, class: DEFAULT, effects: { strategy: { priority: { psps: [alpha, bravo] } } } }
${more}`);
  const clock = { at: noonMs };
  const overrides = buildOverrideSet({ revision: 0, slots: [], overrides: [] });
  const heard: (readonly [string, HeardOutcome])[] = [];
  const state = {
    ...createMemoryState({
      merchants: new Map([["default", { clock: "server" }]]),
      rules: { current: () => ({ snapshot, overrides }) },
      bins: emptyBinTable,
      clock: { nowMs: () => clock.at },
    }),
    onOutcome: (merchantId: string, outcome: HeardOutcome) => heard.push([merchantId, outcome]),
  };
  const decider = createDecider(state);
  const reporter = createReporter(state);
  const decide = (changes: Partial<Payment> = {}) => {
    const decided = decider.decide({ ...payment, ...asked, ...changes }, "gateway");
    if (!decided.ok) throw new Error(JSON.stringify(decided));
    return decided;
  };
  const { steps } = decide().decision.plan!;
  const stepOf = (psp: string) => steps.find((step) => step.psp === psp)!;
  const tell = (result: OutcomeResult, told: Partial<OutcomeReport> = {}, psp = "alpha"): Reported => {
    const { attemptId } = stepOf(psp);
    const reported = reporter.report({
      merchantId: "default",
      paymentId: "pay",
      attemptId,
      psp,
      result,
      ...told,
    });
    if (!reported.ok) throw new Error(JSON.stringify(reported));
    return reported;
  };
  const rowsOf = (subject: Subject) => {
    const history = state.histories.get("default", subject);
    if (history === undefined) return [];
    return Array.from({ length: history.end - history.start }, (_, at) => {
      const row = history.start + at;
      const label = history.labels.get(history.label[row]!);
      const wides = label.wides.map((name, place) => [name, history.readWide(row, place)]);
      return { type: label.type, ...Object.fromEntries(label.values), ...Object.fromEntries(wides) };
    });
  };
  return { clock, decide, stepOf, tell, heard, rowsOf, reporter, state };
}

const ofCard: Subject = { kind: "card", id: "fingerprint:f" };

describe("facts of answers", () => {
  test("a decline is a row of its card's history, with codes and what it blocks, though no limit asks for it", () => {
    const { tell, rowsOf } = openHouse();
    tell("DECLINED", { responseCode: "82", adviceCode: "03" });
    expect(rowsOf(ofCard)).toMatchObject([
      {
        type: "payment_declined",
        outcome: "HARD",
        code: "82",
        advice: "03",
        initiator: "CIT",
        block: "card_amount",
        block_until: noonMs + 30 * dayMs,
        player: hashWide("p"),
      },
    ]);
    expect(rowsOf({ kind: "bin", id: card.bin })).toEqual([]);
    expect(rowsOf({ kind: "player", id: "p" }).map(({ type }) => type)).toEqual([
      "payment_attempted",
      "payment_declined",
    ]);
  });

  test("what blocks for good has no end, and a blocked range is a row of its BIN's history too", () => {
    const lost = openHouse();
    lost.tell("DECLINED", { responseCode: "41" });
    expect(lost.rowsOf(ofCard)).toMatchObject([{ block: "card", block_until: Number.POSITIVE_INFINITY }]);
    const blocked = openHouse();
    blocked.tell("DECLINED", { responseCode: "5C" });
    expect(blocked.rowsOf({ kind: "bin", id: card.bin })).toMatchObject([
      { type: "payment_declined", block: "bin", block_until: noonMs + dayMs },
    ]);
  });

  test("an approval says how it was authenticated, as far as somebody said", () => {
    const proven = openHouse();
    const threeDs = { host: "PSP", transStatus: "Y", eci: "02", hasCryptogram: true } as const;
    proven.tell("APPROVED", { threeDs });
    expect(proven.rowsOf(ofCard)).toMatchObject([{ type: "payment_approved", sca: "authenticated" }]);
    const silent = openHouse();
    silent.tell("APPROVED");
    expect(silent.rowsOf(ofCard)[0]).not.toHaveProperty("sca");
  });

  test("a payment that is not known here tells them too, without a card", () => {
    const { tell, rowsOf } = openHouse();
    const unknown = { paymentId: "other", playerId: "q", kind: "deposit" } as const;
    const told = tell("DECLINED", { ...unknown, responseCode: "03" });
    expect(told).toMatchObject({
      verdict: "UNKNOWN_PAYMENT",
      outcome: "TECH_NOT_PROCESSED",
      attribution: "CONFIG",
      alerts: [{ code: "ANSWER_ALERT", sourceId: "alpha", detail: "alpha answered 03" }],
    });
    expect(rowsOf({ kind: "player", id: "q" })).toMatchObject([
      { type: "payment_declined", outcome: "TECH_NOT_PROCESSED", code: "03" },
    ]);
  });
});

describe("answers to reports", () => {
  test("name outcome, whom it is held against and alerts, and a repeat is answered alike", () => {
    const { tell } = openHouse();
    const want = {
      outcome: "TECH_NOT_PROCESSED",
      attribution: "CONFIG",
      alerts: [{ code: "ANSWER_ALERT", detail: "alpha answered x-9, 30" }],
    };
    const codes = { responseCode: "30", pspCode: "x-9" };
    expect(tell("DECLINED", codes)).toMatchObject({ verdict: "APPLIED", ...want });
    expect(tell("DECLINED", codes)).toMatchObject({ verdict: "KNOWN", ...want });
  });

  test("read 65 of Mastercard by where the acquirer is", () => {
    const { tell } = openHouse();
    expect(tell("DECLINED", { responseCode: "65" }).outcome).toBe("SCA");
    expect(tell("DECLINED", { responseCode: "65" }, "bravo").outcome).toBe("WAIT");
  });

  test("go by the entries of the rule set first", () => {
    const own = `
response_codes:
  - { psp: alpha, psp_code: "D-17", outcome: WAIT, attribution: ATTRIBUTION_ISSUER, wait: 7200s }`;
    const { tell, state, decide } = openHouse(own);
    expect(decide().decision.plan!.codeTableVersion).toMatch(/^2026-11-22-[0-9a-f]{12}\+[0-9a-f]{12}$/);
    expect(tell("DECLINED", { pspCode: "D-17", responseCode: "05" }).outcome).toBe("WAIT");
    const kept = state.payments.get("default", "pay", noonMs);
    expect(kept).toMatchObject({
      record: { attempts: [{ pspCode: "D-17", code: "05", waitUntilMs: noonMs + 2 * hourMs }] },
    });
    expect(tell("DECLINED", { pspCode: "D-17" }, "bravo").outcome).toBe("GENERIC");
  });

  test("come long after the fact as well: a day and more", () => {
    const { tell, clock, rowsOf } = openHouse();
    tell("UNKNOWN", { failure: "TIMEOUT" });
    clock.at = noonMs + 40 * dayMs;
    expect(tell("APPROVED", { atMs: noonMs + hourMs }).verdict).toBe("APPLIED");
    expect(rowsOf(ofCard).map(({ type }) => type)).toContain("payment_approved");
  });
});

describe("whoever watches the health of PSPs", () => {
  test("is told of every new outcome once, with failure, latency and issuer", () => {
    const { tell, heard, stepOf } = openHouse();
    tell("UNKNOWN", { failure: "TIMEOUT", latencyMs: 30_000 });
    tell("UNKNOWN", { failure: "TIMEOUT" });
    tell("VOIDED");
    expect(heard).toEqual([
      [
        "default",
        {
          paymentId: "pay",
          attemptId: stepOf("alpha").attemptId,
          psp: "alpha",
          method: "card",
          outcomeClass: "UNKNOWN",
          attribution: "PSP",
          failure: "TIMEOUT",
          threeDs: undefined,
          latencyMs: 30_000,
          issuerKey: "457104",
          atMs: noonMs,
        },
      ],
    ]);
  });

  test("is told of reports that come with a call too", () => {
    const { decide, heard, stepOf } = openHouse();
    const { attemptId, psp } = stepOf("alpha");
    const previousAttempts = [{ attemptId, psp, responseCode: "91" }];
    decide({ previousAttempts });
    decide({ previousAttempts });
    expect(heard).toMatchObject([["default", { outcomeClass: "ISSUER_DOWN", attribution: "ISSUER" }]]);
  });
});
