import type { Subject } from "../../../core/history/history.ts";
import type { HeldAttempts, Hold } from "../../../core/limits/limit.ts";
import { openBytes, readEach, readMap, readNumber, readOptional, readText, readWord } from "./byte-reader.ts";
import {
  startBytes,
  takeBytes,
  writeEach,
  writeMap,
  writeNumber,
  writeOptional,
  writeText,
  writeWord,
} from "./byte-writer.ts";
import { type Making, setTold } from "./members.ts";
import { readVersion, versionBytes, type Whole } from "./pack.ts";

/** Those before it were never released. */
const version = 2;

type HoldMember =
  | "paymentId"
  | "revision"
  | "playerId"
  | "kind"
  | "amountMinor"
  | "currency"
  | "converted"
  | "ratesVersion"
  | "instantMs"
  | "lastWordMs"
  | "state"
  | "releasesAtMs"
  | "authorisations"
  | "values"
  | "subjects"
  | "attempts";

/** Bytes of a hold. The id of its payment is the key's business and is not among them. */
export function encodeHold(hold: Whole<Hold, HoldMember>): Buffer {
  startBytes(versionBytes);
  writeNumber(hold.revision);
  writeText(hold.playerId);
  writeWord(hold.kind);
  writeNumber(hold.amountMinor);
  writeWord(hold.currency);
  writeMap(hold.converted, writeNumber);
  writeNumber(hold.ratesVersion);
  writeNumber(hold.instantMs);
  writeNumber(hold.lastWordMs);
  writeWord(hold.state);
  writeNumber(hold.releasesAtMs);
  writeNumber(hold.authorisations);
  writeMap(hold.values, writeText);
  writeEach(hold.subjects, writeSubject);
  writeOptional(hold.attempts, writeAttempts);
  return takeBytes(version);
}

/** Fails: throws where the bytes are of a version that this build does not know. */
export function decodeHold(paymentId: string, bytes: Uint8Array): Hold {
  readVersion(bytes, version, "hold", version);
  openBytes(bytes, versionBytes);
  const hold: Making<Hold> = {
    paymentId,
    revision: readNumber(),
    playerId: readText(),
    kind: readWord(),
    amountMinor: readNumber(),
    currency: readWord(),
    converted: readMap(readNumber),
    ratesVersion: readNumber(),
    instantMs: readNumber(),
    lastWordMs: readNumber(),
    state: readWord(),
    releasesAtMs: readNumber(),
    authorisations: readNumber(),
    values: readMap(readText),
    subjects: readEach(readSubject),
  };
  setTold(hold, "attempts", readOptional(readAttempts));
  return hold;
}

function writeSubject({ kind, id }: Whole<Subject, "kind" | "id">): void {
  writeWord(kind);
  writeText(id);
}

function readSubject(): Subject {
  return { kind: readWord(), id: readText() };
}

type HeldAttemptsMember =
  | "revision"
  | "card"
  | "scheme"
  | "group"
  | "amountMinor"
  | "currency"
  | "planned"
  | "open"
  | "openAtMs";

function writeAttempts(all: readonly HeldAttempts[]): void {
  writeEach(all, writeHeldAttempts);
}

function readAttempts(): readonly HeldAttempts[] {
  return readEach(readHeldAttempts);
}

function writeHeldAttempts(held: Whole<HeldAttempts, HeldAttemptsMember>): void {
  writeNumber(held.revision);
  writeText(held.card);
  writeWord(held.scheme);
  writeWord(held.group);
  writeNumber(held.amountMinor);
  writeWord(held.currency);
  writeNumber(held.planned);
  writeNumber(held.open);
  writeNumber(held.openAtMs);
}

function readHeldAttempts(): HeldAttempts {
  return {
    revision: readNumber(),
    card: readText(),
    scheme: readWord(),
    group: readWord(),
    amountMinor: readNumber(),
    currency: readWord(),
    planned: readNumber(),
    open: readNumber(),
    openAtMs: readNumber(),
  };
}
