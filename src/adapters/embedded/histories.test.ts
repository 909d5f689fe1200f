import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { expect, it } from "vitest";
import { type PlainRow, spellHistory } from "../../../test/contract/history-store.ts";
import { startMs } from "../../../test/contract/opened-port.ts";
import { listPlayers } from "../../../test/helpers/list-players.ts";
import { countRuns } from "../../../test/helpers/property-runs.ts";
import { sampleRow } from "../../../test/helpers/stored-samples.ts";
import type { Subject } from "../../core/history/history.ts";
import { EmbeddedHistories } from "./histories.ts";
import { HistoryDisk } from "./history-disk.ts";
import { HistoryMover } from "./history-mover.ts";
import type { Intake } from "./intake.ts";
import { nodeFiles } from "./journal/files.ts";
import { type JournalRecord, recordKinds } from "./journal/format.ts";
import { Journal } from "./journal/journal.ts";
import { openTables } from "./lmdb.ts";

const names = ["a", "b", "c"];
const subject = (id: string): Subject => ({ kind: "player", id });

type Step =
  | { readonly kind: "place" | "reverse"; readonly player: string; readonly row: number }
  | { readonly kind: "merge"; readonly player: string; readonly into: string }
  | { readonly kind: "remove"; readonly player: string }
  /** `isRead`: everything is asked for while the move is on. `isTold`: it came to say how far LMDB has come. */
  | { readonly kind: "move" | "die" | "dieAndMove"; readonly isRead: boolean; readonly isTold: boolean };

const player = fc.constantFrom(...names);
const arbitraryStep: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 10,
    arbitrary: fc.record({ kind: fc.constantFrom("place", "reverse"), player, row: fc.nat(9) }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("merge" as const), player, into: player }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("remove" as const), player }) },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constantFrom("move", "die", "dieAndMove"),
      ...{ isRead: fc.boolean(), isTold: fc.boolean() },
    }),
  },
);

/** Histories through several lives of a process, which end at any point of a move. */
async function runLives(directory: string, steps: readonly Step[]): Promise<void> {
  const tables = openTables(join(directory, "store.mdb"));
  let life = startLife(directory, tables, 0);
  const die = async (): Promise<void> => {
    await life.journal.close();
    life = startLife(directory, tables, life.reached);
  };
  for (const step of steps) {
    const { histories } = life;
    switch (step.kind) {
      case "place": {
        const row = sampleRow(step.row, startMs + (step.row % 3), { amountMinor: step.row });
        await histories.place("m", subject(step.player), row, { isPaymentFact: false }).durable;
        break;
      }
      case "reverse": {
        const atMs = startMs + (step.row % 3);
        await histories.reverse("m", subject(step.player), { id: step.row, atMs }).durable;
        break;
      }
      case "merge":
        await histories.merge("m", subject(step.player), subject(step.into));
        break;
      case "remove":
        await histories.remove("m", subject(step.player));
        break;
      case "move":
        await moveAll(life, step);
        break;
      case "die":
      case "dieAndMove": {
        const before = await spellAll(histories);
        await die();
        if (step.kind === "dieAndMove") {
          await moveAll(life, step);
          await die();
        }
        expect(await spellAll(life.histories)).toEqual(before);
        break;
      }
    }
  }
  const before = await spellAll(life.histories);
  await die();
  expect(await spellAll(life.histories)).toEqual(before);
  await life.journal.close();
  await tables.root.close();
}

async function moveAll(life: Life, { isRead, isTold }: MoveStep): Promise<void> {
  const { histories, mover, journal } = life;
  const sequence = journal.sequence();
  mover.start();
  if (isRead) await spellAll(histories);
  await mover.write();
  if (isTold) life.reached = sequence;
  mover.finish();
}

type MoveStep = Extract<Step, { readonly isTold: boolean }>;

type Life = {
  /** What LMDB has for good: nothing before it is replayed. */
  reached: number;
  readonly journal: Journal;
  readonly histories: EmbeddedHistories;
  readonly mover: HistoryMover;
};

function startLife(directory: string, tables: ReturnType<typeof openTables>, reached: number): Life {
  const records: JournalRecord[] = [];
  const journal = new Journal({
    ...{ directory, files: nodeFiles, segmentBytesMax: 1_000, sequenceMin: 0 },
    replay: (record) => records.push(record),
    onError: (error) => {
      throw error;
    },
  });
  const intake: Intake = {
    append: (kind, key, value, apply) => journal.append(recordKinds[kind], key, value, apply),
    written: () => journal.written(),
    flush: () => journal.flush(),
    sequence: () => journal.sequence(),
  };
  const histories = new EmbeddedHistories(new HistoryDisk(tables), intake, () => {});
  for (const record of records) if (record.sequence > reached) histories.replay(record);
  histories.endReplay();
  const mover = new HistoryMover({ histories, tables, intake, behindBytesWanted: 0, onMoved: () => {} });
  return { reached, journal, histories, mover };
}

async function spellAll(histories: EmbeddedHistories): Promise<Record<string, unknown>> {
  const rows = names.map((name): [string, PlainRow[]] => [
    name,
    spellHistory(histories.get("m", subject(name))),
  ]);
  return {
    ...Object.fromEntries(rows),
    players: await listPlayers(histories, "m"),
    count: histories.countPlayers("m"),
  };
}

it("come back as they were, however much of the journal LMDB has already", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(arbitraryStep, { minLength: 1, maxLength: 40, size: "max" }), async (steps) => {
      const directory = mkdtempSync(join(tmpdir(), "switchyard-histories-"));
      try {
        await runLives(directory, steps);
      } finally {
        rmSync(directory, { recursive: true });
      }
    }),
    { numRuns: countRuns(40) },
  );
});
