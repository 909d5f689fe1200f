/**
 * A process that writes to the embedded store until it is killed, for tests of what survives.
 *
 * Arguments: the directory, and the first number to write. Each acknowledged write is a line on standard output: `player <n>`, `payment <n>`,
 * `row <n>`, `hold <n>`, `release <n>`, `membership <n> <sequence>`, `rules <n>`, `override <n>`, `audit <n>`, written only after its promise resolved.
 */
import { writeSync } from "node:fs";
import { openEmbeddedStore } from "../../src/adapters/embedded/embedded-store.ts";
import { systemClock } from "../../src/adapters/system-clock.ts";
import {
  sampleChange,
  sampleHold,
  samplePayment,
  samplePlayer,
  sampleState,
  writtenRow,
  writtenSubject,
} from "./stored-samples.ts";

const [directory, first] = process.argv.slice(2);
const store = await openEmbeddedStore({
  directory: directory!,
  clock: systemClock,
  // Small segments and few rows, so that checkpoints, rotations, deletions and evictions happen between the kills.
  limits: { segmentBytesMax: 64 * 1024, hotRowsMax: 500 },
  onError: (error) => {
    throw error;
  },
});

/** Straight to the descriptor: a line that this process counts as written must be in the pipe. */
const say = (line: string): void => {
  writeSync(1, `${line}\n`);
};
const writesPerTurn = 8;

async function writeHot(): Promise<never> {
  for (let number = Number(first); ; number += writesPerTurn) {
    const numbers = Array.from({ length: writesPerTurn }, (_, at) => number + at);
    await Promise.all(
      numbers.flatMap((each) => [
        // Players repeat, so that the newest of several writes is what must survive.
        store.players
          .put("m", samplePlayer(`player-${each % 50}`, String(each)))
          .then(() => say(`player ${each}`)),
        store.payments
          .put("m", samplePayment(`pay-${each}`, { revision: each, keepUntilMs: Date.now() + 1e9 }))
          .then(() => say(`payment ${each}`)),
        ...writeLive(each),
      ]),
    );
  }
}

/** What a running player leaves behind. Every third hold is let go again. */
function writeLive(number: number): Promise<void>[] {
  const row = store.histories.place("m", writtenSubject(number), writtenRow(number), {
    isPaymentFact: false,
  });
  const player = `player-${number % 50}`;
  const change = { ...sampleChange(player), segment: String(number) };
  const { sequences, durable } = store.memberships.append("m", player, [change], sampleState(String(number)));
  const held = store.limits.hold("m", sampleHold(`pay-${number}`, { revision: number }));
  return [
    row.durable.then(() => say(`row ${number}`)),
    durable.then(() => say(`membership ${number} ${sequences[0]}`)),
    held.then(async () => {
      say(`hold ${number}`);
      if (number % 3 !== 0) return;
      await store.limits.release("m", `pay-${number}`);
      say(`release ${number}`);
    }),
  ];
}

async function writeCold(): Promise<never> {
  const stored = {
    hash: "h",
    name: "n",
    author: "a",
    comment: "",
    pushedAtMs: 1,
    ruleCount: 1,
    sizeBytes: 6,
  };
  for (let number = store.ruleSets.newestVersion("m") + 1; ; number++) {
    await store.ruleSets.put(
      "m",
      { ...stored, version: number, format: "YAML" },
      Buffer.from(String(number)),
    );
    say(`rules ${number}`);
    await store.ruleSets.activate("m", { version: number, author: "a", atMs: number });
    say(`activation ${number}`);
    await store.audit.append({
      atMs: number,
      merchantId: "m",
      actor: "a",
      action: "push",
      subject: String(number),
      detail: {},
    });
    say(`audit ${number}`);
  }
}

say("open");
setInterval(() => void store.checkpoint(), 5);
await Promise.all([writeHot(), writeCold()]);
