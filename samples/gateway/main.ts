/** `node samples/gateway/main.ts --help`: many payments through Switchyard to the PSPs of samples/psp-simulator. */
import { Command, InvalidArgumentError } from "commander";
import { openProgress } from "../../src/cli/progress.ts";
import { places } from "./players.ts";
import { runGateway } from "./run.ts";

const program = new Command("gateway")
  .description(
    "A gateway that executes plans: it decides, sends, tells outcomes and resolves what nobody knows.",
  )
  .option("--payments <count>", "how many payments", readCount, 1_000)
  .option("--players <count>", "how many players make them; as many as payments by default", readCount)
  .option("--concurrency <count>", "payments under way at once", readCount, 64)
  .option("--per-player <count>", "payments of one player at once", readCount, 1)
  .option("--rate <per second>", "payments that begin a second; 0 means as many as go", readNumber, 0)
  .option("--countries <codes>", `of ${Object.keys(places).join(", ")}`, readCountries, ["DK", "FI"])
  .option(
    "--seed <text>",
    "the same seed makes the same payments; payment ids begin with it",
    `g${Date.now()}`,
  )
  .option(
    "--other-method <method>",
    "what players choose instead of cards; empty for nothing",
    "open-banking",
  )
  .option("--psp-timeout <ms>", "how long a PSP may take", readCount, 2_000)
  .option("--patience <ms>", "how long a player waits for a payment to go on", readNumber, 5_000)
  .option("--slice <seconds>", "length of a row of the timeline", readCount, 5)
  .option("--switchyard <url>", "gateway listener of Switchyard", "http://127.0.0.1:50051")
  .option("--simulator <url>", "control port of the simulator", "http://127.0.0.1:9400");

type Options = {
  readonly payments: number;
  readonly players?: number;
  readonly concurrency: number;
  readonly perPlayer: number;
  readonly rate: number;
  readonly countries: readonly string[];
  readonly seed: string;
  readonly otherMethod: string;
  readonly pspTimeout: number;
  readonly patience: number;
  readonly slice: number;
  readonly switchyard: string;
  readonly simulator: string;
};

/** Brands of samples/igaming.yaml: each has the licence of its place. */
const brands = { DK: "aurora", FI: "aurora", GB: "crown", SE: "polar" };

const options = program.parse().opts<Options>();
const { payments } = options;
const terminal = {
  write: (text: string) => void process.stderr.write(text),
  isTty: process.stderr.isTTY === true,
  columns: process.stderr.columns ?? 80,
};
const progress = openProgress(terminal, {
  total: payments,
  unit: "payments",
  nowMs: () => performance.now(),
});
const { tally, lateCharges } = await runGateway({
  switchyardUrl: options.switchyard,
  simulatorUrl: options.simulator,
  crowd: {
    payments,
    players: options.players ?? payments,
    countries: options.countries,
    seed: options.seed,
    brands,
    otherMethod: options.otherMethod,
  },
  concurrency: options.concurrency,
  perPlayer: options.perPlayer,
  rate: options.rate,
  pspTimeoutMs: options.pspTimeout,
  settings: {
    statusGapMs: 100,
    statusGapMaxMs: 5_000,
    statusTriesMax: 30,
    patienceMs: options.patience,
  },
  sliceMs: options.slice * 1_000,
  settleAfterMs: 3_000,
  onProgress: progress.show,
});
progress.clear();
process.stdout.write(tally.format(lateCharges));

function readNumber(text: string): number {
  const value = Number(text);
  if (text === "" || !Number.isFinite(value) || value < 0)
    throw new InvalidArgumentError("must be 0 or more.");
  return value;
}

function readCount(text: string): number {
  const value = readNumber(text);
  if (!Number.isInteger(value) || value === 0)
    throw new InvalidArgumentError("must be a whole number from 1 on.");
  return value;
}

function readCountries(text: string): readonly string[] {
  const codes = text.split(",");
  const unknown = codes.filter((code) => !Object.hasOwn(places, code));
  if (unknown.length > 0) throw new InvalidArgumentError(`there are no players in ${unknown.join(", ")}.`);
  return codes;
}
