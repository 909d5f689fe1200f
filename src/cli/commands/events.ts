import type { JsonValue } from "@bufbuild/protobuf";
import type { Command } from "commander";
import { hash32 } from "../../core/hash.ts";
import { ListEventSourcesResponseSchema } from "../../gen/switchyard/v1/event_pb.js";
import { parseCount } from "../arguments.ts";
import { findGateway, formatGateway } from "../client.ts";
import { type EventFile, readEventLines, readMappedEvents } from "../events/read-events.ts";
import { type ImportRun, sendEvents } from "../events/send-events.ts";
import type { ExitName } from "../exit-codes.ts";
import { CliFailure, callFailure, usageFailure } from "../failure.ts";
import { openProgress } from "../progress.ts";
import { isListening, loadMap, loadSource, type SourceOptions } from "../replay/source.ts";
import {
  type CommonOptions,
  type Context,
  formatInstant,
  printJson,
  printMessage,
  type Runner,
  withAdmin,
  withJson,
} from "../session.ts";
import { type Cell, formatFields, formatTable } from "../table.ts";

const shownMax = 20;

type ImportOptions = CommonOptions & SourceOptions & { readonly shuffle?: string };

/** `switchyard events import|sources`: what happened to players. */
export function addEventCommands(program: Command, run: Runner): void {
  const events = program.command("events").description("what happened to players");
  const command = events
    .command("import")
    .description("send the events of a file through the gateway listener's stream")
    .argument("[file]", "CSV or JSON lines; .gz too")
    .option("--map <file>", "column map in YAML (docs/replay.md); without one each line is an event in JSON")
    .option("-m, --merchant <id>", "tenant, instead of the map's")
    .option("--gateway <address>", "gateway listener (SWITCHYARD_CLI_GATEWAY; 127.0.0.1:50051)")
    .option("--shuffle <seed>", "send in an order drawn by the seed: the order of events changes nothing")
    .option("--generate <n>", "send so many generated rows of the shape that the map names")
    .option("--seed <n>", "seed of generated rows", "1");
  withJson(command).action(run<[string | undefined], ImportOptions>(importEvents));
  withAdmin(
    events.command("sources").description("where events come from and how far each source has come"),
  ).action(run<[], CommonOptions>(listSources));
}

async function importEvents(
  context: Context,
  options: ImportOptions,
  path: string | undefined,
): Promise<ExitName> {
  const address = findGateway(options.gateway, context.io.env);
  const { file, merchant, name } = await readFile(context, options, path);
  if (file.rowCount === 0) throw usageFailure(`${name}: holds no rows`);
  if (!(await isListening(address)))
    throw new CliFailure("unreachable", [`nothing listens on ${formatGateway(address)}`]);
  const events =
    options.shuffle === undefined
      ? file.events
      : shuffle(file.events, parseCount("--shuffle", options.shuffle));
  const progress = openProgress(context.io.err, { total: events.length, unit: "events", nowMs });
  const ended = await sendEvents(events, {
    address: formatGateway(address),
    merchant,
    interrupted: context.io.watchInterrupts(),
    nowMs,
    onProgress: progress.show,
  });
  progress.clear();
  const report = { source: name, merchant, file, run: ended };
  if (context.json) printJson(context, toReport(report));
  else context.print(formatReport(context, report));
  if (ended.error !== undefined) throw callFailure(ended.error);
  return ended.interrupted || file.badRowCount > 0 || countRefused(ended) > 0 ? "no" : "ok";
}

async function readFile(
  context: Context,
  options: ImportOptions,
  path: string | undefined,
): Promise<{ readonly file: EventFile; readonly merchant: string; readonly name: string }> {
  if (options.map === undefined && options.generate === undefined) {
    if (path === undefined) throw usageFailure("say which FILE to send, or --generate N");
    const source = await loadSource(context, options, path, noMap);
    return { file: readEventLines(source), merchant: options.merchant ?? "default", name: source.name };
  }
  const loaded = await loadMap(context, options);
  const source = await loadSource(context, options, path, loaded.map);
  const read = readMappedEvents(source, loaded);
  if (!read.ok) throw new CliFailure("usage", read.faults);
  return { file: read.file, merchant: loaded.map.merchant, name: source.name };
}

const noMap = { generated: undefined };

/** By Fisher and Yates; the same for the same seed. */
function shuffle<T>(items: readonly T[], seed: number): readonly T[] {
  const shuffled = [...items];
  for (let at = shuffled.length - 1; at > 0; at--) {
    const other = hash32(String(seed), String(at)) % (at + 1);
    const moved = shuffled[at]!;
    shuffled[at] = shuffled[other]!;
    shuffled[other] = moved;
  }
  return shuffled;
}

type ImportReport = {
  readonly source: string;
  readonly merchant: string;
  readonly file: EventFile;
  readonly run: ImportRun;
};

const goodVerdicts: ReadonlySet<string> = new Set(["ACCEPTED", "DUPLICATE", "MERGED", "CLAMPED", "REVERSED"]);

function countRefused({ verdicts }: ImportRun): number {
  let refused = 0;
  for (const [verdict, count] of verdicts) if (!goodVerdicts.has(verdict)) refused += count;
  return refused;
}

function toReport({ source, merchant, file, run }: ImportReport): JsonValue {
  return {
    source,
    merchant,
    rows: file.rowCount,
    badRows: file.badRowCount,
    badRowFaults: file.faults.map((fault) => ({ ...fault })),
    answered: run.answered,
    verdicts: Object.fromEntries([...run.verdicts].sort()),
    late: run.late,
    results: run.named.map((named) => ({ ...named })),
    interrupted: run.interrupted,
    elapsedMs: run.elapsedMs,
  };
}

function formatReport({ paint }: Context, { source, merchant, file, run }: ImportReport): string {
  const verdicts = [...run.verdicts]
    .sort((a, b) => b[1] - a[1])
    .map(([verdict, count]): Cell[] => [
      { text: verdict, paint: goodVerdicts.has(verdict) ? paint.green : paint.red },
      String(count),
    ]);
  const bad = file.faults
    .slice(0, shownMax)
    .map(({ line, column, rule, message }): Cell[] => [String(line), column, rule, message]);
  const named = run.named
    .slice(0, shownMax)
    .map(({ row, eventId, verdict, why }): Cell[] => [String(row), eventId, verdict, why]);
  const perSecond = run.elapsedMs > 0 ? Math.round((run.answered * 1000) / run.elapsedMs) : 0;
  const table = (titles: readonly string[], rows: readonly Cell[][]): string =>
    rows.length === 0
      ? ""
      : `${formatTable(
          titles.map((title) => ({ title })),
          rows,
          paint.bold,
        )}\n`;
  return [
    table(["Line", "Column", "Rule", "Why not sent"], bad),
    table(["Event", "Id", "Verdict", "Why"], named),
    table(["Verdict", "Events"], verdicts),
    formatFields([
      ["Source", source],
      ["Rows", `${file.rowCount}, ${file.badRowCount} bad`],
      ["Merchant", merchant],
      ["Time", `${(run.elapsedMs / 1000).toFixed(1)} s, ${perSecond} events per second`],
    ]),
  ].join("");
}

async function listSources(context: Context): Promise<ExitName> {
  const answer = await context.admin().events.listEventSources({ merchantId: context.merchant });
  if (context.json) {
    printMessage(context, ListEventSourcesResponseSchema, answer);
    return "ok";
  }
  const rows = answer.sources.map(({ source, watermark, verdicts, late }): Cell[] => [
    source,
    formatInstant(watermark),
    String(late),
    Object.entries(verdicts)
      .sort()
      .map(([verdict, count]) => `${verdict} ${count}`)
      .join(", "),
  ]);
  const titles = ["Source", "Newest event", "Late", "Verdicts since the start"];
  context.print(
    formatTable(
      titles.map((title) => ({ title })),
      rows,
      context.paint.bold,
    ),
  );
  return "ok";
}

function nowMs(): number {
  return performance.now();
}
