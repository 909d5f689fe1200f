/**
 * What an answer means for the next step, and whom it is held against.
 *
 * In this order: the entry of the table that is for it; the technical failure; what 3DS came to; an unlisted code is GENERIC; no answer is UNKNOWN.
 * Source: `SEMANTICS.md` 4.1, `DOMAIN.md` 1.6, 2.2, 3.
 */
import type { Failure } from "../payment.ts";
import type { Attribution, Meaning, PspAnswer } from "./answer.ts";
import type { CodeTable } from "./code-table.ts";
import type { OutcomeClass } from "./outcome-class.ts";

/** Classes an answer by, with nothing to wait for, to change or to remember. */
function plainly(outcomeClass: OutcomeClass, attribution: Attribution | undefined): Meaning {
  return { outcomeClass, attribution, waitMs: 0, fields: [], block: undefined, alert: false };
}

const unlisted = plainly("GENERIC", undefined);
const noAnswer = plainly("UNKNOWN", undefined);
const notProcessed = plainly("TECH_NOT_PROCESSED", "PSP");
const unanswered = plainly("UNKNOWN", "PSP");
const threeDsDown = plainly("TECH_NOT_PROCESSED", "THREE_DS");
const notAuthenticated = plainly("AUTH_FAILED", "PLAYER");
const rejected = plainly("AUTH_FAILED", "ISSUER");
const challenged = plainly("PENDING", undefined);

/** Fails: never; what nobody knows is UNKNOWN. */
export function classifyAnswer(table: CodeTable, answer: PspAnswer, nowMs: number): Meaning {
  const listed = table.find(answer, nowMs);
  const ofThreeDs = readThreeDs(answer);
  if (listed !== undefined) {
    // Whoever was not authenticated must not be authorised by another PSP either, which a generic decline would allow.
    const isVague = listed.outcomeClass === "GENERIC" && ofThreeDs?.outcomeClass === "AUTH_FAILED";
    return isVague ? ofThreeDs : listed;
  }
  if (answer.failure !== undefined) return readFailure(answer.failure, ofThreeDs);
  if (ofThreeDs !== undefined) return ofThreeDs;
  const { code, pspCode, adviceCode } = answer;
  return [code, pspCode, adviceCode].some((text) => text !== undefined && text !== "") ? unlisted : noAnswer;
}

function readFailure(failure: Failure, ofThreeDs: Meaning | undefined): Meaning {
  switch (failure) {
    case "CONNECT":
    case "THROTTLED":
    case "NOT_PROCESSED":
      return notProcessed;
    case "SERVER":
    case "TIMEOUT":
      return unanswered;
    case "THREE_DS":
      return ofThreeDs?.outcomeClass === "AUTH_FAILED"
        ? { ...ofThreeDs, attribution: "THREE_DS" }
        : threeDsDown;
  }
}

/** What a 3DS result alone says; undefined where the authorisation could go on. */
function readThreeDs({ threeDs }: PspAnswer): Meaning | undefined {
  switch (threeDs?.transStatus) {
    case "N":
      return notAuthenticated;
    case "R":
      return rejected;
    case "U":
      return threeDsDown;
    case "C":
    case "D":
      return challenged;
    case "Y":
    case "A":
    case "I":
    case undefined:
      return undefined;
  }
}

/** What a class means that the caller names itself. */
export function describeClass(outcomeClass: OutcomeClass, failure: Failure | undefined): Meaning {
  return plainly(
    outcomeClass,
    failure === undefined ? blameOf(outcomeClass) : readFailure(failure, undefined).attribution,
  );
}

function blameOf(outcomeClass: OutcomeClass): Attribution | undefined {
  switch (outcomeClass) {
    case "TECH_NOT_PROCESSED":
      return "PSP";
    case "HARD":
    case "WAIT":
    case "GENERIC":
    case "ISSUER_DOWN":
      return "ISSUER";
    case "DATA":
    case "AUTH_FAILED":
    case "ABANDONED":
      return "PLAYER";
    case "APPROVED":
    case "PARTIAL":
    case "SCA":
    case "UNKNOWN":
    case "PENDING":
      return undefined;
  }
}
