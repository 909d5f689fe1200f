import type { Subject, SubjectKind } from "../../../core/history/history.ts";
import type { HeldAttempts, Hold } from "../../../core/limits/limit.ts";
import { type Row, readVersion, unpackRow, versionBytes, type Whole } from "./pack.ts";
import {
  startBytes,
  takeBytes,
  writeArray,
  writeEach,
  writeNumber,
  writeOptional,
  writePairs,
  writeText,
} from "./row-writer.ts";

const version = 1;

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
  writeArray(15);
  writeNumber(hold.revision);
  writeText(hold.playerId);
  writeText(hold.kind);
  writeNumber(hold.amountMinor);
  writeText(hold.currency);
  writePairs(hold.converted);
  writeNumber(hold.ratesVersion);
  writeNumber(hold.instantMs);
  writeNumber(hold.lastWordMs);
  writeText(hold.state);
  writeNumber(hold.releasesAtMs);
  writeNumber(hold.authorisations);
  writePairs(hold.values);
  writeArray(2 * hold.subjects.length);
  for (const { kind, id } of hold.subjects) {
    writeText(kind);
    writeText(id);
  }
  writeOptional(hold.attempts, (all) => writeEach(all, writeHeldAttempts));
  return takeBytes(version);
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

function writeHeldAttempts(held: Whole<HeldAttempts, HeldAttemptsMember>): void {
  writeArray(9);
  writeNumber(held.revision);
  writeText(held.card);
  writeText(held.scheme);
  writeText(held.group);
  writeNumber(held.amountMinor);
  writeText(held.currency);
  writeNumber(held.planned);
  writeNumber(held.open);
  writeNumber(held.openAtMs);
}

/** Fails: throws where the bytes are of a version that this build does not know. */
export function decodeHold(paymentId: string, bytes: Uint8Array): Hold {
  readVersion(bytes, version, "hold");
  const row = unpackRow(bytes);
  const [revision, playerId, kind, amountMinor, currency, converted, ratesVersion] = row as [
    number,
    string,
    Hold["kind"],
    number,
    string,
    Row,
    number,
  ];
  const [instantMs, lastWordMs, state, releasesAtMs, authorisations, values, subjects, attempts] = row.slice(
    7,
  ) as [
    number,
    number,
    Hold["state"],
    number,
    number,
    Row,
    Row,
    // Absent in holds of before they were kept.
    Row[]?,
  ];
  return {
    ...{ paymentId, revision, playerId, kind, amountMinor, currency, ratesVersion },
    ...{ instantMs, lastWordMs, state, releasesAtMs, authorisations },
    converted: new Map(readPairs<string, number>(converted)),
    values: new Map(readPairs<string, string>(values)),
    subjects: readPairs<SubjectKind, string>(subjects).map(([kind, id]): Subject => ({ kind, id })),
    ...(attempts === undefined ? {} : { attempts: attempts.map(readHeldAttempts) }),
  };
}

function readHeldAttempts(row: Row): HeldAttempts {
  const [revision, card, scheme, group, amountMinor, currency, planned, open, openAtMs] = row as [
    number,
    string,
    string,
    HeldAttempts["group"],
    number,
    string,
    number,
    number,
    number,
  ];
  return { revision, card, scheme, group, amountMinor, currency, planned, open, openAtMs };
}

function readPairs<K, V>(row: Row): [K, V][] {
  const pairs: [K, V][] = [];
  for (let at = 0; at < row.length; at += 2) pairs.push([row[at] as K, row[at + 1] as V]);
  return pairs;
}
