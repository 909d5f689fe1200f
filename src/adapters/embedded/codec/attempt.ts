import type { StoredAttempt } from "../../../ports/payment-store.ts";
import type { Row, Whole } from "./pack.ts";
import { writeArray, writeFlag, writeNumber, writeOptional, writeText, writeTexts } from "./row-writer.ts";

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
  const { fields, block, threeDs } = attempt;
  writeArray(18);
  writeText(attempt.attemptId);
  writeText(attempt.psp);
  writeText(attempt.outcomeClass);
  writeNumber(attempt.atMs);
  writeNumber(attempt.revision);
  writeFlag(attempt.voided);
  writeNumber(attempt.approvedMinor);
  writeText(attempt.code);
  writeText(attempt.pspCode);
  writeText(attempt.adviceCode);
  writeText(attempt.attribution);
  writeNumber(attempt.waitUntilMs);
  writeOptional(fields, writeTexts);
  writeOptional(block, writeBlock);
  writeText(attempt.initiator);
  writeOptional(threeDs, writeThreeDs);
  writeFlag(attempt.refunded);
  writeFlag(attempt.corrected);
}

function writeBlock(block: Whole<NonNullable<StoredAttempt["block"]>, "what" | "untilMs">): void {
  writeArray(2);
  writeText(block.what);
  writeNumber(block.untilMs);
}

function writeThreeDs(
  threeDs: Whole<NonNullable<StoredAttempt["threeDs"]>, "host" | "transStatus" | "eci">,
): void {
  writeArray(3);
  writeText(threeDs.host);
  writeText(threeDs.transStatus);
  writeText(threeDs.eci);
}

/** Rows of before answers were kept end after the seventh value. */
export function readAttempt(row: Row): StoredAttempt {
  const [attemptId, psp, outcomeClass, atMs, revision, voided, approvedMinor] = row as [
    string,
    string,
    StoredAttempt["outcomeClass"],
    number,
    number,
    boolean | undefined,
    number | undefined,
  ];
  return {
    attemptId,
    psp,
    outcomeClass,
    atMs,
    revision,
    ...(voided === true ? { voided } : {}),
    ...(approvedMinor === undefined ? {} : { approvedMinor }),
    ...(row.length > 7 ? readAnswer(row.slice(7)) : {}),
  };
}

function readAnswer(row: Row): Partial<StoredAttempt> {
  const [code, pspCode, adviceCode, attribution, waitUntilMs, fields, block, initiator] = row as [
    string | undefined,
    string | undefined,
    string | undefined,
    StoredAttempt["attribution"],
    number | undefined,
    string[] | undefined,
    Row | undefined,
    StoredAttempt["initiator"],
  ];
  const [threeDs, refunded, corrected] = row.slice(8) as [
    Row | undefined,
    boolean | undefined,
    boolean | undefined,
  ];
  return {
    ...(code === undefined ? {} : { code }),
    ...(pspCode === undefined ? {} : { pspCode }),
    ...(adviceCode === undefined ? {} : { adviceCode }),
    ...(attribution === undefined ? {} : { attribution }),
    ...(waitUntilMs === undefined ? {} : { waitUntilMs }),
    ...(fields === undefined ? {} : { fields }),
    ...(block === undefined ? {} : { block: readBlock(block) }),
    ...(initiator === undefined ? {} : { initiator }),
    ...(threeDs === undefined ? {} : { threeDs: readThreeDs(threeDs) }),
    ...(refunded === true ? { refunded } : {}),
    ...(corrected === true ? { corrected } : {}),
  };
}

function readBlock(row: Row): NonNullable<StoredAttempt["block"]> {
  const [what, untilMs] = row as [NonNullable<StoredAttempt["block"]>["what"], number];
  return { what, untilMs };
}

type StoredThreeDs = NonNullable<StoredAttempt["threeDs"]>;

function readThreeDs(row: Row): StoredThreeDs {
  const [host, transStatus, eci] = row as [
    StoredThreeDs["host"],
    StoredThreeDs["transStatus"],
    string | undefined,
  ];
  return {
    host,
    ...(transStatus === undefined ? {} : { transStatus }),
    ...(eci === undefined ? {} : { eci }),
  };
}
