import type {
  OwnLimit,
  Player,
  Restriction,
  RestrictionKind,
  StoredAttribute,
} from "../../../core/player.ts";
import { packRow, type Row, readVersion, unpackRow, type Whole } from "./pack.ts";

/** Version 1 knew neither own limits nor other ids, version 2 not since when a player is known. */
const version = 3;

type PlayerMember =
  | "playerId"
  | "attributes"
  | "restrictions"
  | "ownLimits"
  | "aliases"
  | "mergedInto"
  | "knownSinceMs";

/** Bytes of a player. The id is the key's business and is not among them. */
export function encodePlayer(player: Whole<Player, PlayerMember>): Buffer {
  const attributes: unknown[] = [];
  for (const [name, attribute] of player.attributes) attributes.push(name, writeAttribute(attribute));
  const { restrictions, ownLimits, aliases, mergedInto, knownSinceMs } = player;
  return packRow(version, [
    attributes,
    restrictions.map(writeRestriction),
    ownLimits?.map(writeOwnLimit),
    aliases,
    mergedInto,
    knownSinceMs,
  ]);
}

/** Fails: throws where the bytes are of a version that this build does not know. */
export function decodePlayer(playerId: string, bytes: Uint8Array): Player {
  readVersion(bytes, version, "player");
  const [written, restrictions, ownLimits, aliases, mergedInto, knownSinceMs] = unpackRow(bytes) as [
    unknown[],
    Row[],
    Row[]?,
    string[]?,
    string?,
    number?,
  ];
  const attributes = new Map<string, StoredAttribute>();
  for (let at = 0; at < written.length; at += 2) {
    attributes.set(written[at] as string, readAttribute(written[at + 1] as Row));
  }
  return {
    playerId,
    attributes,
    restrictions: restrictions.map(readRestriction),
    ...(ownLimits === undefined ? {} : { ownLimits: ownLimits.map(readOwnLimit) }),
    ...(aliases === undefined ? {} : { aliases }),
    ...(mergedInto === undefined ? {} : { mergedInto }),
    ...(knownSinceMs === undefined ? {} : { knownSinceMs }),
  };
}

/** Stands where a layout version stands, which begin with 1. */
const tombstoneMark = 0;

/** Bytes of what is left of a deleted player: of `player` only its restrictions and own limits. */
export function encodeTombstone({ restrictions, ownLimits }: Player): Buffer {
  const rest = { playerId: "", attributes: new Map(), restrictions };
  return Buffer.concat([
    Buffer.of(tombstoneMark),
    encodePlayer(ownLimits === undefined ? rest : { ...rest, ownLimits }),
  ]);
}

export function isTombstone(bytes: Uint8Array): boolean {
  return bytes[0] === tombstoneMark;
}

/** Fails: throws where the bytes are of a version that this build does not know. */
export function decodeTombstone(playerId: string, bytes: Uint8Array): Player {
  return decodePlayer(playerId, bytes.subarray(1));
}

/** MessagePack's writer makes -0 an integer 0; undefined, which no value and no element is, stands for it. */
const negativeZero = undefined;

type Scalar = boolean | number | string;
type WrittenScalar = Scalar | typeof negativeZero;

function writeAttribute(attribute: Whole<StoredAttribute, "value" | "setAtMs" | "ttlMs" | "source">): Row {
  const { value, setAtMs, ttlMs, source } = attribute;
  const written = typeof value === "object" ? value.map(writeScalar) : writeScalar(value);
  return [written, setAtMs, ttlMs, source];
}

function readAttribute(row: Row): StoredAttribute {
  const [written, setAtMs, ttlMs, source] = row as [
    WrittenScalar | readonly WrittenScalar[],
    number,
    number | undefined,
    string,
  ];
  const value = typeof written === "object" ? written.map(readScalar) : readScalar(written);
  return { value, setAtMs, source, ...(ttlMs === undefined ? {} : { ttlMs }) };
}

function writeScalar(value: Scalar): WrittenScalar {
  return Object.is(value, -0) ? negativeZero : value;
}

function readScalar(value: WrittenScalar): Scalar {
  return value === negativeZero ? -0 : value;
}

type RestrictionMember =
  | "kind"
  | "source"
  | "fromMs"
  | "untilMs"
  | "checkedAtMs"
  | "maxAgeMs"
  | "clear"
  | "returned";

function writeRestriction(restriction: Whole<Restriction, RestrictionMember>): Row {
  const { kind, source, fromMs, untilMs, checkedAtMs, maxAgeMs, clear, returned } = restriction;
  return [kind, source, fromMs, untilMs, checkedAtMs, maxAgeMs, clear, returned];
}

function readRestriction(row: Row): Restriction {
  const [kind, source, fromMs, untilMs, checkedAtMs, maxAgeMs, clear, returned] = row as [
    RestrictionKind,
    string,
    number,
    number | undefined,
    number,
    number | undefined,
    boolean,
    boolean,
  ];
  return {
    kind,
    source,
    fromMs,
    checkedAtMs,
    clear,
    returned,
    ...(untilMs === undefined ? {} : { untilMs }),
    ...(maxAgeMs === undefined ? {} : { maxAgeMs }),
  };
}

type OwnLimitMember = "period" | "measure" | "amount" | "setAtMs" | "zone" | "pending";
type PendingLimit = NonNullable<OwnLimit["pending"]>;
type PendingMember = "amount" | "requestedAtMs" | "effectiveAtMs" | "needsConfirmation";

/** What waits is a row of its own, so that absent and removed stay apart. */
function writeOwnLimit(limit: Whole<OwnLimit, OwnLimitMember>): Row {
  const { period, measure, amount, setAtMs, zone, pending } = limit;
  const { minorUnits, currencyCode } = amount;
  return [period, measure, minorUnits, currencyCode, setAtMs, zone, pending && writePending(pending)];
}

function readOwnLimit(row: Row): OwnLimit {
  const [period, measure, minorUnits, currencyCode, setAtMs, zone, pending] = row as [
    OwnLimit["period"],
    OwnLimit["measure"],
    number,
    string,
    number,
    string,
    Row | undefined,
  ];
  const limit = { period, measure, amount: { minorUnits, currencyCode }, setAtMs, zone };
  return pending === undefined ? limit : { ...limit, pending: readPending(pending) };
}

function writePending(pending: Whole<PendingLimit, PendingMember>): Row {
  const { amount, requestedAtMs, effectiveAtMs, needsConfirmation } = pending;
  return [requestedAtMs, effectiveAtMs, needsConfirmation, amount?.minorUnits, amount?.currencyCode];
}

function readPending(row: Row): PendingLimit {
  const [requestedAtMs, effectiveAtMs, needsConfirmation, minorUnits, currencyCode] = row as [
    number,
    number,
    boolean,
    number | undefined,
    string | undefined,
  ];
  const waits = { requestedAtMs, effectiveAtMs, needsConfirmation };
  return minorUnits === undefined ? waits : { ...waits, amount: { minorUnits, currencyCode: currencyCode! } };
}
