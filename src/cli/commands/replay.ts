import type { JsonValue } from "@bufbuild/protobuf";
import type { Command } from "commander";
import { parsePositive } from "../arguments.ts";
import type { ExitName } from "../exit-codes.ts";
import { CliFailure, usageFailure } from "../failure.ts";
import { openGateway } from "../gateway-client.ts";
import { openProgress } from "../progress.ts";
import { type PaymentExport, readExport } from "../replay/read-export.ts";
import { formatReport, reportAsJson } from "../replay/report.ts";
import { makeSender, type ReplayRun, replayPayments } from "../replay/run.ts";
import { findService, loadMap, loadSource, type SourceOptions } from "../replay/source.ts";
import { type CommonOptions, type Context, printJson, type Runner, withJson } from "../session.ts";

const inFlightDefault = 64;
const connectionsDefault = 4;

type ReplayOptions = CommonOptions &
  SourceOptions & {
    readonly rate?: string;
    readonly inFlight: string;
    readonly connections: string;
    readonly limit?: string;
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

async function runReplay(
  { io }: Context,
  address: string,
  payments: PaymentExport["payments"],
  { perSecond, inFlightMax, connections }: Settings,
): Promise<ReplayRun> {
  const gateway = openGateway({ address, connections });
  const progress = openProgress(io.err, { total: payments.length, unit: "payments", nowMs });
  try {
    return await replayPayments(payments, makeSender(gateway), {
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
