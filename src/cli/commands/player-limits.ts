import { toJson } from "@bufbuild/protobuf";
import type { Command } from "commander";
import { exponentOf } from "../../core/iso4217.ts";
import { formatMoney } from "../../core/money.ts";
import { LimitReadingSchema } from "../../gen/switchyard/v1/decision_pb.js";
import {
  type PlayerLimit,
  PlayerLimit_Period,
  SetPlayerLimitResponseSchema,
} from "../../gen/switchyard/v1/player_pb.js";
import { Limit_Measure } from "../../gen/switchyard/v1/rule_set_pb.js";
import { parseMajorUnits } from "../amount.ts";
import type { ExitName } from "../exit-codes.ts";
import { usageFailure } from "../failure.ts";
import type { Paint } from "../io.ts";
import {
  type CommonOptions,
  type Context,
  formatInstant,
  printJson,
  printMessage,
  type Runner,
  withAdmin,
} from "../session.ts";
import { formatReadings } from "../show-limits.ts";
import { listPaymentsByLimit } from "../show-packs.ts";
import { type Cell, formatFields, formatTable, joinParts } from "../table.ts";

const periods = {
  day: PlayerLimit_Period.DAY,
  week: PlayerLimit_Period.WEEK,
  month: PlayerLimit_Period.MONTH,
  "rolling-day": PlayerLimit_Period.ROLLING_DAY,
  "rolling-week": PlayerLimit_Period.ROLLING_WEEK,
  "rolling-month": PlayerLimit_Period.ROLLING_MONTH,
} as const;

type SetOptions = CommonOptions & {
  readonly amount?: string;
  readonly net?: boolean;
  readonly remove?: boolean;
  readonly confirm?: boolean;
  readonly source: string;
};

/** `switchyard players limits|limit`: what is left of a player's limits, and the player's own. */
export function addPlayerLimitCommands(players: Command, run: Runner): void {
  withAdmin(
    players
      .command("limits")
      .description("what a player has used of each limit and what is left")
      .argument("<player>", "player"),
  ).action(run<[string], CommonOptions>(showLimits));
  const set = players
    .command("limit")
    .description("set a limit of the player's own: stricter acts at once, looser waits")
    .argument("<player>", "player")
    .argument("<period>", Object.keys(periods).join(", "))
    .option("--amount <amount>", 'greatest amount, such as "100 EUR"')
    .option("--net", "a loss limit: paid withdrawals give room back")
    .option("--remove", "remove the limit, after the wait")
    .option("--confirm", "confirm what waited")
    .option("--source <name>", "who asks for it", "player");
  withAdmin(set).action(run<[string, string], SetOptions>(setLimit));
}

async function showLimits(context: Context, _options: CommonOptions, playerId: string): Promise<ExitName> {
  const answer = await context.admin().players.getPlayer({ merchantId: context.merchant, playerId });
  if (context.json) {
    printJson(
      context,
      answer.limits.map((reading) => toJson(LimitReadingSchema, reading)),
    );
    return "ok";
  }
  const payments = listPaymentsByLimit(answer);
  context.print(
    joinParts([
      formatReadings(answer.limits, context.paint, payments) || "No limit applies to the player.\n",
      formatOwnLimits(answer.player?.ownLimits ?? [], context.paint),
    ]),
  );
  return "ok";
}

async function setLimit(
  context: Context,
  options: SetOptions,
  playerId: string,
  period: string,
): Promise<ExitName> {
  const known = periods[period as keyof typeof periods];
  if (known === undefined)
    throw usageFailure(
      `the period must be one of ${Object.keys(periods).join(", ")}, not ${JSON.stringify(period)}`,
    );
  const answer = await context.admin().players.setPlayerLimit({
    merchantId: context.merchant,
    playerId,
    period: known,
    measure: options.net ? Limit_Measure.NET : Limit_Measure.GROSS,
    ...(options.amount === undefined ? {} : { amount: parseMoney(options.amount) }),
    remove: options.remove ?? false,
    confirm: options.confirm ?? false,
    source: options.source,
  });
  if (context.json) {
    printMessage(context, SetPlayerLimitResponseSchema, answer);
    return "ok";
  }
  context.print(
    joinParts([
      formatFields([["", answer.detail]]).trimStart(),
      formatOwnLimits(answer.limit === undefined ? [] : [answer.limit], context.paint),
      formatReadings(answer.reading === undefined ? [] : [answer.reading], context.paint),
    ]),
  );
  return "ok";
}

/** `100 EUR`, in major units. */
function parseMoney(text: string): { readonly minorUnits: bigint; readonly currencyCode: string } {
  const [amount = "", currencyCode = "", ...rest] = text.trim().split(/\s+/);
  const exponent = exponentOf(currencyCode);
  if (rest.length > 0 || exponent === undefined)
    throw usageFailure(
      `--amount must be an amount and an ISO 4217 code such as "100 EUR", not ${JSON.stringify(text)}`,
    );
  const parsed = parseMajorUnits(amount, exponent);
  if (!parsed.ok) throw usageFailure(`--amount ${JSON.stringify(amount)} ${parsed.message}`);
  return { minorUnits: BigInt(parsed.minorUnits), currencyCode };
}

/** The player's own limits with what waits; empty where there are none. */
export function formatOwnLimits(limits: readonly PlayerLimit[], paint: Paint): string {
  if (limits.length === 0) return "";
  const rows = limits.map((limit): Cell[] => [
    (PlayerLimit_Period[limit.period] ?? "").toLowerCase().replaceAll("_", "-"),
    limit.measure === Limit_Measure.NET ? "net" : "gross",
    formatAmount(limit.amount),
    formatInstant(limit.setAt),
    describePending(limit),
  ]);
  const titles = ["Own limit", "Counts", "At most", "Since", "Waits"];
  return formatTable(
    titles.map((title) => ({ title })),
    rows,
    paint.bold,
  );
}

function describePending({
  pendingAmount,
  pendingRemoval,
  pendingAt,
  needsConfirmation,
}: PlayerLimit): string {
  if (pendingAt === undefined) return "";
  const what = pendingRemoval ? "removal" : formatAmount(pendingAmount);
  return `${what} from ${formatInstant(pendingAt)}${needsConfirmation ? ", to be confirmed then" : ""}`;
}

function formatAmount(money: PlayerLimit["amount"]): string {
  if (money === undefined) return "";
  return formatMoney({ minorUnits: Number(money.minorUnits), currencyCode: money.currencyCode });
}
