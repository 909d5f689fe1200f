import { type MessageInitShape, toJsonString } from "@bufbuild/protobuf";
import type { Command } from "commander";
import {
  type GetSegmentStatsRequestSchema,
  type GetSegmentStatsResponse,
  GetSegmentStatsResponseSchema,
} from "../../gen/switchyard/v1/analytics_pb.js";
import {
  type ListSegmentMembersResponse,
  type WatchMembershipResponse,
  WatchMembershipResponse_Kind,
  WatchMembershipResponseSchema,
} from "../../gen/switchyard/v1/player_pb.js";
import { parseCount, parsePositive, readInstant } from "../arguments.ts";
import type { ExitName } from "../exit-codes.ts";
import { CliFailure } from "../failure.ts";
import { followStream } from "../follow.ts";
import { openProgress } from "../progress.ts";
import {
  type CommonOptions,
  type Context,
  formatInstant,
  printJson,
  printMessage,
  type Runner,
  withAdmin,
} from "../session.ts";
import { formatLength } from "../show-length.ts";
import { type Cell, formatFields, formatTable, joinParts, toPrintable } from "../table.ts";

/** Statistics and lists look at every player, so they take their time. */
const longCallMs = 3_600_000;

type AtOptions = CommonOptions & { readonly at?: string };
type WatchOptions = CommonOptions & { readonly after?: string; readonly count?: string };
type StatsOptions = CommonOptions & { readonly from?: string; readonly until?: string };

/** `switchyard segments list|members|watch|stats`: who is in which segment, who enters and who leaves. */
export function addSegmentCommands(program: Command, run: Runner): void {
  const segments = program.command("segments").description("who is in which segment, who enters and leaves");
  const list = segments
    .command("list")
    .description("segments of the active rule set with the number of their members")
    .option("--at <time>", "at this instant; that of the newest event by default");
  withAdmin(list).action(run<[], AtOptions>(listSegments));
  const members = segments
    .command("members")
    .description("players in a segment, one a line")
    .argument("<segment>", "segment")
    .option("--at <time>", "at this instant; now by default");
  withAdmin(members).action(run<[string], AtOptions>(listMembers));
  const watch = segments
    .command("watch")
    .description("who enters and leaves, as it happens, by events and by time alone")
    .argument("[segments...]", "segments; all by default")
    .option("--after <sequence>", "go on after this sequence instead of from now on; 0 for all that is kept")
    .option("--count <n>", "end after so many");
  withAdmin(watch).action(run<[readonly string[]], WatchOptions>(watchSegments));
  const stats = segments
    .command("stats")
    .description("entries, exits, players and stays, counted exactly from the events that are kept")
    .argument("[segments...]", "segments; all by default")
    .option("--from <time>", "count from this instant on")
    .option("--until <time>", "count up to this instant; the newest event by default");
  withAdmin(stats).action(run<[readonly string[]], StatsOptions>(countFlips));
}

async function listSegments(context: Context, options: AtOptions): Promise<ExitName> {
  const last = await readStats(context, {
    segments: [],
    ...(options.at === undefined ? {} : { until: readInstant("--at", options.at) }),
  });
  if (context.json) {
    printJson(
      context,
      last.segments.map(({ segment, members }) => ({ segment, members: Number(members) })),
    );
    return "ok";
  }
  const rows = last.segments.map(({ segment, members }): Cell[] => [segment, String(members)]);
  const columns = [{ title: "Segment" }, { title: "Members", align: "right" }] as const;
  context.print(
    joinParts([
      formatTable(columns, rows, context.paint.bold),
      formatFields([
        ["At", nameUntil(last, options.at !== undefined)],
        ["Players known", String(last.players)],
      ]),
    ]),
  );
  return "ok";
}

async function listMembers(context: Context, options: AtOptions, segment: string): Promise<ExitName> {
  const answers = context.admin().players.listSegmentMembers(
    {
      merchantId: context.merchant,
      segment,
      ...(options.at === undefined ? {} : { at: readInstant("--at", options.at) }),
    },
    { timeoutMs: longCallMs, signal: context.io.watchInterrupts() },
  );
  const ids: string[] = [];
  let members = 0;
  let last: ListSegmentMembersResponse | undefined;
  for await (const answer of answers) {
    const { playerIds } = answer;
    last = answer;
    members += playerIds.length;
    if (context.json) ids.push(...playerIds);
    else for (const id of playerIds) context.print(`${toPrintable(id)}\n`);
  }
  if (context.json) printJson(context, ids);
  else if (last !== undefined)
    context.note(`${members} of ${last.players} players are in ${segment} at ${formatInstant(last.at)}`);
  return "ok";
}

async function watchSegments(
  context: Context,
  options: WatchOptions,
  segments: readonly string[],
): Promise<ExitName> {
  const most = options.count === undefined ? Infinity : parsePositive("--count", options.count);
  const after = options.after === undefined ? undefined : BigInt(parseCount("--after", options.after));
  if (context.io.out.isTty && !context.json) context.note("Sequence  At  What  Segment  Player");
  let seen = 0;
  await followStream(
    context,
    (signal) =>
      context.admin().players.watchMembership(
        {
          merchantId: context.merchant,
          segments: [...segments],
          ...(after === undefined ? {} : { afterSequence: after }),
        },
        { timeoutMs: 0, signal },
      ),
    (change) => {
      if (context.json) context.print(`${toJsonString(WatchMembershipResponseSchema, change)}\n`);
      else context.print(formatChange(change));
      return ++seen >= most;
    },
  );
  return "ok";
}

function formatChange(change: WatchMembershipResponse): string {
  const { sequence, playerId, segment, kind, at, suppressed, suppressedBy } = change;
  const contact = suppressed ? `  do not contact: ${suppressedBy}` : "";
  const what = (WatchMembershipResponse_Kind[kind] ?? "").toLowerCase().replace("_", " ");
  return `${toPrintable(`${sequence}  ${formatInstant(at)}  ${what}  ${segment}  ${playerId}${contact}`)}\n`;
}

async function countFlips(
  context: Context,
  options: StatsOptions,
  segments: readonly string[],
): Promise<ExitName> {
  const last = await readStats(context, {
    segments: [...segments],
    ...(options.from === undefined ? {} : { from: readInstant("--from", options.from) }),
    ...(options.until === undefined ? {} : { until: readInstant("--until", options.until) }),
  });
  if (context.json) {
    printMessage(context, GetSegmentStatsResponseSchema, last);
    return "ok";
  }
  const rows = last.segments.map(({ segment, entries, exits, players, members, medianStayMs }): Cell[] => [
    segment,
    ...[entries, exits, players, members].map(String),
    formatStay(Number(medianStayMs)),
  ]);
  const titles = ["Entries", "Exits", "Players ever in", "Members at the end", "Median stay"];
  const columns = [{ title: "Segment" }, ...titles.map((title) => ({ title, align: "right" as const }))];
  context.print(
    joinParts([
      formatTable(columns, rows, context.paint.bold),
      formatFields([
        ["From", options.from ?? ""],
        ["Up to", nameUntil(last, options.until !== undefined)],
        ["Players known", String(last.players)],
        ["Rule set", `version ${last.ruleSetVersion}`],
      ]),
    ]),
  );
  return "ok";
}

/** The instant up to which was counted, and which one that is where nobody named one. */
function nameUntil({ until }: GetSegmentStatsResponse, isAsked: boolean): string {
  return `${formatInstant(until)}${isAsked ? "" : " (the newest event, or now without any)"}`;
}

/** Of stays that ended. */
function formatStay(ms: number): string {
  return ms === 0 ? "" : formatLength(ms);
}

/** Runs the count with a bar and gives its last message, which has the result. */
async function readStats(
  context: Context,
  request: Omit<
    Extract<MessageInitShape<typeof GetSegmentStatsRequestSchema>, { readonly $typeName?: string }>,
    "merchantId" | "$typeName"
  >,
): Promise<GetSegmentStatsResponse> {
  const answers = context
    .admin()
    .analytics.getSegmentStats(
      { ...request, merchantId: context.merchant },
      { timeoutMs: longCallMs, signal: context.io.watchInterrupts() },
    );
  let progress: ReturnType<typeof openProgress> | undefined;
  let last: GetSegmentStatsResponse | undefined;
  for await (const answer of answers) {
    progress ??= openProgress(context.io.err, { total: Number(answer.players), unit: "players", nowMs });
    progress.show(Number(answer.lookedAt));
    last = answer;
  }
  progress?.clear();
  if (last === undefined) throw new CliFailure("broken", ["the service ended the count without a result"]);
  return last;
}

function nowMs(): number {
  return performance.now();
}
