/** A run of many payments: so many at once, so many a second, and of a player only so many at a time. */
import { setTimeout as sleep } from "node:timers/promises";
import { type Books, openBooks } from "./books.ts";
import { executeDeposit, type GatewayDeps, type GatewaySettings } from "./gateway.ts";
import { type Crowd, makeDeposit } from "./players.ts";
import { openPspClient } from "./psp-client.ts";
import { reconcile } from "./reconcile.ts";
import { openSwitchyard } from "./switchyard.ts";
import { openTally, type Tally } from "./tally.ts";

export type RunOptions = {
  /** Gateway listener of Switchyard. */
  readonly switchyardUrl: string;
  /** Control port of the simulator, which knows where the PSPs are. */
  readonly simulatorUrl: string;
  readonly crowd: Crowd;
  readonly concurrency: number;
  /** Payments of one player at once. */
  readonly perPlayer: number;
  /** Payments a second; 0 means as many as go. */
  readonly rate: number;
  readonly pspTimeoutMs: number;
  readonly settings: GatewaySettings;
  readonly sliceMs: number;
  /** How long after the last payment settlement files are read: late charges are in by then. */
  readonly settleAfterMs: number;
  readonly onProgress: (done: number) => void;
};

export type RunResult = {
  readonly tally: Tally;
  readonly books: Books;
  /** Charges that only settlement files told of. */
  readonly lateCharges: number;
};

export async function runGateway(options: RunOptions): Promise<RunResult> {
  const { crowd, concurrency, perPlayer, rate, settings } = options;
  const tally = openTally(() => performance.now(), options.sliceMs);
  const books = openBooks();
  const switchyard = openSwitchyard(options.switchyardUrl);
  const psps = await openPsps(options.simulatorUrl, options.pspTimeoutMs);
  const deps: GatewayDeps = { switchyard, psps, books, witness: tally, settings };
  const startMs = performance.now();
  const playing = new Map<string, Promise<unknown>>();
  let next = 0;
  let done = 0;

  const work = async (): Promise<void> => {
    while (next < crowd.payments) {
      const at = next++;
      const dueMs = rate > 0 ? startMs + (at * 1000) / rate - performance.now() : 0;
      if (dueMs > 0) await sleep(dueMs);
      const deposit = makeDeposit(crowd, at);
      const lane = `${deposit.playerId} ${at % perPlayer}`;
      const before = playing.get(lane) ?? Promise.resolve();
      const ended = before.then(() => executeDeposit(deposit, deps));
      playing.set(lane, ended);
      tally.ended(deposit.request.paymentId, await ended);
      options.onProgress(++done);
    }
  };
  try {
    await Promise.all(Array.from({ length: concurrency }, work));
    await sleep(options.settleAfterMs);
    const lateCharges = await reconcile(deps);
    return { tally, books, lateCharges };
  } finally {
    for (const psp of psps.values()) psp.close();
    switchyard.close();
  }
}

async function openPsps(simulatorUrl: string, timeoutMs: number): Promise<GatewayDeps["psps"]> {
  const listed = await askSimulator(simulatorUrl);
  return new Map(listed.map(({ id, url }) => [id, openPspClient(url, timeoutMs)]));
}

type ListedPsp = { readonly id: string; readonly url: string };

const startTriesMax = 150;
const startGapMs = 200;

/** Whoever was started together with the simulator may be faster. */
async function askSimulator(url: string): Promise<readonly ListedPsp[]> {
  for (let tried = 1; ; tried++) {
    try {
      return (await (await fetch(`${url}/psps`)).json()) as readonly ListedPsp[];
    } catch (error) {
      if (tried === startTriesMax)
        throw new Error(`no simulator at ${url}: start it first`, { cause: error });
      await sleep(startGapMs);
    }
  }
}
