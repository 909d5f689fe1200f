import { readFile } from "node:fs/promises";
import { connect } from "node:net";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { gunzip } from "node:zlib";
import type { JsonValue } from "@bufbuild/protobuf";
import type { Command } from "commander";
import { parseCount, parsePositive } from "../arguments.ts";
import { findGateway, formatGateway, type GatewayAddress } from "../client.ts";
import type { ExitName } from "../exit-codes.ts";
import { CliFailure, usageFailure } from "../failure.ts";
import { decodeText, readBytes } from "../files.ts";
import { openGateway } from "../gateway-client.ts";
import { openProgress } from "../progress.ts";
import { type ColumnMap, type Path, readColumnMap } from "../replay/column-map.ts";
import { generatedRowsDefault, generatedRowsMax, generateExport } from "../replay/corpus.ts";
import { type PaymentExport, readExport } from "../replay/read-export.ts";
import { formatReport, reportAsJson } from "../replay/report.ts";
import { type ReplayRun, replayPayments } from "../replay/run.ts";
import { startTemporaryService, type TemporaryService } from "../replay/temporary-service.ts";
import { type CommonOptions, type Context, printJson, type Runner, withJson } from "../session.ts";

const compressedBytesMax = 512 * 1024 * 1024;
/** A text of V8 holds at most about 512 million characters. */
const textBytesMax = 500_000_000;
const probeTimeoutMs = 2_000;
const inFlightDefault = 64;
const connectionsDefault = 4;

type ReplayOptions = CommonOptions & {
  readonly map?: string;
  readonly rate?: string;
  readonly inFlight: string;
  readonly connections: string;
  readonly limit?: string;
  readonly generate?: string;
  readonly seed: string;
  readonly serve?: boolean;
};

/** `switchyard replay`: a payment export as calls of Decide, through the gateway listener. */
export function addReplayCommand(program: Command, run: Runner): void {
  const command = program
    .command("replay")
    .description("decide the payments of an export (CSV) through the gateway listener, in order of time")
    .argument("[file]", "export in CSV, with titles in its first row; .gz too")
    .option("--map <file>", "column map in YAML (docs/replay.md)")
    .option("-m, --merchant <id>", "tenant, instead of the map's")
    .option("--gateway <address>", "gateway listener (SWITCHYARD_CLI_GATEWAY; 127.0.0.1:50051)")
    .option("--serve", "start a service of its own for the replay, on free ports and without data")
    .option("--rate <n>", "payments per second, open loop; full speed by default")
    .option(
      "--in-flight <n>",
      "calls in flight; a player's payments go one after the other",
      String(inFlightDefault),
    )
    .option("--connections <n>", "connections", String(connectionsDefault))
    .option("--limit <n>", "only the first so many payments, in order of time")
    .option("--generate <n>", "replay so many generated payments of the shape that the map names")
    .option("--seed <n>", "seed of generated payments", "1");
  withJson(command).action(run<[string | undefined], ReplayOptions>(replay));
}

async function replay(context: Context, options: ReplayOptions, path: string | undefined): Promise<ExitName> {
  const settings = readSettings(options);
  const { map, locate } = await loadMap(context, options);
  const source = await loadSource(context, options, path, map);
  const read = readExport({ ...source, map, locate });
  if (!read.ok) throw new CliFailure("usage", read.faults);
  const payments = read.export.payments.slice(0, settings.limit);
  if (payments.length === 0 && read.export.badRowCount === 0)
    throw usageFailure(`${source.file}: holds no rows`);
  const service = await findService(context, options);
  try {
    const run = await runReplay(context, service.gateway, payments, settings);
    const report = {
      source: source.name,
      gateway: service.gateway,
      merchant: map.merchant,
      export: read.export,
      run,
    };
    if (context.json) printJson(context, reportAsJson(report) as JsonValue);
    else context.print(formatReport(report, context.paint));
    return endOf(run, read.export);
  } finally {
    await service.stop();
  }
}

type Settings = {
  readonly perSecond: number | undefined;
  readonly inFlightMax: number;
  readonly connections: number;
  readonly limit: number | undefined;
};

function readSettings({ rate, inFlight, connections, limit }: ReplayOptions): Settings {
  return {
    perSecond: rate === undefined ? undefined : parsePositive("--rate", rate, 1_000_000),
    inFlightMax: parsePositive("--in-flight", inFlight, 100_000),
    connections: parsePositive("--connections", connections, 256),
    limit: limit === undefined ? undefined : parsePositive("--limit", limit),
  };
}

/** The sample map where payments are generated and nobody names another. */
const sampleMapFile = fileURLToPath(new URL("../../../samples/replay/sports-payments.yaml", import.meta.url));

async function loadMap(
  { io }: Context,
  options: ReplayOptions,
): Promise<{ readonly map: ColumnMap; readonly locate: (path: Path) => string }> {
  const file = options.map ?? (options.generate === undefined ? undefined : sampleMapFile);
  if (file === undefined)
    throw usageFailure("--map FILE is needed: it says which column is what (docs/replay.md)");
  const read = readColumnMap(decodeText(file, await readBytes(file, io, 1_000_000)), file);
  if (!read.ok) throw new CliFailure("usage", read.faults);
  const { map, locate } = read;
  return { map: options.merchant === undefined ? map : { ...map, merchant: options.merchant }, locate };
}

/** `name` for people, `file` for faults. */
type Source = { readonly name: string; readonly file: string; readonly text: string };

async function loadSource(
  context: Context,
  options: ReplayOptions,
  path: string | undefined,
  map: ColumnMap,
): Promise<Source> {
  if (options.generate !== undefined) {
    if (path !== undefined) throw usageFailure("say either a FILE or --generate N");
    return generate(map, parsePositive("--generate", options.generate, generatedRowsMax), options);
  }
  if (path === undefined) throw usageFailure("say which FILE to replay, or --generate N");
  const bytes = await readFile(path).catch((error: NodeJS.ErrnoException) => error);
  if (!(bytes instanceof Error)) return { name: path, file: path, text: await decodeExport(path, bytes) };
  if (bytes.code !== "ENOENT") throw usageFailure(`${path}: ${bytes.message}`);
  if (map.generated === undefined) throw usageFailure(`${path}: there is no such file`);
  context.note(
    `${path} is not on this machine: replaying ${generatedRowsDefault} generated payments of the same shape instead (--generate N for another number)`,
  );
  return generate(map, generatedRowsDefault, options);
}

function generate(map: ColumnMap, rows: number, options: ReplayOptions): Source {
  if (map.generated === undefined) {
    throw usageFailure("the map names no `generated` shape, so nothing can be generated for it");
  }
  const seed = parseCount("--seed", options.seed);
  const name = `${rows} generated payments (${map.generated}, seed ${seed})`;
  return { name, file: "(generated)", text: generateExport({ rows, seed }) };
}

/** Unpacks what begins like gzip, whatever it is called. */
async function decodeExport(path: string, bytes: Uint8Array): Promise<string> {
  if (bytes.length > compressedBytesMax)
    throw usageFailure(`${path}: has more than ${compressedBytesMax} bytes`);
  const isPacked = bytes[0] === 0x1f && bytes[1] === 0x8b;
  const unpacked = isPacked
    ? await promisify(gunzip)(bytes, { maxOutputLength: textBytesMax }).catch((error: Error) => {
        throw usageFailure(`${path}: can't be unpacked: ${error.message}`);
      })
    : bytes;
  if (unpacked.length > textBytesMax) throw usageFailure(`${path}: has more than ${textBytesMax} bytes`);
  return decodeText(path, unpacked);
}

/** The running service; or one of its own, where that is asked for or nothing listens where nobody said that something would. */
async function findService(
  context: Context,
  options: ReplayOptions,
): Promise<Pick<TemporaryService, "gateway" | "stop">> {
  const address = findGateway(options.gateway, context.io.env);
  const gateway = formatGateway(address);
  if (!options.serve) {
    if (await isListening(address)) return { gateway, stop: async () => {} };
    if (!address.isDefault) throw new CliFailure("unreachable", [`nothing listens on ${gateway}`]);
    context.note(`nothing listens on ${gateway}: starting a service for this replay, which keeps nothing`);
  }
  const service = await startTemporaryService(context.io.env);
  context.note(`the service for this replay listens on ${service.gateway}`);
  return service;
}

function isListening({ host, port }: GatewayAddress): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: probeTimeoutMs });
    const end = (answer: boolean): void => {
      socket.destroy();
      resolve(answer);
    };
    socket.once("connect", () => end(true));
    socket.once("error", () => end(false));
    socket.once("timeout", () => end(false));
  });
}

async function runReplay(
  { io }: Context,
  address: string,
  payments: PaymentExport["payments"],
  { perSecond, inFlightMax, connections }: Settings,
): Promise<ReplayRun> {
  const gateway = openGateway({ address, connections });
  const progress = openProgress(io.err, { total: payments.length, unit: "payments", nowMs });
  try {
    return await replayPayments(payments, gateway.decide, {
      inFlightMax,
      perSecond,
      interrupted: io.watchInterrupts(),
      nowMs,
      onProgress: progress.show,
    });
  } finally {
    progress.clear();
    gateway.close();
  }
}

function nowMs(): number {
  return performance.now();
}

function endOf({ tally, ended }: ReplayRun, { badRowCount }: PaymentExport): ExitName {
  switch (ended) {
    case "all sent":
      return tally.failed === 0 && badRowCount === 0 ? "ok" : "no";
    case "interrupted":
      return "no";
    case "only errors":
      return tally.errors[0]?.name.startsWith("unavailable") ? "unreachable" : "refused";
  }
}
