import type { Player } from "../../core/player.ts";
import type { PlayerStore } from "../../ports/player-store.ts";
import { decodePlayer, encodePlayer } from "./codec/player.ts";
import { HotCache } from "./hot-cache.ts";
import type { Intake } from "./intake.ts";
import type { JournalRecord } from "./journal/format.ts";
import { encodeKey, joinKey } from "./keys.ts";
import type { LmdbTables } from "./lmdb.ts";
import { type Pending, WriteBehind } from "./write-behind.ts";

/** Players: journal and memory first, moved to LMDB by the checkpoint. Those used lately stay in memory, decoded. */
export class EmbeddedPlayers implements PlayerStore {
  readonly #tables: LmdbTables;
  readonly #intake: Intake;
  /** null: nothing is stored of this player, so the disk need not be asked again. */
  readonly #hot: HotCache<Player | null>;
  readonly behind = new WriteBehind();

  constructor(tables: LmdbTables, intake: Intake, hotMax: number) {
    this.#tables = tables;
    this.#intake = intake;
    this.#hot = new HotCache(hotMax);
  }

  readonly get = (merchantId: string, playerId: string): Player | undefined => {
    const mapKey = joinKey(merchantId, playerId);
    const hot = this.#hot.get(mapKey);
    if (hot !== undefined) return hot ?? undefined;
    const bytes =
      this.behind.get(mapKey)?.value ?? this.#tables.players.getBinary(encodeKey(merchantId, playerId));
    const player = bytes === undefined ? null : decodePlayer(playerId, bytes);
    this.#hot.set(mapKey, player);
    return player ?? undefined;
  };

  readonly put = (merchantId: string, player: Player): Promise<void> => {
    const key = encodeKey(merchantId, player.playerId);
    const value = encodePlayer(player);
    return this.#intake.append("player", key, value, (sequence) => {
      const mapKey = joinKey(merchantId, player.playerId);
      const undo = this.behind.set(mapKey, { sequence, key, value });
      this.#hot.set(mapKey, player);
      return () => {
        this.#hot.delete(mapKey);
        undo();
      };
    });
  };

  hotCount(): number {
    return this.#hot.size();
  }

  /** Takes a record of the journal at opening. */
  replay({ sequence, key, value }: JournalRecord, mapKey: string): void {
    this.behind.set(mapKey, { sequence, key, value });
  }

  /** Writes one record to LMDB. */
  move({ key, value }: Pending): Promise<boolean> {
    return this.#tables.players.put(key, value);
  }

  /** Whether LMDB has it as it was moved. */
  hasMoved({ key, value }: Pending): boolean {
    return this.#tables.players.getBinary(key)?.equals(value) ?? false;
  }
}
