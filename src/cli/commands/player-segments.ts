import type { Command } from "commander";
import { ConditionTrace_Truth } from "../../gen/switchyard/v1/decision_pb.js";
import {
  type ExplainSegmentResponse,
  ExplainSegmentResponseSchema,
} from "../../gen/switchyard/v1/player_pb.js";
import { readInstant } from "../arguments.ts";
import type { ExitName } from "../exit-codes.ts";
import {
  type CommonOptions,
  type Context,
  formatInstant,
  printMessage,
  type Runner,
  withAdmin,
} from "../session.ts";
import { formatNode } from "../show-trace.ts";
import { type Cell, formatFields, formatTable } from "../table.ts";

type ExplainOptions = CommonOptions & { readonly at?: string };

/** `switchyard players explain`: why a player is in a segment, or not. */
export function addPlayerSegmentCommands(players: Command, run: Runner): void {
  const explain = players
    .command("explain")
    .description("why a player is in a segment or not, how far from it, and when that changes by time alone")
    .argument("<player>", "player")
    .argument("<segment>", "segment")
    .option("--at <time>", "at this instant; now by default");
  withAdmin(explain).action(run<[string, string], ExplainOptions>(explainSegment));
}

async function explainSegment(
  context: Context,
  options: ExplainOptions,
  playerId: string,
  segment: string,
): Promise<ExitName> {
  const answer = await context.admin().players.explainSegment({
    merchantId: context.merchant,
    playerId,
    segment,
    ...(options.at === undefined ? {} : { at: readInstant("--at", options.at) }),
  });
  if (context.json) printMessage(context, ExplainSegmentResponseSchema, answer);
  else context.print(formatExplanation(context, answer));
  return "ok";
}

function formatExplanation({ paint }: Context, answer: ExplainSegmentResponse): string {
  const { truth, condition, nearMisses, flipsAt, warming, memberSince } = answer;
  const misses = nearMisses.map(({ text, value, wanted, by }): Cell[] => [text, value, wanted, by]);
  const titles = ["What is missing", "It is", "Wanted", "By"];
  return [
    formatFields([
      [
        "In the segment",
        { text: nameTruth(truth), paint: truth === ConditionTrace_Truth.TRUE ? paint.green : paint.yellow },
      ],
      ["Since", formatInstant(memberSince)],
      ["Changes by time alone", flipsAt === undefined ? "no" : formatInstant(flipsAt)],
      ["Warming", warming ? "yes: its longest window is not covered by events yet" : ""],
    ]),
    condition === undefined ? "" : formatNode(condition, 0, paint),
    misses.length === 0
      ? ""
      : formatTable(
          titles.map((title) => ({ title })),
          misses,
          paint.bold,
        ),
  ]
    .filter((part) => part !== "")
    .join("\n");
}

function nameTruth(truth: ConditionTrace_Truth): string {
  switch (truth) {
    case ConditionTrace_Truth.TRUE:
      return "yes";
    case ConditionTrace_Truth.FALSE:
      return "no";
    default:
      return "can't be told";
  }
}
