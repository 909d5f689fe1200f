import type { Clock } from "../../ports/clock.ts";
import type {
  MembershipChange,
  MembershipLog,
  MembershipState,
  NumberedChange,
} from "../../ports/membership-log.ts";
import {
  decodeMembershipState,
  decodeMembershipStep,
  encodeMembershipState,
  encodeMembershipStep,
} from "./codec/membership.ts";
import { HotCache } from "./hot-cache.ts";
import type { Intake } from "./intake.ts";
import type { JournalRecord } from "./journal/format.ts";
import { encodeKey, encodeMerchantRange, joinEncodedKey, joinKey, readKey } from "./keys.ts";
import type { LmdbTables } from "./lmdb.ts";
import { MembershipChanges } from "./membership-changes.ts";
import { forEachInSlices } from "./slices.ts";
import { type Pending, WriteBehind } from "./write-behind.ts";

const nothing = Buffer.alloc(0);
/** States that are looked at in one go. */
const pageRowsMax = 256;

/**
 * What is remembered of memberships: states as players are kept, changes in the order of their numbers. One record of the journal has both, so that
 * neither is kept without the other. No bytes stand for a state that was removed.
 */
export class EmbeddedMemberships implements MembershipLog {
  readonly #tables: LmdbTables;
  readonly #intake: Intake;
  readonly #clock: Clock;
  /** null: nothing is remembered of this player. */
  readonly #hot: HotCache<MembershipState | null>;
  readonly behind = new WriteBehind();
  readonly changes: MembershipChanges;

  constructor(tables: LmdbTables, intake: Intake, clock: Clock, hotMax: number) {
    this.#tables = tables;
    this.#intake = intake;
    this.#clock = clock;
    this.#hot = new HotCache(hotMax);
    this.changes = new MembershipChanges(tables);
  }

  readonly append = (
    merchantId: string,
    playerId: string,
    changes: readonly MembershipChange[],
    state: MembershipState,
  ): { readonly sequences: readonly number[]; readonly durable: Promise<void> } => {
    const firstSequence = this.changes.nextSequence(merchantId);
    const step = { firstSequence, keptAtMs: this.#clock.nowMs(), changes, state };
    const key = encodeKey(merchantId, playerId);
    const durable = this.#intake
      .append("membership", key, encodeMembershipStep(step), (sequence) => {
        const undoState = this.#setState(key, { sequence, key, value: encodeMembershipState(state) }, state);
        const undoChanges = this.changes.add(merchantId, step);
        return () => {
          undoChanges();
          undoState();
        };
      })
      .then(() => this.changes.show(merchantId, firstSequence + changes.length - 1));
    // A caller that does not wait must not bring the process down; one that waits is told all the same.
    durable.catch(() => {});
    return { sequences: changes.map((_, at) => firstSequence + at), durable };
  };

  readonly state = (merchantId: string, playerId: string): MembershipState | undefined => {
    const mapKey = joinKey(merchantId, playerId);
    const hot = this.#hot.get(mapKey);
    if (hot !== undefined) return hot ?? undefined;
    const key = encodeKey(merchantId, playerId);
    const bytes = this.behind.get(mapKey)?.value ?? this.#tables.membershipStates.getBinary(key);
    const state = decodeState(bytes);
    this.#hot.set(mapKey, state ?? null);
    return state;
  };

  readonly forEachState = async (
    merchantId: string,
    visit: (playerId: string, state: MembershipState) => void,
  ): Promise<void> => {
    // What moves to LMDB while this runs must be visited once, too; what is on the move may be taken back, so it comes first.
    const waiting = new Map<string, Pending>();
    const note = (pending: Pending): void => {
      const { merchantId: owner, id } = readKey(pending.key);
      if (owner === merchantId) waiting.set(id, pending);
    };
    await forEachInSlices(this.behind.moving(), note);
    await forEachInSlices(this.behind.pending(), note);
    await forEachInSlices(waiting, ([playerId, { value }]) => {
      const state = decodeState(value);
      if (state !== undefined) visit(playerId, state);
    });
    const range = encodeMerchantRange(merchantId);
    for (let { start } = range; ; ) {
      const rows = [...this.#tables.membershipStates.getRange({ start, end: range.end, limit: pageRowsMax })];
      await forEachInSlices(rows, ({ key, value }) => {
        const { id } = readKey(key);
        if (!waiting.has(id)) visit(id, decodeMembershipState(value));
      });
      const last = rows.at(-1);
      if (last === undefined || rows.length < pageRowsMax) return;
      start = Buffer.concat([last.key, Buffer.of(0)]);
    }
  };

  readonly read = (
    merchantId: string,
    afterSequence: number,
    max: number,
  ): readonly NumberedChange[] | undefined => this.changes.read(merchantId, afterSequence, max);

  readonly newestSequence = (merchantId: string): number => this.changes.newestShown(merchantId);

  readonly remove = (merchantId: string, playerId: string): Promise<void> => {
    if (this.state(merchantId, playerId) === undefined) return Promise.resolve();
    const key = encodeKey(merchantId, playerId);
    return this.#intake.append("membership", key, nothing, (sequence) =>
      this.#setState(key, { sequence, key, value: nothing }, null),
    );
  };

  hotCount(): number {
    return this.#hot.size();
  }

  /** Takes a record of the journal at opening. */
  replay({ sequence, key, value }: JournalRecord, mapKey: string): void {
    if (value.length === 0) {
      this.behind.set(mapKey, { sequence, key, value });
      return;
    }
    const step = decodeMembershipStep(value);
    const { merchantId } = readKey(key);
    this.behind.set(mapKey, { sequence, key, value: encodeMembershipState(step.state) });
    this.changes.add(merchantId, step);
    this.changes.show(merchantId, step.firstSequence + step.changes.length - 1);
  }

  /** Writes one state to LMDB. */
  move({ key, value }: Pending): Promise<boolean> {
    const { membershipStates } = this.#tables;
    return value.length === 0 ? membershipStates.remove(key) : membershipStates.put(key, value);
  }

  /** Whether LMDB has it as it was moved. */
  hasMoved({ key, value }: Pending): boolean {
    const written = this.#tables.membershipStates.getBinary(key);
    return written === undefined ? value.length === 0 : written.equals(value);
  }

  #setState(key: Buffer, pending: Pending, state: MembershipState | null): () => void {
    const mapKey = joinEncodedKey(key);
    const undo = this.behind.set(mapKey, pending);
    this.#hot.set(mapKey, state);
    return () => {
      this.#hot.delete(mapKey);
      undo();
    };
  }
}

function decodeState(bytes: Buffer | undefined): MembershipState | undefined {
  return bytes === undefined || bytes.length === 0 ? undefined : decodeMembershipState(bytes);
}
