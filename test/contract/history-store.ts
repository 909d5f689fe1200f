import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { compareIds } from "../../src/core/compare-ids.ts";
import type { History, Label, NewRow, Subject } from "../../src/core/history/history.ts";
import { reversedType } from "../../src/core/history/history.ts";
import type { HistoryStore } from "../../src/ports/history-store.ts";
import { listPlayers } from "../helpers/list-players.ts";
import { countRuns } from "../helpers/property-runs.ts";
import { sampleRow } from "../helpers/stored-samples.ts";
import {
  checkThroughout,
  collidingKeys,
  hostileIds,
  type OpenedPort,
  type OpenPort,
  startMs,
} from "./opened-port.ts";

const player = (id: string): Subject => ({ kind: "player", id });
const card = (id: string): Subject => ({ kind: "card", id });
const fact = { isPaymentFact: true };
const plain = { isPaymentFact: false };

/** A row without its id, which no history shows. */
export type PlainRow = Omit<NewRow, "id">;

/** A history as plain values, oldest row first. */
export function spellHistory(history: History | undefined): PlainRow[] {
  if (history === undefined) return [];
  const { atMs, readAmount, label, labels } = history;
  return Array.from({ length: history.end - history.start }, (_, at) => {
    const row = history.start + at;
    const { type, currency, values, wides } = labels.get(label[row]!);
    return {
      atMs: atMs[row]!,
      amountMinor: readAmount(row),
      label: { type, currency, values, wides },
      wides: wides.map((_, place) => history.readWide(row, place)),
    };
  });
}

/** A row as `spellHistory` shows it. */
export function spellRow({ atMs, amountMinor, label, wides }: NewRow): PlainRow {
  const { type, currency, values } = label;
  return {
    atMs,
    amountMinor,
    label: { type, currency, values, wides: [...label.wides] },
    wides: [...wides],
  };
}

/** What every HistoryStore must do. */
export function testHistoryStore(open: OpenPort<HistoryStore>): void {
  describe("as a HistoryStore", () => {
    let port: OpenedPort<HistoryStore>;
    beforeEach(async () => {
      port = await open();
    });
    afterEach(() => port.close());
    const read = (subject: Subject, merchantId = "m"): PlainRow[] =>
      spellHistory(port.store().get(merchantId, subject));
    const place = async (subject: Subject, row: NewRow, merchantId = "m"): Promise<string> => {
      const { placed, durable } = port.store().place(merchantId, subject, row, plain);
      await durable;
      return placed.kind;
    };
    const listAll = (merchantId = "m") => listPlayers(port.store(), merchantId);
    /** Calls `check` as things stand, after a restart, and when all is moved and restarted again. */
    it("knows nothing of a subject without rows", async () => {
      expect(port.store().get("m", player("p"))).toBeUndefined();
      expect(await listAll()).toEqual([]);
      expect(port.store().hasPlayer("m", "p")).toBe(false);
      expect(port.store().countPlayers("m")).toBe(0);
      expect([port.store().newestMs("m"), port.store().oldestMs("m")]).toEqual([undefined, undefined]);
      expect(await port.store().remove("m", player("p"))).toBe(0);
      await port.store().merge("m", player("p"), player("q"));
      expect(port.store().get("m", player("q"))).toBeUndefined();
    });

    it("shows a row at once, and its label by its number", async () => {
      const { placed, durable } = port.store().place("m", player("p"), sampleRow(1, startMs), plain);
      expect(placed).toEqual({ kind: "added", late: false });
      expect(read(player("p"))).toEqual([spellRow(sampleRow(1, startMs))]);
      const history = port.store().get("m", player("p"))!;
      const label = history.label[history.start]!;
      expect(port.store().labels.get(label).type).toBe("deposit");
      expect(port.store().labels.count()).toBeGreaterThan(label);
      await durable;
    });

    it("keeps rows in order of instant and id, however they come, through background work and restarts", async () => {
      const rows = [sampleRow(2, startMs), sampleRow(3, startMs + 5), sampleRow(9, startMs - 1)];
      for (const row of rows) await place(player("p"), row);
      await port.settle();
      expect(await place(player("p"), sampleRow(1, startMs))).toBe("added");
      const want = [
        sampleRow(9, startMs - 1),
        sampleRow(1, startMs),
        sampleRow(2, startMs),
        sampleRow(3, startMs + 5),
      ];
      await checkThroughout(port, () => expect(read(player("p"))).toEqual(want.map(spellRow)));
    });

    it("tells a duplicate and a conflict from a new row, in memory, from the journal and from disk", async () => {
      const row = sampleRow(1, startMs, { amountMinor: 5 });
      await place(player("p"), row);
      const check = async (): Promise<void> => {
        expect(await place(player("p"), row)).toBe("duplicate");
        expect(await place(player("p"), { ...row, amountMinor: 6 })).toBe("conflict");
        expect(read(player("p"))).toEqual([spellRow(row)]);
      };
      await check();
      await port.reopen();
      await check();
      await port.settle();
      await port.reopen();
      await check();
    });

    it("merges what is told of a payment twice, and keeps what came of it", async () => {
      const first = sampleRow(1, startMs, { amountMinor: 5 });
      const outcome = { ...first, atMs: startMs + 1, amountMinor: 7 };
      await port.store().place("m", player("p"), first, fact).durable;
      const { placed, durable } = port
        .store()
        .place("m", player("p"), outcome, { ...fact, amountWins: true });
      expect(placed.kind).toBe("merged");
      await durable;
      const want = spellRow({ ...first, amountMinor: 7 });
      await checkThroughout(port, () => expect(read(player("p"))).toEqual([want]));
    });

    it("takes a row back, and one that has not come yet", async () => {
      await place(player("p"), sampleRow(1, startMs));
      await place(player("p"), sampleRow(2, startMs + 1));
      await port.settle();
      const come = port.store().reverse("m", player("p"), { id: 1, atMs: startMs });
      expect(come.found).toBe(true);
      const early = port.store().reverse("m", player("p"), { id: 7, atMs: startMs + 2 });
      expect(early.found).toBe(false);
      await Promise.all([come.durable, early.durable]);
      const check = async (): Promise<void> => {
        expect(read(player("p")).map(({ label }) => label.type)).toEqual([
          reversedType,
          "deposit",
          reversedType,
        ]);
        expect(await place(player("p"), sampleRow(7, startMs + 2))).toBe("reversed");
        expect(await place(player("p"), sampleRow(1, startMs))).toBe("reversed");
      };
      await check();
      await port.reopen();
      await check();
      await port.settle();
      await port.reopen();
      await check();
    });

    it("moves all rows of one history into another, and forgets the one", async () => {
      await place(player("from"), sampleRow(1, startMs));
      await place(player("from"), sampleRow(2, startMs + 2));
      await place(player("into"), sampleRow(2, startMs + 2));
      await port.settle();
      await place(player("from"), sampleRow(3, startMs + 3));
      await port.store().merge("m", player("from"), player("into"));
      // Comes again after the merge, and is a history of its own then.
      await place(player("from"), sampleRow(4, startMs + 4));
      const want = [sampleRow(1, startMs), sampleRow(2, startMs + 2), sampleRow(3, startMs + 3)];
      await checkThroughout(port, async () => {
        expect(read(player("into"))).toEqual(want.map(spellRow));
        expect(read(player("from"))).toEqual([spellRow(sampleRow(4, startMs + 4))]);
        expect([await listAll(), port.store().countPlayers("m")]).toEqual([["from", "into"], 2]);
      });
    });

    it("forgets a history for good, and begins it anew", async () => {
      for (let id = 1; id <= 3; id++) await place(player("p"), sampleRow(id, startMs + id));
      await port.settle();
      await place(player("p"), sampleRow(4, startMs + 4));
      expect(await port.store().remove("m", player("p"))).toBe(4);
      await checkThroughout(port, async () => {
        expect(port.store().hasPlayer("m", "p")).toBe(false);
        expect(port.store().get("m", player("p"))).toBeUndefined();
        expect([await listAll(), port.store().countPlayers("m")]).toEqual([[], 0]);
      });
      await place(player("p"), sampleRow(5, startMs));
      await checkThroughout(port, async () => {
        expect(port.store().hasPlayer("m", "p")).toBe(true);
        expect(read(player("p"))).toEqual([spellRow(sampleRow(5, startMs))]);
        expect([await listAll(), port.store().countPlayers("m")]).toEqual([["p"], 1]);
      });
    });

    it("keeps a long history, whatever of it changes", async () => {
      const rows = Array.from({ length: 1_300 }, (_, at) => sampleRow(at + 1, startMs + at * 10));
      const long = player("p");
      for (const row of rows.slice(0, 512)) port.store().place("m", long, row, plain);
      await port.settle();
      for (const row of rows.slice(512, 600)) port.store().place("m", long, row, plain);
      await port.settle();
      for (const row of rows.slice(600)) port.store().place("m", long, row, plain);
      await checkThroughout(port, () => expect(read(long)).toEqual(rows.map(spellRow)));
      const early = sampleRow(9_999, startMs + 1);
      await place(long, early);
      const want = [rows[0]!, early, ...rows.slice(1)].map(spellRow);
      await checkThroughout(port, () => expect(read(long)).toEqual(want));
    });

    it("lists players in order, wherever they stand, and counts them", async () => {
      const ids = Array.from({ length: 30 }, (_, at) => `player-${String(at).padStart(2, "0")}`);
      for (const id of ids.slice(0, 10)) await place(player(id), sampleRow(1, startMs + 5));
      await port.settle();
      for (const id of ids.slice(5)) await place(player(id), sampleRow(2, startMs + 3));
      await place(card("card"), sampleRow(3, startMs + 99));
      await place(player("other"), sampleRow(3, startMs + 99), "n");
      await checkThroughout(port, async () => {
        expect(await listAll()).toEqual(ids);
        expect([port.store().countPlayers("m"), port.store().newestMs("m")]).toEqual([30, startMs + 5]);
        expect(port.store().oldestMs("m")).toBe(startMs + 3);
      });
    });

    it("lists every player that was there at the call, whatever is put and moved meanwhile", async () => {
      const ids = Array.from({ length: 900 }, (_, at) => `player-${String(at * 2).padStart(4, "0")}`);
      for (const id of ids) port.store().place("m", player(id), sampleRow(1, startMs), plain);
      await port.store().remove("m", player("player-1000"));
      const listed: string[] = [];
      for await (const page of port.store().listPlayers("m")) {
        expect(page.length).toBeLessThan(ids.length + 1);
        if (listed.length === 0) {
          await port.store().remove("m", player("player-1400"));
          await place(player("player-0001"), sampleRow(1, startMs));
          await port.settle();
          await place(player("player-1401"), sampleRow(1, startMs));
        }
        listed.push(...page);
      }
      const wanted = ids.filter((id) => id !== "player-1000" && id !== "player-1400");
      const known = new Set(listed);
      expect(wanted.filter((id) => !known.has(id))).toEqual([]);
      expect(known.size).toBe(listed.length);
      expect(listed).toEqual([...listed].sort(compareIds));
    });

    it("keeps hostile ids of subjects and merchants apart", async () => {
      const pairs = hostileIds.flatMap((id) => [[id, id] as const, ["m", id] as const, [id, "p"] as const]);
      const keys = new Map([...pairs, ...collidingKeys].map((pair) => [JSON.stringify(pair), pair]));
      for (const [at, [merchantId, id]] of [...keys.values()].entries()) {
        await place(player(id), sampleRow(1, startMs + at), merchantId);
        await place(card(id), sampleRow(1, startMs - at), merchantId);
      }
      await checkThroughout(port, async () => {
        for (const [at, [merchantId, id]] of [...keys.values()].entries()) {
          expect(read(player(id), merchantId).map(({ atMs }) => atMs)).toEqual([startMs + at]);
          expect(read(card(id), merchantId).map(({ atMs }) => atMs)).toEqual([startMs - at]);
        }
        for (const merchantId of new Set([...keys.values()].map(([each]) => each))) {
          const mine = [...keys.values()].filter(([owner]) => owner === merchantId).map(([, id]) => id);
          expect(await listAll(merchantId)).toEqual(mine.sort(compareIds));
          expect(port.store().countPlayers(merchantId)).toBe(mine.length);
        }
      });
    });

    it("is the same as a list of rows per subject, whatever is done to it", async () => {
      await fc.assert(
        fc.asyncProperty(
          fc.array(arbitraryStep, { minLength: 1, maxLength: 60, size: "max" }),
          async (steps) => {
            const merchantId = `m${rounds++}`;
            const model = new Model();
            for (const step of steps) await run(step, merchantId, model);
            const check = async (): Promise<void> => {
              for (const id of ids) expect(read(player(id), merchantId), id).toEqual(model.rows(id));
              expect(await listAll(merchantId)).toEqual(model.players());
              expect(port.store().countPlayers(merchantId)).toBe(model.players().length);
            };
            await checkThroughout(port, check);
          },
        ),
        { numRuns: countRuns(15) },
      );
    });

    async function run(step: Step, merchantId: string, model: Model): Promise<void> {
      switch (step.kind) {
        case "place": {
          const { placed, durable } = port.store().place(merchantId, player(step.player), step.row, plain);
          expect(placed.kind).toBe(model.place(step.player, step.row));
          if (step.isAwaited) await durable;
          return;
        }
        case "reverse": {
          const { found } = port.store().reverse(merchantId, player(step.player), step.row);
          expect(found).toBe(model.reverse(step.player, step.row));
          return;
        }
        case "remove":
          expect(await port.store().remove(merchantId, player(step.player))).toBe(model.remove(step.player));
          return;
        case "merge":
          await port.store().merge(merchantId, player(step.player), player(step.into));
          model.merge(step.player, step.into);
          return;
        case "settle":
          return port.settle();
        case "reopen":
          return port.reopen();
      }
    }
  });
}

const ids = ["a", "b", "c"];
/** Each round of the model has a merchant of its own. */
let rounds = 0;

type Step =
  | { readonly kind: "place"; readonly player: string; readonly row: NewRow; readonly isAwaited: boolean }
  | { readonly kind: "reverse"; readonly player: string; readonly row: NewRow }
  | { readonly kind: "remove"; readonly player: string }
  | { readonly kind: "merge"; readonly player: string; readonly into: string }
  | { readonly kind: "settle" | "reopen" };

const someId = fc.constantFrom(...ids);
/** The instant goes with the id, so that two rows of one id differ in nothing. */
const someRow = fc.nat(20).map((id) => sampleRow(id, startMs + ((id * 7) % 5), { amountMinor: id }));
const arbitraryStep: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.record({
      kind: fc.constant("place" as const),
      player: someId,
      row: someRow,
      isAwaited: fc.boolean(),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant("reverse" as const), player: someId, row: someRow }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("remove" as const), player: someId }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("merge" as const), player: someId, into: someId }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constantFrom("settle" as const, "reopen" as const) }) },
);

/** Rows by subject and id; undefined stands for one that was taken back. */
class Model {
  readonly #subjects = new Map<string, Map<number, { readonly row: NewRow; isReversed: boolean }>>();

  place(id: string, row: NewRow): string {
    const rows = this.#subjects.get(id) ?? new Map();
    this.#subjects.set(id, rows);
    const known = rows.get(row.id);
    if (known !== undefined) return known.isReversed ? "reversed" : "duplicate";
    rows.set(row.id, { row, isReversed: false });
    return "added";
  }

  reverse(id: string, row: NewRow): boolean {
    const isKnown = this.#subjects.get(id)?.has(row.id) ?? false;
    if (!isKnown) this.place(id, row);
    this.#subjects.get(id)!.get(row.id)!.isReversed = true;
    return isKnown;
  }

  remove(id: string): number {
    const rows = this.#subjects.get(id)?.size ?? 0;
    this.#subjects.delete(id);
    return rows;
  }

  merge(from: string, into: string): void {
    const rows = this.#subjects.get(from);
    if (rows === undefined || from === into) return;
    for (const { row, isReversed } of rows.values()) {
      if (isReversed) this.reverse(into, row);
      else this.place(into, row);
    }
    this.#subjects.delete(from);
  }

  players(): string[] {
    return [...this.#subjects.keys()].sort();
  }

  rows(id: string): PlainRow[] {
    return [...(this.#subjects.get(id)?.values() ?? [])]
      .sort((a, b) => a.row.atMs - b.row.atMs || a.row.id - b.row.id)
      .map(({ row, isReversed }) => spellRow(isReversed ? { ...row, ...takenBack } : row));
  }
}

const noLabel: Label = { type: reversedType, currency: "", values: new Map(), wides: [] };
const takenBack = { amountMinor: 0, label: noLabel, wides: [] };
