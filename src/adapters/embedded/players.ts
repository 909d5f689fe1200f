import { createHmac, randomBytes } from "node:crypto";
import type { OwnLimit, Player, Restriction } from "../../core/player.ts";
import type { Clock } from "../../ports/clock.ts";
import type { PlayerStore } from "../../ports/player-store.ts";
import { decodePlayer, decodeTombstone, encodePlayer, encodeTombstone, isTombstone } from "./codec/player.ts";
import { HotCache } from "./hot-cache.ts";
import type { Intake } from "./intake.ts";
import type { JournalRecord } from "./journal/format.ts";
import { KeyFilter } from "./key-filter.ts";
import { encodeKey, encodeMerchantRange, joinEncodedKey, joinKey, readKey } from "./keys.ts";
import type { LmdbTables } from "./lmdb.ts";
import { forEachInSlices } from "./slices.ts";
import { type Pending, WriteBehind } from "./write-behind.ts";

const hashKeyBytes = 32;
/** Ids that are read in one go. */
const pageKeysMax = 256;
const hashKeyKey = Buffer.from("deleted-players-key", "latin1");

/**
 * Players: journal and memory first, moved to LMDB by the checkpoint. Those used lately stay in memory, decoded.
 *
 * Of a deleted player LMDB keeps a tombstone under a keyed hash of the id (HMAC-SHA256, the key made once per store), the journal the id itself
 * until its segment is let go.
 */
export class EmbeddedPlayers implements PlayerStore {
  readonly #tables: LmdbTables;
  readonly #intake: Intake;
  readonly #clock: Clock;
  /** null: nothing is stored of this player, so the disk need not be asked again. Deleted ones are not in it. */
  readonly #hot: HotCache<Player | null>;
  /** What was ever stored since the start, and what LMDB had then: of most players there are events and nothing else. */
  readonly #stored = new KeyFilter();
  #hashKey: Buffer | undefined;
  readonly behind = new WriteBehind();

  constructor(tables: LmdbTables, intake: Intake, clock: Clock, hotMax: number) {
    this.#tables = tables;
    this.#intake = intake;
    this.#clock = clock;
    this.#hot = new HotCache(hotMax);
    this.#hashKey = tables.meta.getBinary(hashKeyKey);
    for (const key of tables.players.getKeys()) this.#note(key);
  }

  readonly get = (merchantId: string, playerId: string): Player | undefined => {
    if (this.#isUnheard(merchantId, playerId)) return undefined;
    const mapKey = joinKey(merchantId, playerId);
    const hot = this.#hot.get(mapKey);
    if (hot !== undefined) return hot ?? undefined;
    const bytes = this.#read(encodeKey(merchantId, playerId), mapKey);
    if (bytes !== undefined && isTombstone(bytes)) {
      return keepStanding(decodeTombstone(playerId, bytes), this.#clock.nowMs());
    }
    const player = bytes === undefined ? null : decodePlayer(playerId, bytes);
    this.#hot.set(mapKey, player);
    return player ?? undefined;
  };

  readonly put = (merchantId: string, player: Player): Promise<void> => {
    const { playerId } = player;
    if (this.isDeleted(merchantId, playerId)) return this.#putTombstone(merchantId, playerId, player);
    return this.#append(encodeKey(merchantId, playerId), encodePlayer(player), player);
  };

  readonly delete = (merchantId: string, playerId: string): Promise<void> => {
    const nothing = { playerId, attributes: new Map(), restrictions: [] };
    return this.#putTombstone(merchantId, playerId, this.get(merchantId, playerId) ?? nothing);
  };

  readonly isDeleted = (merchantId: string, playerId: string): boolean => {
    if (this.#isUnheard(merchantId, playerId)) return false;
    const mapKey = joinKey(merchantId, playerId);
    if (this.#hot.get(mapKey) !== undefined) return false;
    const waiting = this.behind.get(mapKey)?.value;
    if (waiting !== undefined) return isTombstone(waiting);
    if (this.#hashKey === undefined) return false;
    const bytes = this.#read(encodeKey(merchantId, playerId), mapKey);
    return bytes !== undefined && isTombstone(bytes);
  };

  readonly forEachPlayer = async (merchantId: string, visit: (playerId: string) => void): Promise<void> => {
    const visitPending = ({ key, value }: Pending): void => {
      const owner = readKey(key);
      if (owner.merchantId === merchantId && !isTombstone(value)) visit(owner.id);
    };
    // What is on the move may be taken back meanwhile, so it comes first; what LMDB gets meanwhile is there by then.
    await forEachInSlices(this.behind.moving(), visitPending);
    await forEachInSlices(this.behind.pending(), visitPending);
    const range = encodeMerchantRange(merchantId);
    for (let { start } = range; ; ) {
      const keys = [...this.#tables.players.getKeys({ start, end: range.end, limit: pageKeysMax })];
      await forEachInSlices(keys, (key) => visit(readKey(key).id));
      const last = keys.at(-1);
      if (last === undefined || keys.length < pageKeysMax) return;
      start = Buffer.concat([last, Buffer.of(0)]);
    }
  };

  hotCount(): number {
    return this.#hot.size();
  }

  /** Takes a record of the journal at opening. */
  replay({ sequence, key, value }: JournalRecord, mapKey: string): void {
    this.#note(key);
    this.behind.set(mapKey, { sequence, key, value });
  }

  /** Writes one record to LMDB. */
  move({ key, value }: Pending): Promise<boolean> {
    const { players, deletedPlayers, meta } = this.#tables;
    if (!isTombstone(value)) return players.put(key, value);
    players.remove(key);
    const hash = this.#hash(key);
    // With every one of them: a transaction that failed may have been the first.
    meta.put(hashKeyKey, this.#hashKey!);
    return deletedPlayers.put(hash, value);
  }

  /** Whether LMDB has it as it was moved. */
  hasMoved({ key, value }: Pending): boolean {
    const { players, deletedPlayers } = this.#tables;
    const written = players.getBinary(key);
    if (!isTombstone(value)) return written?.equals(value) ?? false;
    return written === undefined && (deletedPlayers.getBinary(this.#hash(key))?.equals(value) ?? false);
  }

  #putTombstone(merchantId: string, playerId: string, player: Player): Promise<void> {
    const left = keepStanding(player, this.#clock.nowMs()) ?? { ...player, restrictions: [], ownLimits: [] };
    return this.#append(encodeKey(merchantId, playerId), encodeTombstone(left), undefined);
  }

  /** `hot`: what `get` is to find without decoding it. */
  #append(key: Buffer, value: Buffer, hot: Player | undefined): Promise<void> {
    this.#note(key);
    return this.#intake.append("player", key, value, (sequence) => {
      const mapKey = joinEncodedKey(key);
      const undo = this.behind.set(mapKey, { sequence, key, value });
      if (hot === undefined) this.#hot.delete(mapKey);
      else this.#hot.set(mapKey, hot);
      return () => {
        this.#hot.delete(mapKey);
        undo();
      };
    });
  }

  /** Nothing was ever stored. Where players were deleted nobody can tell: only hashes of their ids are left. */
  #isUnheard(merchantId: string, playerId: string): boolean {
    return this.#hashKey === undefined && !this.#stored.mayHave(merchantId, playerId);
  }

  #note(key: Buffer): void {
    const { merchantId, id } = readKey(key);
    this.#stored.add(merchantId, id);
  }

  #read(key: Buffer, mapKey: string): Buffer | undefined {
    const { players, deletedPlayers } = this.#tables;
    const known = this.behind.get(mapKey)?.value ?? players.getBinary(key);
    if (known !== undefined || this.#hashKey === undefined) return known;
    return deletedPlayers.getBinary(this.#hash(key));
  }

  #hash(key: Buffer): Buffer {
    this.#hashKey ??= randomBytes(hashKeyBytes);
    return createHmac("sha256", this.#hashKey).update(key).digest();
  }
}

/** What still binds of a deleted player; undefined where nothing does. */
function keepStanding({ playerId, restrictions, ownLimits = [] }: Player, nowMs: number): Player | undefined {
  const standing = restrictions.filter((each) => stands(each, nowMs));
  const limits = ownLimits.filter((each) => binds(each, nowMs));
  if (standing.length === 0 && limits.length === 0) return undefined;
  const player = { playerId, attributes: new Map(), restrictions: standing };
  return limits.length === 0 ? player : { ...player, ownLimits: limits };
}

function stands({ clear, untilMs }: Restriction, nowMs: number): boolean {
  return !clear && (untilMs === undefined || nowMs < untilMs);
}

/** A limit ends where its removal waited for nothing but time. */
function binds({ pending }: OwnLimit, nowMs: number): boolean {
  return (
    pending === undefined ||
    pending.amount !== undefined ||
    pending.needsConfirmation ||
    nowMs < pending.effectiveAtMs
  );
}
