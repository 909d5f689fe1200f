import type { Subject, SubjectKind } from "../../../core/history/history.ts";
import type { Hold } from "../../../core/limits/limit.ts";
import { type Row, readVersion, unpackRow, versionBytes, type Whole } from "./pack.ts";
import { startBytes, takeBytes, writeArray, writeNumber, writePairs, writeText } from "./row-writer.ts";

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
  | "subjects";

/** Bytes of a hold. The id of its payment is the key's business and is not among them. */
export function encodeHold(hold: Whole<Hold, HoldMember>): Buffer {
  startBytes(versionBytes);
  writeArray(14);
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
  return takeBytes(version);
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
  const [instantMs, lastWordMs, state, releasesAtMs, authorisations, values, subjects] = row.slice(7) as [
    number,
    number,
    Hold["state"],
    number,
    number,
    Row,
    Row,
  ];
  return {
    ...{ paymentId, revision, playerId, kind, amountMinor, currency, ratesVersion },
    ...{ instantMs, lastWordMs, state, releasesAtMs, authorisations },
    converted: new Map(readPairs<string, number>(converted)),
    values: new Map(readPairs<string, string>(values)),
    subjects: readPairs<SubjectKind, string>(subjects).map(([kind, id]): Subject => ({ kind, id })),
  };
}

function readPairs<K, V>(row: Row): [K, V][] {
  const pairs: [K, V][] = [];
  for (let at = 0; at < row.length; at += 2) pairs.push([row[at] as K, row[at + 1] as V]);
  return pairs;
}
