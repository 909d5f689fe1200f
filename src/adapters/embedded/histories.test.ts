import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { expect, it } from "vitest";
import { type PlainRow, spellHistory } from "../../../test/contract/history-store.ts";
import { startMs } from "../../../test/contract/opened-port.ts";
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
  | { readonly kind: "move" | "moveAndDie" | "dieAndMove" };

const player = fc.constantFrom(...names);
const arbitraryStep: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 10,
    arbitrary: fc.record({ kind: fc.constantFrom("place", "reverse"), player, row: fc.nat(9) }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("merge" as const), player, into: player }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("remove" as const), player }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constantFrom("move", "moveAndDie", "dieAndMove") }) },
);

/** Histories with a journal that forgets nothing, as if every process died before it could say how far LMDB has come. */
async function runLives(directory: string, steps: readonly Step[]): Promise<void> {
  const tables = openTables(join(directory, "store.mdb"));
  let life = startLife(directory, tables);
  for (const step of steps) {
    const { histories, mover } = life;
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
        await moveAll(mover);
        break;
      case "dieAndMove": {
        const before = spellAll(histories);
        await life.journal.close();
        life = startLife(directory, tables);
        await moveAll(life.mover);
        expect(spellAll(life.histories)).toEqual(before);
        break;
      }
      case "moveAndDie": {
        mover.start();
        await mover.write();
        const before = spellAll(histories);
        await life.journal.close();
        life = startLife(directory, tables);
        expect(spellAll(life.histories)).toEqual(before);
        break;
      }
    }
  }
  const before = spellAll(life.histories);
  await life.journal.close();
  life = startLife(directory, tables);
  expect(spellAll(life.histories)).toEqual(before);
  await life.journal.close();
  await tables.root.close();
}

async function moveAll(mover: HistoryMover): Promise<void> {
  mover.start();
  await mover.write();
  mover.finish();
}

type Life = {
  readonly journal: Journal;
  readonly histories: EmbeddedHistories;
  readonly mover: HistoryMover;
};

function startLife(directory: string, tables: ReturnType<typeof openTables>): Life {
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
  for (const record of records) histories.replay(record);
  histories.endReplay();
  const mover = new HistoryMover({ histories, tables, intake, behindBytesWanted: 0, onMoved: () => {} });
  return { journal, histories, mover };
}

function spellAll(histories: EmbeddedHistories): Record<string, unknown> {
  const rows = names.map((name): [string, PlainRow[]] => [
    name,
    spellHistory(histories.get("m", subject(name))),
  ]);
  return {
    ...Object.fromEntries(rows),
    players: histories.listPlayers("m", "", 9),
    count: histories.countPlayers("m"),
  };
}

it("come back as they were, however much of the journal LMDB has already", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(arbitraryStep, { minLength: 1, maxLength: 40 }), async (steps) => {
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
