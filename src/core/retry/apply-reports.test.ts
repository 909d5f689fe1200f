import { describe, expect, test } from "vitest";
import type { Plan, Step } from "../decision.ts";
import type { ReportedOutcome } from "../payment.ts";
import { applyReports, type ReportContext } from "./apply-reports.ts";
import { type Attempt, isApproved, isCharged, isOpen, makeAttemptId } from "./attempts.ts";
import { houseTable } from "./code-table.ts";

const nowMs = Date.UTC(2026, 10, 16, 12);
const hourMs = 3_600_000;
const dayMs = 24 * hourMs;

const psps = ["alpha", "bravo"] as const;
const ids = psps.map((psp, at) => makeAttemptId({ revision: 0, number: at + 1, psp }));

function makeStep(at: number, more: Partial<Step> = {}): Step {
  return {
    number: at + 1,
    kind: at === 0 ? "FIRST" : "CASCADE",
    psp: psps[at]!,
    mid: "",
    instrument: "",
    threeDs: { requirement: "NONE", reason: "" },
    liabilityShift: "UNKNOWN",
    attemptId: ids[at]!,
    idempotencyKey: "",
    notBeforeMs: undefined,
    edges: [],
    timeoutMs: 60_000,
    mayResend: true,
    ...more,
  };
}

function makeContext(more: Partial<ReportContext> = {}): ReportContext {
  const plan: Plan = { steps: [makeStep(0), makeStep(1)], validUntilMs: nowMs, codeTableVersion: "" };
  return {
    paymentId: "pay",
    revision: 0,
    plan,
    table: houseTable,
    sentAt: () => ({ scheme: "mastercard", initiator: "CIT", isInScaZone: () => true }),
    nowMs,
    ...more,
  };
}

function report(at: number, more: Partial<ReportedOutcome>): ReportedOutcome {
  return { attemptId: ids[at]!, psp: psps[at]!, ...more };
}

/** Every kind of report that the state of an attempt hangs on. */
const words = {
  approved: { outcomeClass: "APPROVED" },
  declined: { declined: true, responseCode: "05" },
  unknown: { outcomeClass: "UNKNOWN" },
  pending: { outcomeClass: "PENDING" },
  voided: { outcomeClass: "UNKNOWN", voided: true },
  refunded: { outcomeClass: "APPROVED", refunded: true },
  corrected: { declined: true, responseCode: "05", corrects: "APPROVED" },
} as const satisfies Record<string, Partial<ReportedOutcome>>;
type Word = keyof typeof words;
const allWords = Object.keys(words) as Word[];

/** The state of an attempt as `SEMANTICS.md` 4.4 names it; `CORRECTED` is a decline that was an approval before. */
type State = "SENT" | "APPROVED" | "DECLINED" | "UNKNOWN" | "PENDING" | "VOIDED" | "REFUNDED" | "CORRECTED";

function stateOf(attempt: Attempt | undefined): State {
  if (attempt === undefined) return "SENT";
  if (attempt.voided === true) return "VOIDED";
  if (attempt.refunded === true) return "REFUNDED";
  if (attempt.corrected === true) return "CORRECTED";
  if (isApproved(attempt)) return "APPROVED";
  return isOpen(attempt) ? (attempt.outcomeClass as "UNKNOWN" | "PENDING") : "DECLINED";
}

/** The law, written down once more as a table; what is not in it stays. */
const law: Readonly<Record<State, Partial<Record<Word, State>>>> = {
  SENT: {
    approved: "APPROVED",
    declined: "DECLINED",
    unknown: "UNKNOWN",
    pending: "PENDING",
    voided: "VOIDED",
    refunded: "REFUNDED",
    corrected: "CORRECTED",
  },
  UNKNOWN: {
    approved: "APPROVED",
    declined: "DECLINED",
    voided: "VOIDED",
    refunded: "REFUNDED",
    corrected: "CORRECTED",
  },
  PENDING: {
    approved: "APPROVED",
    declined: "DECLINED",
    voided: "VOIDED",
    refunded: "REFUNDED",
    corrected: "CORRECTED",
  },
  DECLINED: { approved: "APPROVED", refunded: "REFUNDED", corrected: "CORRECTED" },
  APPROVED: { voided: "VOIDED", refunded: "REFUNDED", corrected: "CORRECTED" },
  VOIDED: {},
  REFUNDED: {},
  CORRECTED: {},
};

/** Every sequence of so many words. */
function* sequencesOf(length: number): Generator<readonly Word[]> {
  if (length === 0) {
    yield [];
    return;
  }
  for (const rest of sequencesOf(length - 1)) for (const word of allWords) yield [...rest, word];
}

describe("the states of an attempt", () => {
  test("SEMANTICS 4.4: every sequence of five words ends where the law says, whatever is told twice", () => {
    const context = makeContext();
    for (const sequence of sequencesOf(5)) {
      let state: State = "SENT";
      let attempts: readonly Attempt[] = [];
      for (const word of sequence) {
        const before = attempts;
        const told = applyReports(attempts, [report(0, words[word])], context);
        expect(told.faults).toEqual([]);
        attempts = told.attempts;
        const next: State = law[state][word] ?? state;
        if (stateOf(attempts[0]) !== next) expect.fail(`${sequence.join(" ")}: ${word} of ${state}`);
        if (next === state && attempts !== before)
          expect.fail(`${sequence.join(" ")}: ${word} changed ${state}`);
        const again = applyReports(attempts, [report(0, words[word])], context);
        if (again.attempts !== attempts)
          expect.fail(`${sequence.join(" ")}: a second ${word} changed something`);
        state = next;
      }
    }
  });

  test("SEMANTICS 4.4: two attempts never mix, in whatever order they are told of", () => {
    const context = makeContext();
    for (const first of sequencesOf(2))
      for (const second of sequencesOf(2)) {
        const apply = (order: readonly (readonly [number, Word])[]) =>
          applyReports(
            [],
            order.map(([at, word]) => report(at, words[word])),
            context,
          ).attempts;
        const apart = [
          ...first.map((word) => [0, word] as const),
          ...second.map((word) => [1, word] as const),
        ];
        const mixed = [apart[0]!, apart[2]!, apart[1]!, apart[3]!];
        expect(apply(mixed)).toEqual(apply(apart));
        const charged = apply(apart).filter(isCharged).length;
        const alone = [first, second].filter((sequence) => {
          const end = sequence.reduce<State>((state, word) => law[state][word] ?? state, "SENT");
          return end === "APPROVED";
        }).length;
        expect(charged).toBe(alone);
      }
  });

  test("SEMANTICS 4.4: an approval becomes a decline only by a correction that names it", () => {
    const context = makeContext();
    const approve = (outcomeClass: "APPROVED" | "PARTIAL") =>
      applyReports([], [report(0, { outcomeClass })], context).attempts;
    const correct = (before: readonly Attempt[], corrects: "APPROVED" | "PARTIAL") =>
      applyReports(before, [report(0, { declined: true, responseCode: "05", corrects })], context);
    expect(correct(approve("APPROVED"), "PARTIAL")).toMatchObject({
      attempts: [{ outcomeClass: "APPROVED" }],
      faults: [{ field: "previous_attempts[0].corrects", rule: "conflict" }],
    });
    expect(correct(approve("PARTIAL"), "PARTIAL")).toMatchObject({
      attempts: [{ outcomeClass: "GENERIC", corrected: true }],
      faults: [],
    });
  });
});

describe("what is kept of an answer", () => {
  const read = (more: Partial<ReportedOutcome>, context = makeContext()): Attempt =>
    applyReports([], [report(0, more)], context).attempts[0]!;

  test("codes, whom they blame, waits from the instant of the answer, blocks, initiator, 3DS", () => {
    const threeDs = { host: "MERCHANT", transStatus: "Y", eci: "02", hasCryptogram: true } as const;
    const atMs = nowMs - hourMs;
    expect(
      read({ declined: true, atMs, responseCode: "51", adviceCode: "28", pspCode: "x-1", threeDs }),
    ).toEqual({
      attemptId: ids[0],
      psp: "alpha",
      revision: 0,
      outcomeClass: "WAIT",
      atMs,
      code: "51",
      adviceCode: "28",
      pspCode: "x-1",
      attribution: "ISSUER",
      waitUntilMs: atMs + 6 * dayMs,
      initiator: "CIT",
      threeDs: { host: "MERCHANT", transStatus: "Y", eci: "02" },
    });
    expect(read({ declined: true, responseCode: "05", adviceCode: "03" }).block).toEqual({
      what: "card_amount",
      untilMs: nowMs + 30 * dayMs,
    });
    expect(read({ declined: true, responseCode: "43" }).block).toEqual({ what: "card", untilMs: Infinity });
    expect(read({ declined: true, responseCode: "N7" }).fields).toEqual(["cvv"]);
  });

  test("65 of Mastercard asks for authentication only where there was no challenge", () => {
    const code = { declined: true, responseCode: "65" } as const;
    expect(read(code).outcomeClass).toBe("SCA");
    const threeDs = { host: "PSP", transStatus: "Y", hasCryptogram: true } as const;
    expect(read({ ...code, threeDs }).outcomeClass).toBe("WAIT");
    const challenge = {
      requirement: "THREE_DS",
      challengeIndicator: "04",
      useProof: false,
      reason: "",
    } as const;
    const plan = { steps: [makeStep(0, { threeDs: challenge })], validUntilMs: 0, codeTableVersion: "" };
    expect(read(code, makeContext({ plan })).outcomeClass).toBe("WAIT");
    const sentAt = () => ({ scheme: "mastercard", initiator: "CIT", isInScaZone: () => false }) as const;
    expect(read(code, makeContext({ sentAt })).outcomeClass).toBe("WAIT");
  });

  test("a class that the caller names stands, with what the table says of it only where they agree", () => {
    expect(read({ outcomeClass: "WAIT", responseCode: "51" })).toMatchObject({ waitUntilMs: nowMs + dayMs });
    expect(read({ outcomeClass: "HARD", responseCode: "51" }).waitUntilMs).toBeUndefined();
    expect(read({ outcomeClass: "UNKNOWN", failure: "TIMEOUT" }).attribution).toBe("PSP");
    expect(read({ outcomeClass: "APPROVED", responseCode: "00", adviceCode: "40" })).toMatchObject({
      outcomeClass: "APPROVED",
      adviceCode: "40",
    });
  });

  test("a decline without a reason is GENERIC, and one by an unfinished challenge a failed authentication", () => {
    expect(read({ declined: true })).toMatchObject({ outcomeClass: "GENERIC", attribution: "ISSUER" });
    const threeDs = { host: "PSP", transStatus: "C", hasCryptogram: false } as const;
    expect(read({ declined: true, threeDs }).outcomeClass).toBe("AUTH_FAILED");
    expect(read({ declined: true, failure: "CONNECT" })).toMatchObject({
      outcomeClass: "TECH_NOT_PROCESSED",
      attribution: "PSP",
    });
    // Late answers and duplicates are no declines: nobody knows what became of the payment.
    for (const responseCode of ["68", "94"])
      expect(read({ declined: true, responseCode }).outcomeClass).toBe("UNKNOWN");
  });

  test("a decline by a code that approves is refused", () => {
    const { attempts, faults } = applyReports(
      [],
      [report(0, { declined: true, responseCode: "00" })],
      makeContext(),
    );
    expect(attempts).toEqual([]);
    expect(faults).toMatchObject([{ field: "previous_attempts[0].response_code", rule: "conflict" }]);
  });

  test("an attempt of an earlier revision is read by what was sent then", () => {
    const context = makeContext({
      revision: 1,
      plan: undefined,
      sentAt: (revision) => ({
        scheme: revision === 0 ? "visa" : "mastercard",
        initiator: "MIT",
        isInScaZone: () => true,
      }),
    });
    expect(read({ declined: true, responseCode: "65" }, context)).toMatchObject({
      outcomeClass: "WAIT",
      revision: 0,
      initiator: "MIT",
    });
  });
});
