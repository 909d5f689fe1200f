import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { isDeepStrictEqual } from "node:util";
import fc from "fast-check";
import { expect, it } from "vitest";
import { type PlainRow, spellHistory, spellRow } from "../../../test/contract/history-store.ts";
import { listPlayers } from "../../../test/helpers/list-players.ts";
import { countRuns } from "../../../test/helpers/property-runs.ts";
import { sampleHold, samplePayment, samplePlayer, writtenRow } from "../../../test/helpers/stored-samples.ts";
import { systemClock } from "../system-clock.ts";
import { type EmbeddedStore, openEmbeddedStore } from "./embedded-store.ts";

const writer = fileURLToPath(new URL("../../../test/helpers/store-writer.ts", import.meta.url));

/** Runs the writer, kills it (SIGKILL) once it has acknowledged `lines` writes, and returns all that it acknowledged. */
async function writeUntilKilled(directory: string, first: number, lines: number): Promise<string[]> {
  const child = spawn(process.execPath, [writer, directory, String(first)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const closed = once(child, "close");
  let text = "";
  let seen = 0;
  child.stdout.setEncoding("utf8");
  for await (const chunk of child.stdout as AsyncIterable<string>) {
    text += chunk;
    seen += chunk.split("\n").length - 1;
    if (seen > lines) child.kill("SIGKILL");
  }
  const [, signal] = (await closed) as [number | null, string | null];
  expect(signal).toBe("SIGKILL");
  // The last line may be half written.
  return text.split("\n").slice(1, -1);
}

it("keeps everything that was acknowledged when the process is killed, over many lives", async () => {
  const directory = mkdtempSync(join(tmpdir(), "switchyard-crash-"));
  const acknowledged = new Map<string, Set<number>>();
  const newestOfPlayer = new Map<number, number>();
  let first = 0;
  const kinds = ["player", "payment", "row", "hold", "release", "membership", "rules", "activation", "audit"];
  const numberOfSequence = new Map<number, number>();
  for (const kind of kinds) acknowledged.set(kind, new Set());

  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 4_000 }), async (lines) => {
      for (const line of await writeUntilKilled(directory, first, lines)) {
        const [kind, number, sequence] = line.split(" ");
        if (kind === "membership") numberOfSequence.set(Number(sequence), Number(number));
        acknowledged.get(kind!)!.add(Number(number));
        if (kind === "player") newestOfPlayer.set(Number(number) % 50, Number(number));
        if (kind === "payment") first = Math.max(first, Number(number) + 1);
      }
      const store = await openEmbeddedStore({
        directory,
        clock: systemClock,
        onError: (error) => {
          throw error;
        },
      });
      const lost = [...acknowledged.get("payment")!].filter((number) => {
        const found = store.payments.get("m", `pay-${number}`, Date.now());
        if (found?.state !== "answered") return true;
        const { keepUntilMs } = found.record;
        const want = samplePayment(`pay-${number}`, { revision: number, keepUntilMs });
        return !isDeepStrictEqual(found.record, want);
      });
      expect(lost).toEqual([]);
      for (const [player, newest] of newestOfPlayer) {
        const found = store.players.get("m", `player-${player}`)!;
        const source = found.attributes.get("vip_level")!.source;
        // A later write may have been made and not acknowledged; an earlier one may not come back.
        expect(Number(source)).toBeGreaterThanOrEqual(newest);
        expect(found).toStrictEqual(samplePlayer(`player-${player}`, source));
      }
      await checkRows(store, acknowledged.get("row")!);
      checkHolds(store, acknowledged.get("hold")!, acknowledged.get("release")!);
      checkMemberships(store, numberOfSequence);
      const activated = new Set(store.ruleSets.activations("m").map(({ version }) => version));
      const audited = new Set(store.audit.list("m", 1e9).map(({ subject }) => Number(subject)));
      for (const number of acknowledged.get("rules")!) {
        expect(Buffer.from(store.ruleSets.document("m", number)!).toString()).toBe(String(number));
      }
      for (const number of acknowledged.get("activation")!) expect(activated).toContain(number);
      for (const number of acknowledged.get("audit")!) expect(audited).toContain(number);
      await store.close();
    }),
    { numRuns: countRuns(5), endOnFailure: true },
  );
  for (const kind of ["payment", "row", "hold", "release", "membership"]) {
    expect(acknowledged.get(kind)!.size, kind).toBeGreaterThan(0);
  }
  rmSync(directory, { recursive: true });
});

/** Every row that was acknowledged is there as it was written, and no row is there twice. */
async function checkRows(store: EmbeddedStore, acknowledged: ReadonlySet<number>): Promise<void> {
  const found = new Map<number, PlainRow>();
  const playerIds = await listPlayers(store.histories, "m");
  for (const playerId of playerIds) {
    const rows = spellHistory(store.histories.get("m", { kind: "player", id: playerId }));
    for (const row of rows) {
      expect(found.has(row.amountMinor), `row ${row.amountMinor} is there twice`).toBe(false);
      found.set(row.amountMinor, row);
    }
    const instants = rows.map(({ atMs }) => atMs);
    expect(instants).toEqual(instants.toSorted((a, b) => a - b));
  }
  const lost = [...acknowledged].filter(
    (number) => !isDeepStrictEqual(found.get(number), spellRow(writtenRow(number))),
  );
  expect(lost).toEqual([]);
  expect(store.histories.countPlayers("m")).toBe(playerIds.length);
}

function checkHolds(store: EmbeddedStore, held: ReadonlySet<number>, released: ReadonlySet<number>): void {
  const wrong = [...held].filter((number) => {
    const hold = store.limits.get("m", `pay-${number}`);
    if (released.has(number)) return hold !== undefined;
    // Its release may have been kept without a word.
    if (number % 3 === 0 && hold === undefined) return false;
    return !isDeepStrictEqual(hold, sampleHold(`pay-${number}`, { revision: number }));
  });
  expect(wrong).toEqual([]);
}

/** Every number given out stands for the change that it was given for, and there is no gap. */
function checkMemberships(store: EmbeddedStore, numberOfSequence: ReadonlyMap<number, number>): void {
  const changes = store.memberships.read("m", 0, 1e9)!;
  expect(changes.map(({ sequence }) => sequence)).toEqual(changes.map((_, at) => at + 1));
  const newestOfPlayer = new Map<string, number>();
  for (const [sequence, number] of numberOfSequence) {
    const playerId = `player-${number % 50}`;
    expect(changes[sequence - 1]).toMatchObject({ playerId, segment: String(number) });
    newestOfPlayer.set(playerId, Math.max(number, newestOfPlayer.get(playerId) ?? 0));
  }
  for (const [playerId, newest] of newestOfPlayer) {
    expect(Number(store.memberships.state("m", playerId)!.ruleSetHash)).toBeGreaterThanOrEqual(newest);
  }
}
