import type { StoredAttempt } from "../../../ports/payment-store.ts";
import {
  readNumber,
  readOptional,
  readOptionalFlag,
  readOptionalNumber,
  readOptionalText,
  readOptionalWord,
  readText,
  readTexts,
  readWord,
} from "./byte-reader.ts";
import { writeFlag, writeNumber, writeOptional, writeText, writeTexts, writeWord } from "./byte-writer.ts";
import { type Making, setTold } from "./members.ts";
import type { Whole } from "./pack.ts";

type AttemptMember =
  | "attemptId"
  | "psp"
  | "outcomeClass"
  | "atMs"
  | "revision"
  | "voided"
  | "approvedMinor"
  | "code"
  | "pspCode"
  | "adviceCode"
  | "attribution"
  | "waitUntilMs"
  | "fields"
  | "block"
  | "initiator"
  | "threeDs"
  | "refunded"
  | "corrected";

export function writeAttempt(attempt: Whole<StoredAttempt, AttemptMember>): void {
  writeText(attempt.attemptId);
  writeText(attempt.psp);
  writeWord(attempt.outcomeClass);
  writeNumber(attempt.atMs);
  writeNumber(attempt.revision);
  writeFlag(attempt.voided);
  writeNumber(attempt.approvedMinor);
  writeText(attempt.code);
  writeText(attempt.pspCode);
  writeText(attempt.adviceCode);
  writeWord(attempt.attribution);
  writeNumber(attempt.waitUntilMs);
  writeOptional(attempt.fields, writeTexts);
  writeOptional(attempt.block, writeBlock);
  writeWord(attempt.initiator);
  writeOptional(attempt.threeDs, writeThreeDs);
  writeFlag(attempt.refunded);
  writeFlag(attempt.corrected);
}

export function readAttempt(): StoredAttempt {
  const attempt: Making<StoredAttempt> = {
    attemptId: readText(),
    psp: readText(),
    outcomeClass: readWord(),
    atMs: readNumber(),
    revision: readNumber(),
  };
  setTold(attempt, "voided", readOptionalFlag());
  setTold(attempt, "approvedMinor", readOptionalNumber());
  setTold(attempt, "code", readOptionalText());
  setTold(attempt, "pspCode", readOptionalText());
  setTold(attempt, "adviceCode", readOptionalText());
  setTold(attempt, "attribution", readOptionalWord());
  setTold(attempt, "waitUntilMs", readOptionalNumber());
  setTold(attempt, "fields", readOptional(readTexts));
  setTold(attempt, "block", readOptional(readBlock));
  setTold(attempt, "initiator", readOptionalWord());
  setTold(attempt, "threeDs", readOptional(readThreeDs));
  setTold(attempt, "refunded", readOptionalFlag());
  setTold(attempt, "corrected", readOptionalFlag());
  return attempt;
}

type StoredBlock = NonNullable<StoredAttempt["block"]>;

function writeBlock({ what, untilMs }: Whole<StoredBlock, "what" | "untilMs">): void {
  writeWord(what);
  writeNumber(untilMs);
}

function readBlock(): StoredBlock {
  return { what: readWord(), untilMs: readNumber() };
}

type StoredThreeDs = NonNullable<StoredAttempt["threeDs"]>;

function writeThreeDs({
  host,
  transStatus,
  eci,
}: Whole<StoredThreeDs, "host" | "transStatus" | "eci">): void {
  writeWord(host);
  writeText(transStatus);
  writeText(eci);
}

function readThreeDs(): StoredThreeDs {
  const threeDs: Making<StoredThreeDs> = { host: readWord() };
  setTold(threeDs, "transStatus", readOptionalText() as StoredThreeDs["transStatus"]);
  setTold(threeDs, "eci", readOptionalText());
  return threeDs;
}
