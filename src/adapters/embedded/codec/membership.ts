/** What is kept of a player's memberships: one record of the journal, and the two that LMDB gets of it. */
import type { MembershipChange, MembershipState } from "../../../ports/membership-log.ts";
import { packRow, type Row, readVersion, unpackRow, type Whole } from "./pack.ts";

const version = 1;

type StateMember = "ruleSetHash" | "memberSince" | "toldUpToMs" | "rowsSeen" | "suppressedBy" | "nextLookMs";
type ChangeMember = "playerId" | "segment" | "kind" | "atMs" | "suppressedBy" | "ruleSetVersion";

/** Bytes of a state. The player is the key's business and is not among them. */
export function encodeMembershipState(state: MembershipState): Buffer {
  return packRow(version, writeState(state));
}

/** Fails: throws where the bytes are of a version that this build does not know. */
export function decodeMembershipState(bytes: Uint8Array): MembershipState {
  readVersion(bytes, version, "membership state");
  return readState(unpackRow(bytes));
}

/** A change as the log keeps it. `keptAtMs` is the machine's instant at which it was appended: it is forgotten by that. */
export type KeptChange = { readonly change: MembershipChange; readonly keptAtMs: number };

/** Bytes of a change. Its sequence is the key's business and is not among them. */
export function encodeKeptChange({ change, keptAtMs }: KeptChange): Buffer {
  return packRow(version, [keptAtMs, ...writeChange(change)]);
}

/** Fails: throws where the bytes are of a version that this build does not know. */
export function decodeKeptChange(bytes: Uint8Array): KeptChange {
  readVersion(bytes, version, "membership change");
  const [keptAtMs, ...change] = unpackRow(bytes) as [number, ...unknown[]];
  return { keptAtMs, change: readChange(change) };
}

/** A record of the journal: changes, numbered from `firstSequence` on, and the state after them. */
export type MembershipStep = {
  readonly firstSequence: number;
  readonly keptAtMs: number;
  readonly changes: readonly MembershipChange[];
  readonly state: MembershipState;
};

export function encodeMembershipStep({ firstSequence, keptAtMs, changes, state }: MembershipStep): Buffer {
  return packRow(version, [firstSequence, keptAtMs, changes.map(writeChange), writeState(state)]);
}

/** Fails: throws where the bytes are of a version that this build does not know. */
export function decodeMembershipStep(bytes: Uint8Array): MembershipStep {
  readVersion(bytes, version, "membership step");
  const [firstSequence, keptAtMs, changes, state] = unpackRow(bytes) as [number, number, Row[], Row];
  return { firstSequence, keptAtMs, changes: changes.map(readChange), state: readState(state) };
}

function writeState({
  ruleSetHash,
  memberSince,
  toldUpToMs,
  rowsSeen,
  suppressedBy,
  nextLookMs,
}: Whole<MembershipState, StateMember>): Row {
  return [ruleSetHash, toldUpToMs, rowsSeen, suppressedBy, nextLookMs, [...memberSince].flat()];
}

function readState(row: Row): MembershipState {
  const [ruleSetHash, toldUpToMs, rowsSeen, suppressedBy, nextLookMs, members] = row as [
    string,
    number,
    number,
    string,
    number,
    Row,
  ];
  const memberSince = new Map<string, number>();
  for (let at = 0; at < members.length; at += 2) {
    memberSince.set(members[at] as string, members[at + 1] as number);
  }
  return { ruleSetHash, memberSince, toldUpToMs, rowsSeen, suppressedBy, nextLookMs };
}

function writeChange(change: Whole<MembershipChange, ChangeMember>): Row {
  const { playerId, segment, kind, atMs, suppressedBy, ruleSetVersion } = change;
  return [playerId, segment, kind, atMs, suppressedBy, ruleSetVersion];
}

function readChange(row: Row): MembershipChange {
  const [playerId, segment, kind, atMs, suppressedBy, ruleSetVersion] = row as [
    string,
    string,
    MembershipChange["kind"],
    number,
    string,
    number,
  ];
  return { playerId, segment, kind, atMs, suppressedBy, ruleSetVersion };
}
