import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { spellHistory, spellRow } from "../../../test/contract/history-store.ts";
import { dayMs, startMs } from "../../../test/contract/opened-port.ts";
import { listPlayers } from "../../../test/helpers/list-players.ts";
import {
  sampleChange,
  sampleHold,
  samplePayment,
  samplePlayer,
  sampleRow,
  sampleState,
} from "../../../test/helpers/stored-samples.ts";
import type { NewRow, Subject } from "../../core/history/history.ts";
import { Checkpoint } from "./checkpoint.ts";
import { type EmbeddedStore, type EmbeddedStoreOptions, openEmbeddedStore } from "./embedded-store.ts";
import { EmbeddedHistories } from "./histories.ts";
import { HistoryDisk } from "./history-disk.ts";
import { HistoryMover } from "./history-mover.ts";
import type { Intake } from "./intake.ts";
import { nodeFiles } from "./journal/files.ts";
import { recordKinds } from "./journal/format.ts";
import { Journal } from "./journal/journal.ts";
import { type Bytes, type LmdbTables, openTables } from "./lmdb.ts";
import { createMover } from "./mover.ts";
import { EmbeddedPayments } from "./payments.ts";
import { EmbeddedPlayers } from "./players.ts";
import { StoreUnavailable } from "./store-unavailable.ts";

let directory: string;
let nowMs: number;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "switchyard-failures-"));
  nowMs = startMs;
});
afterEach(() => rmSync(directory, { recursive: true }));

const keepUntilMs = startMs + 7 * dayMs;
const clock = { nowMs: () => nowMs };
const open = (options: Partial<EmbeddedStoreOptions> = {}): Promise<EmbeddedStore> =>
  openEmbeddedStore({ directory, clock, onError: () => {}, ...options });

describe("a directory", () => {
  it("is opened by one at a time, and whoever comes second is told who has it", async () => {
    const store = await open();
    await expect(open()).rejects.toThrow(`${directory} is already open: process ${process.pid} on `);
    const writer = fileURLToPath(new URL("../../../test/helpers/store-writer.ts", import.meta.url));
    expect(() => execFileSync(process.execPath, [writer, directory, "0"], { stdio: "pipe" })).toThrow(
      `is already open: process ${process.pid} on `,
    );
    await store.players.put("m", samplePlayer("p"));
    await store.close();
    const next = await open();
    expect(next.players.get("m", "p")).toStrictEqual(samplePlayer("p"));
    await next.close();
  });

  it("whose journal is damaged is refused, and let go", async () => {
    const store = await open();
    for (const id of ["a", "b"]) await store.payments.put("m", samplePayment(id, { keepUntilMs }));
    await store.close();
    const [name] = readdirSync(join(directory, "journal"));
    const path = join(directory, "journal", name!);
    const whole = readFileSync(path);
    const damaged = Buffer.from(whole);
    damaged[100] = damaged[100]! ^ 1;
    writeFileSync(path, damaged);
    await expect(open()).rejects.toThrow(`the journal is damaged: ${path} at offset 22`);
    writeFileSync(path, whole);
    await (await open()).close();
  });
});

describe("the file of LMDB", () => {
  /** What has become of the file, and what is said of it. */
  const damages: readonly (readonly [name: string, damage: (whole: Buffer) => Buffer, fault: string])[] = [
    ["another program's", () => Buffer.from("garbage"), "it is no LMDB file"],
    ["without its second page", (whole) => whole.subarray(0, 4_096), "its second page is none of LMDB's"],
    ["without its end", (whole) => whole.subarray(0, 8_192), "it is cut short, at 8192 bytes"],
  ];

  it.each(damages)(
    "that is %s is refused, not handed to LMDB, which would die of it",
    async (_, damage, fault) => {
      await (await open()).close();
      const path = join(directory, "store.mdb");
      const whole = readFileSync(path);
      const damaged = damage(whole);
      writeFileSync(path, damaged);
      await expect(open()).rejects.toThrow(`${path} is damaged: ${fault}`);
      expect(readFileSync(path)).toEqual(damaged);
      writeFileSync(path, whole);
      await (await open()).close();
    },
  );

  it("that is empty is begun", async () => {
    writeFileSync(join(directory, "store.mdb"), "");
    await (await open()).close();
  });
});

describe("a store", () => {
  it("whose disk is full takes back what it could not write, says so, and keeps what it had", async () => {
    let isFull = false;
    const files = {
      ...nodeFiles,
      write: (...args: Parameters<typeof nodeFiles.write>) => {
        if (isFull) throw new Error("ENOSPC: no space left on device");
        return nodeFiles.write(...args);
      },
    };
    const store = await open({ files });
    expect(store.healthy()).toEqual({ ok: true });
    await store.payments.put("m", samplePayment("pay", { keepUntilMs }));
    await store.players.put("m", samplePlayer("p", "before"));
    isFull = true;
    const lost = [
      store.payments.put("m", samplePayment("pay", { keepUntilMs, revision: 1 })),
      store.payments.put("m", samplePayment("pay", { keepUntilMs, revision: 2 })),
      store.payments.put("m", samplePayment("new", { keepUntilMs })),
      store.players.put("m", samplePlayer("p", "after")),
    ];
    expect(store.payments.get("m", "pay", nowMs)).toMatchObject({ record: { revision: 2 } });
    await expect(store.written()).rejects.toThrow(StoreUnavailable);
    for (const each of lost) await expect(each).rejects.toThrow(StoreUnavailable);
    const check = (): void => {
      expect(store.payments.get("m", "pay", nowMs)).toMatchObject({ record: { revision: 0 } });
      expect(store.payments.get("m", "new", nowMs)).toBeUndefined();
      expect(store.players.get("m", "p")).toStrictEqual(samplePlayer("p", "before"));
    };
    check();
    expect(store.healthy()).toEqual({ ok: false, why: expect.stringContaining("ENOSPC") });
    expect(store.stateVersion()).toBe(2);
    await expect(store.players.put("m", samplePlayer("p", "later"))).rejects.toThrow(/ENOSPC/);
    check();
    isFull = false;
    await store.close();
    const next = await open();
    expect(next.payments.get("m", "pay", nowMs)).toMatchObject({ record: { revision: 0 } });
    expect(next.players.get("m", "p")).toStrictEqual(samplePlayer("p", "before"));
    await next.close();
  });

  it("whose disk is full takes rows, holds and memberships back, too", async () => {
    let isFull = false;
    const files = {
      ...nodeFiles,
      write: (...args: Parameters<typeof nodeFiles.write>) => {
        if (isFull) throw new Error("ENOSPC: no space left on device");
        return nodeFiles.write(...args);
      },
    };
    const store = await open({ files });
    const p: Subject = { kind: "player", id: "p" };
    const plain = { isPaymentFact: false };
    const fact = { isPaymentFact: true, amountWins: true };
    await store.histories.place("m", p, sampleRow(1, startMs), plain).durable;
    await store.histories.place("m", { kind: "player", id: "q" }, sampleRow(9, startMs), plain).durable;
    await store.limits.hold("m", sampleHold("pay"));
    await store.memberships.append("m", "p", [sampleChange("p")], sampleState("before")).durable;
    const labels = store.stats().labels;
    isFull = true;
    const label = { ...sampleRow(2, 0).label, type: "withdrawal" };
    const lost = [
      store.histories.place("m", p, sampleRow(2, startMs + 1, { label }), plain).durable,
      store.histories.place("m", p, sampleRow(2, startMs + 1, { label }), plain).durable,
      store.histories.place("m", p, sampleRow(1, startMs, { amountMinor: 7 }), fact).durable,
      store.histories.reverse("m", p, { id: 1, atMs: startMs }).durable,
      store.histories.place("m", { kind: "player", id: "new" }, sampleRow(3, startMs + 9), plain).durable,
      store.limits.hold("m", sampleHold("pay", { revision: 1 })),
      store.limits.hold("m", sampleHold("other")),
      store.limits.release("m", "pay"),
      store.memberships.append("m", "p", [sampleChange("p")], sampleState("after")).durable,
    ];
    for (const each of lost) await expect(each).rejects.toThrow(StoreUnavailable);
    await expect(store.histories.merge("m", { kind: "player", id: "q" }, p)).rejects.toThrow(/ENOSPC/);
    await expect(store.histories.remove("m", p)).rejects.toThrow(/ENOSPC/);
    const check = async (at: EmbeddedStore): Promise<void> => {
      expect(spellHistory(at.histories.get("m", p))).toEqual([spellRow(sampleRow(1, startMs))]);
      expect(await listPlayers(at.histories, "m")).toEqual(["p", "q"]);
      expect([at.histories.countPlayers("m"), at.histories.newestMs("m")]).toEqual([2, startMs]);
      expect(at.limits.get("m", "pay")).toStrictEqual(sampleHold("pay"));
      expect(at.limits.get("m", "other")).toBeUndefined();
      expect(at.memberships.state("m", "p")).toStrictEqual(sampleState("before"));
      expect(at.memberships.read("m", 0, 9)).toHaveLength(1);
    };
    await check(store);
    isFull = false;
    // The journal tries its disk again by itself.
    await expect.poll(() => store.healthy().ok, { timeout: 5_000 }).toBe(true);
    await check(store);
    // Its label was numbered before, and was never written.
    await store.histories.place("m", p, sampleRow(2, startMs + 1, { label }), plain).durable;
    await store.memberships.append("m", "p", [sampleChange("p")], sampleState("later")).durable;
    const later = [sampleRow(1, startMs), sampleRow(2, startMs + 1, { label })].map(spellRow);
    await store.close();
    const next = await open();
    expect(next.stats().labels).toBe(labels + 1);
    expect(spellHistory(next.histories.get("m", p))).toEqual(later);
    expect(next.memberships.read("m", 0, 9)!.map(({ sequence }) => sequence)).toEqual([1, 2]);
    await next.close();
  });

  it("forgets histories that nobody uses when there are too many rows, and brings them back", async () => {
    const store = await open({ limits: { hotRowsMax: 1_000 } });
    const rows = (player: number): NewRow[] =>
      Array.from({ length: 10 }, (_, at) => sampleRow(at + 1, startMs + player + at));
    const subject = (player: number): Subject => ({ kind: "player", id: `p${player}` });
    for (let player = 0; player < 300; player++) {
      for (const row of rows(player)) {
        store.histories.place("m", subject(player), row, { isPaymentFact: false });
      }
    }
    await store.checkpoint();
    const check = async (): Promise<void> => {
      for (let player = 0; player < 300; player++) {
        const want = rows(player).map(spellRow);
        expect(spellHistory(store.histories.get("m", subject(player)))).toEqual(want);
        if (player % 50 === 0) await new Promise((resolve) => setImmediate(resolve));
      }
    };
    await check();
    await expect.poll(() => store.stats().hotRows).toBeLessThanOrEqual(1_000);
    expect(store.stats().evictions).toBeGreaterThanOrEqual(200);
    await check();
    expect(store.histories.countPlayers("m")).toBe(300);
    await store.close();
  });

  it("refuses puts while LMDB is too far behind, and takes them again once it has caught up", async () => {
    const store = await open({ limits: { behindBytesMax: 5_000 } });
    const put = (at: number): Promise<void> =>
      store.payments.put("m", samplePayment(`pay-${at}`, { keepUntilMs }));
    let taken = 0;
    const fill = async (): Promise<void> => {
      for (;;) await put(taken).then(() => taken++);
    };
    await expect(fill()).rejects.toThrow(/does not keep up/);
    expect(taken).toBeGreaterThan(3);
    expect(store.payments.get("m", `pay-${taken}`, nowMs)).toBeUndefined();
    expect(store.stats().behindBytes).toBeLessThan(7_000);
    await store.checkpoint();
    await put(taken);
    await store.close();
  });

  it("refuses rows while LMDB is too far behind with rows, and takes payments all the same", async () => {
    const store = await open({ limits: { rowsBehindBytesMax: 2_000 } });
    const p: Subject = { kind: "player", id: "p" };
    const place = (id: number): Promise<void> =>
      store.histories.place("m", p, sampleRow(id + 1, startMs + id), { isPaymentFact: false }).durable;
    let taken = 0;
    const fill = async (): Promise<void> => {
      for (;;) await place(taken).then(() => taken++);
    };
    await expect(fill()).rejects.toThrow(/does not keep up/);
    expect(taken).toBeGreaterThan(3);
    await store.payments.put("m", samplePayment("pay-1", { keepUntilMs }));
    expect(spellHistory(store.histories.get("m", p))).toHaveLength(taken);
    await store.checkpoint();
    await place(taken);
    await store.close();
  });

  it("loses nothing when checkpoints are asked for while one runs", async () => {
    const store = await open({ limits: { hotPaymentsMax: 2, segmentBytesMax: 2_000 } });
    const runs: Promise<void>[] = [];
    for (let at = 0; at < 200; at++) {
      await store.payments.put("m", samplePayment(`pay-${at}`, { keepUntilMs, revision: at }));
      runs.push(store.checkpoint(), store.checkpoint());
      for (const before of [at - 3, at - 2, at - 1].filter((each) => each >= 0)) {
        expect(store.payments.get("m", `pay-${before}`, nowMs)).toMatchObject({
          record: { revision: before },
        });
      }
    }
    await Promise.all(runs);
    expect(store.stats()).toMatchObject({
      stateVersion: 200,
      checkpointVersion: 200,
      behindRecords: 0,
      behindBytes: 0,
      journalSegments: 1,
    });
    for (let at = 0; at < 200; at++) {
      expect(store.payments.get("m", `pay-${at}`, nowMs)).toMatchObject({ record: { revision: at } });
    }
    await store.close();
  });

  it("moves nothing to LMDB that it may yet have to take back", async () => {
    let isFull = false;
    const files = {
      ...nodeFiles,
      write: (...args: Parameters<typeof nodeFiles.write>) => {
        if (isFull) throw new Error("ENOSPC");
        return nodeFiles.write(...args);
      },
    };
    const store = await open({ files });
    isFull = true;
    const lost = store.payments.put("m", samplePayment("pay", { keepUntilMs }));
    await Promise.all([expect(lost).rejects.toThrow(/ENOSPC/), store.checkpoint()]);
    expect(store.payments.get("m", "pay", nowMs)).toBeUndefined();
    await store.close();
  });

  it("keeps one row of a payment, however often it is put", async () => {
    const store = await open();
    const put = async (revision: number): Promise<void> => {
      await store.payments.put("m", samplePayment("pay", { keepUntilMs, revision }));
      await store.checkpoint();
    };
    await put(0);
    await put(1);
    nowMs = keepUntilMs + 8 * dayMs;
    await store.checkpoint();
    await put(2);
    await store.close();
    const tables = openTables(join(directory, "store.mdb"));
    expect([tables.answers.getKeysCount(), tables.tombstones.getKeysCount()]).toEqual([1, 0]);
    await tables.root.close();
  });

  it("keeps its caches within their bounds", async () => {
    const store = await open({ limits: { hotPaymentsMax: 10, hotPlayersMax: 10 } });
    for (let at = 0; at < 50; at++) {
      await store.payments.put("m", samplePayment(`pay-${at}`, { keepUntilMs }));
      await store.players.put("m", samplePlayer(`player-${at}`));
      store.players.get("m", `nobody-${at}`);
      expect(store.stats().hotPayments).toBeLessThanOrEqual(10);
      expect(store.stats().hotPlayers).toBeLessThanOrEqual(10);
    }
    await store.close();
  });

  it("leaves nothing on disk of payments whose time is over", async () => {
    const store = await open();
    // More than one slice of the sweep; every second one is put twice.
    for (let at = 0; at < 200; at++) {
      await store.payments.put("m", samplePayment(`pay-${at}`, { keepUntilMs }));
    }
    await store.checkpoint();
    for (let at = 0; at < 200; at += 2) {
      await store.payments.put("m", samplePayment(`pay-${at}`, { keepUntilMs, revision: 1 }));
    }
    await store.checkpoint();
    nowMs = keepUntilMs;
    await store.checkpoint();
    await store.payments.put("m", samplePayment("pay-7", { keepUntilMs, revision: 9 }));
    await store.checkpoint();
    nowMs = keepUntilMs + 35 * dayMs + 7 * dayMs;
    await store.checkpoint();
    nowMs += 42 * dayMs;
    await store.checkpoint();
    await store.close();
    const tables = openTables(join(directory, "store.mdb"));
    const count = (name: "payments" | "answers" | "tombstones"): number => tables[name].getKeysCount();
    expect([count("payments"), count("answers"), count("tombstones")]).toEqual([0, 0, 0]);
    await tables.root.close();
  });

  it("is closed once, and takes nothing afterwards", async () => {
    const store = await open();
    await Promise.all([store.close(), store.close()]);
    await expect(store.players.put("m", samplePlayer("p"))).rejects.toThrow(/it is closed/);
    expect(store.healthy().ok).toBe(false);
  });
});

type Table = "meta" | "payments" | "answers" | "players";

/** What LMDB does on a full disk: it rejects a commit, or acknowledges it all the same. */
const refuse = (): Promise<boolean> => Promise.reject(new Error("MDB_MAP_FULL"));
const drop = (): Promise<boolean> => Promise.resolve(true);
const failures: readonly (readonly [name: string, table: Table, put: () => Promise<boolean>, why: RegExp])[] =
  [
    ["refused the mark of how far it came", "meta", refuse, /MDB_MAP_FULL/],
    [
      "dropped that mark, and acknowledged it",
      "meta",
      drop,
      /could not write \(it dropped what it acknowledged/,
    ],
    ["refused answers", "answers", refuse, /MDB_MAP_FULL/],
    ["dropped payments, and acknowledged them", "payments", drop, /dropped 9 records/],
    ["dropped a player, and acknowledged it", "players", drop, /dropped 1 records/],
  ];

it.each(failures)(
  "keeps in journal and memory what LMDB did not take, and moves it again: it %s",
  async (_, table, put, why) => {
    const real = openTables(join(directory, "store.mdb"));
    let isBroken = true;
    const broken = Object.create(real[table], {
      put: {
        value: (key: Buffer, value: Buffer) => (isBroken ? put() : real[table].put(key, value)),
      },
    }) as LmdbTables[Table];
    const tables: LmdbTables = { ...real, [table]: broken };
    const journal = new Journal({
      directory,
      files: nodeFiles,
      segmentBytesMax: 100,
      sequenceMin: 0,
      replay: () => {},
      onError: () => {},
    });
    const intake = {
      append: (...[, key, value, apply]: Parameters<Intake["append"]>): Promise<void> =>
        journal.append(1, key, value, apply),
      written: () => journal.written(),
      flush: () => journal.flush(),
      sequence: () => journal.sequence(),
    };
    const payments = new EmbeddedPayments(tables, intake, 2);
    const players = new EmbeddedPlayers(tables, intake, clock, 2);
    const lazy = { ...createMover(players), isDue: () => true };
    const checkpoint = new Checkpoint({
      tables,
      journal,
      movers: [createMover(payments)],
      lazy,
      sweep: async () => {},
      clock,
      onError: () => {},
    });
    for (let at = 0; at < 9; at++) await payments.put("m", samplePayment(`pay-${at}`, { keepUntilMs }));
    await players.put("m", samplePlayer("p"));
    const segments = journal.stats().segments;
    await expect(checkpoint.run()).rejects.toThrow(why);
    expect(checkpoint.failure()).toMatch(why);
    expect(checkpoint.reached()).toBe(0);
    expect([payments.behind.count(), journal.stats().segments]).toEqual([9, segments]);
    await payments.put("m", samplePayment("pay-3", { keepUntilMs, revision: 1 }));
    isBroken = false;
    await checkpoint.run();
    expect(checkpoint.failure()).toBeUndefined();
    expect([checkpoint.reached(), payments.behind.count(), payments.behind.bytes()]).toEqual([11, 0, 0]);
    expect(journal.stats().segments).toBe(1);
    for (let at = 0; at < 9; at++) {
      expect(payments.get("m", `pay-${at}`, nowMs)).toMatchObject({ record: { revision: at === 3 ? 1 : 0 } });
    }
    await checkpoint.stop();
    await journal.close();
    await real.root.close();
  },
);

it.each([
  ["refused them", refuse, /MDB_MAP_FULL/, 0],
  ["dropped them, and acknowledged them", drop, /dropped histories/, 0],
  ["refused some of thousands, which it gets in the order of their keys", refuse, /MDB_MAP_FULL/, 5_000],
  ["dropped some of thousands", drop, /dropped histories/, 5_000],
] as const)(
  "keeps in journal and memory the histories that LMDB did not take: it %s",
  async (_, put, why, cards) => {
    const real = openTables(join(directory, "store.mdb"));
    let isBroken = true;
    /** As the tables of LMDB do it, a write that nobody waits for rejects unheard. */
    const fail = (): Promise<boolean> => {
      const failed = put();
      failed.catch(() => {});
      return failed;
    };
    const breakable = (table: Bytes): Bytes =>
      Object.create(table, {
        put: { value: (key: Buffer, value: Buffer) => (isBroken ? fail() : table.put(key, value)) },
        remove: { value: (key: Buffer) => (isBroken ? fail() : table.remove(key)) },
      }) as Bytes;
    const tables = { ...real };
    for (const name of ["meta", "labels", "historyHeads", "historyRows", "historyCounts"] as const) {
      tables[name] = breakable(real[name]);
    }
    const journal = new Journal({
      ...{ directory, files: nodeFiles, segmentBytesMax: 10_000, sequenceMin: 0 },
      ...{ replay: () => {}, onError: () => {} },
    });
    const intake: Intake = {
      append: (kind, key, value, apply) => journal.append(recordKinds[kind], key, value, apply),
      written: () => journal.written(),
      flush: () => journal.flush(),
      sequence: () => journal.sequence(),
    };
    const openHistories = (): EmbeddedHistories => {
      const opened = new EmbeddedHistories(new HistoryDisk(tables), intake, () => {});
      opened.endReplay();
      return opened;
    };
    const histories = openHistories();
    const subject = (player: number): Subject => ({ kind: "player", id: `p${player}` });
    const place = (player: number, id: number): void => {
      histories.place("m", subject(player), sampleRow(id, startMs + id), { isPaymentFact: false });
    };
    const rows = (from: number, to: number): ReturnType<typeof spellRow>[] =>
      Array.from({ length: to - from + 1 }, (_, at) => spellRow(sampleRow(from + at, startMs + from + at)));
    const lazy = new HistoryMover({ histories, tables, intake, behindBytesWanted: 0, onMoved: () => {} });
    const checkpoint = new Checkpoint({
      ...{ tables, journal, movers: [], clock, onError: () => {} },
      ...{ lazy, sweep: async () => {} },
    });
    const card = (at: number): Subject => ({ kind: "card", id: `c${(at * 7_919) % 5_003}` });
    const placeCards = (id: number): void => {
      for (let at = 0; at < cards; at++) {
        histories.place("m", card(at), sampleRow(id, startMs + id), { isPaymentFact: false });
      }
    };
    for (let id = 1; id <= 1_100; id++) place(0, id);
    placeCards(1);
    for (let player = 1; player < 9; player++) place(player, player);
    isBroken = false;
    await checkpoint.run();
    isBroken = true;
    // A long one shrinks by its removal and comes again; others go, change, and come.
    await histories.remove("m", subject(0));
    place(0, 7);
    await histories.remove("m", subject(1));
    place(2, 99);
    place(9, 9);
    placeCards(2);
    const reached = checkpoint.reached();
    await expect(checkpoint.run()).rejects.toThrow(why);
    expect(checkpoint.reached()).toBe(reached);
    place(3, 98);
    if (cards > 0) histories.place("m", card(0), sampleRow(3, startMs + 3), { isPaymentFact: false });
    await expect(checkpoint.run()).rejects.toThrow(why);
    isBroken = false;
    const players = ["p0", "p2", "p3", "p4", "p5", "p6", "p7", "p8", "p9"];
    const check = async (at: EmbeddedHistories): Promise<void> => {
      expect(await listPlayers(at, "m")).toEqual(players);
      expect(at.countPlayers("m")).toBe(9);
      expect(spellHistory(at.get("m", subject(0)))).toEqual(rows(7, 7));
      expect(at.get("m", subject(1))).toBeUndefined();
      expect(spellHistory(at.get("m", subject(2)))).toEqual([...rows(2, 2), ...rows(99, 99)]);
      expect(spellHistory(at.get("m", subject(3)))).toEqual([...rows(3, 3), ...rows(98, 98)]);
      expect(spellHistory(at.get("m", subject(9)))).toEqual(rows(9, 9));
      for (let each = 0; each < cards; each++) {
        expect(spellHistory(at.get("m", card(each)))).toEqual(rows(1, each === 0 ? 3 : 2));
      }
    };
    await check(histories);
    await checkpoint.run();
    await check(histories);
    expect([lazy.behindBytes(), lazy.behindRecords(), journal.stats().segments]).toEqual([0, 0, 1]);
    await check(openHistories());
    expect([real.historyHeads.getKeysCount(), real.historyRows.getKeysCount()]).toEqual([9 + cards, 0]);
    await checkpoint.stop();
    await journal.close();
    await real.root.close();
  },
);
