import type { Player, Restriction, RestrictionKind, StoredAttribute } from "../../../core/player.ts";
import { packRow, type Row, readVersion, unpackRow, type Whole } from "./pack.ts";

const version = 1;

/** Bytes of a player. The id is the key's business and is not among them. */
export function encodePlayer(player: Whole<Player, "playerId" | "attributes" | "restrictions">): Buffer {
  const attributes: unknown[] = [];
  for (const [name, attribute] of player.attributes) attributes.push(name, writeAttribute(attribute));
  return packRow(version, [attributes, player.restrictions.map(writeRestriction)]);
}

/** Fails: throws where the bytes are of a version that this build does not know. */
export function decodePlayer(playerId: string, bytes: Uint8Array): Player {
  readVersion(bytes, version, "player");
  const [written, restrictions] = unpackRow(bytes) as [unknown[], Row[]];
  const attributes = new Map<string, StoredAttribute>();
  for (let at = 0; at < written.length; at += 2) {
    attributes.set(written[at] as string, readAttribute(written[at + 1] as Row));
  }
  return { playerId, attributes, restrictions: restrictions.map(readRestriction) };
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
