import { type MessageInitShape, toJson } from "@bufbuild/protobuf";
import { ValueSchema } from "@bufbuild/protobuf/wkt";
import type { Command } from "commander";
import { formatMoney } from "../../core/money.ts";
import {
  DeletePlayerResponseSchema,
  type FeatureValue,
  GetPlayerResponseSchema,
  type Player,
  type PlayerAttributeSchema,
  Restriction_Kind,
  type RestrictionSchema,
  SetRestrictionResponseSchema,
  UpdatePlayerResponseSchema,
} from "../../gen/switchyard/v1/player_pb.js";
import { parseAssignment, readInstant, readSpan } from "../arguments.ts";
import type { ExitName } from "../exit-codes.ts";
import { usageFailure } from "../failure.ts";
import type { Paint } from "../io.ts";
import {
  type CommonOptions,
  type Context,
  findAuthor,
  formatInstant,
  printMessage,
  type Runner,
  withAdmin,
  withAuthor,
} from "../session.ts";
import { formatLength } from "../show-length.ts";
import { formatReadings } from "../show-limits.ts";
import { formatPacks, listPaymentsByLimit } from "../show-packs.ts";
import { type Cell, formatFields, formatTable, joinParts } from "../table.ts";
import { addPlayerLimitCommands, formatOwnLimits } from "./player-limits.ts";
import { addPlayerSegmentCommands } from "./player-segments.ts";

type SetOptions = CommonOptions & {
  readonly ttl?: string;
  readonly source?: string;
  readonly setAt?: string;
};
type RestrictOptions = CommonOptions & {
  readonly kind: string;
  readonly source: string;
  readonly from?: string;
  readonly until?: string;
  readonly checkedAt?: string;
  readonly maxAge?: string;
  readonly clear?: boolean;
  readonly returned?: boolean;
};

type DeleteOptions = CommonOptions & { readonly author?: string; readonly reason: string };

/** `switchyard players get|set|restrict|explain|limits|limit|delete`: what is known of players. */
export function addPlayerCommands(program: Command, run: Runner): void {
  const players = program.command("players").description("what is known of players");
  withAdmin(
    players
      .command("get")
      .description("attributes, restrictions, segments, features and limits of a player")
      .argument("<player>", "player"),
  ).action(run<[string], CommonOptions>(getPlayer));
  const set = players
    .command("set")
    .description("set attributes of a player; those not named stay")
    .argument("<player>", "player")
    .argument("<name=value...>", "values are JSON where they parse, else text; null removes the attribute")
    .option("--ttl <span>", "how long the values hold, such as 30d; for ever by default")
    .option("--source <name>", "where the values are from")
    .option("--set-at <time>", "since when they hold; now by default");
  withAdmin(set).action(run<[string, readonly string[]], SetOptions>(setAttributes));
  const restrict = players
    .command("restrict")
    .description("set a restriction of a player; nothing removes it, only --until ends it")
    .argument("<player>", "player")
    .requiredOption("--kind <kind>", "self-exclusion, time-out, sanction, court-order or operator-block")
    .requiredOption("--source <name>", "who says so: a register such as GAMSTOP, or a department")
    .option("--from <time>", "holds from this instant; now by default")
    .option("--until <time>", "holds until this instant; without end by default")
    .option("--checked-at <time>", "when the source was last asked; now by default")
    .option("--max-age <span>", "how old the answer of the source may become, such as 24h")
    .option("--clear", "the source was asked and says that nothing holds")
    .option("--returned", "the player explicitly returned: marketing may resume");
  withAdmin(restrict).action(run<[string], RestrictOptions>(restrictPlayer));
  addPlayerSegmentCommands(players, run);
  addPlayerLimitCommands(players, run);
  const remove = players
    .command("delete")
    .description("delete a player; restrictions and own limits are kept under a keyed hash until they end")
    .argument("<player>", "player")
    .requiredOption("--reason <text>", "why");
  withAuthor(withAdmin(remove)).action(run<[string], DeleteOptions>(deletePlayer));
}

async function getPlayer(context: Context, _options: CommonOptions, playerId: string): Promise<ExitName> {
  const answer = await context.admin().players.getPlayer({ merchantId: context.merchant, playerId });
  if (context.json) {
    printMessage(context, GetPlayerResponseSchema, answer);
    return "ok";
  }
  const { paint } = context;
  const standing = formatFields([
    ["Segments", answer.segments.join(", ")],
    ["Can't tell", answer.unknownSegments.join(", ")],
    ["Journeys", formatJourneys(answer.lifecycles)],
    [
      "Events",
      answer.events === 0n ? "" : `${answer.events}, the newest ${formatInstant(answer.lastEventAt)}`,
    ],
    ["Unresolved", answer.unresolvedPayments.join(", ")],
  ]);
  context.print(
    joinParts([
      ...formatPlayer(answer.player, paint),
      standing,
      formatFeatures(answer.features, paint),
      formatPacks(answer.packs, paint),
      formatReadings(answer.limits, paint, listPaymentsByLimit(answer)),
      formatOwnLimits(answer.player?.ownLimits ?? [], paint),
    ]),
  );
  return "ok";
}

function formatJourneys(lifecycles: Readonly<Record<string, string>>): string {
  return Object.entries(lifecycles)
    .sort()
    .map(([lifecycle, state]) => `${lifecycle}: ${state}`)
    .join(", ");
}

/** Markers of harm are made of parts, of which people want to see what came of them. */
const markerPart = /^marker\..+\./;

function formatFeatures(features: readonly FeatureValue[], paint: Paint): string {
  const shown = features.filter(({ id }) => !markerPart.test(id));
  if (shown.length === 0) return "";
  const rows = shown.map(({ id, value, missing, errorBound, unit }): Cell[] => [
    id,
    missing ? { text: "missing", paint: paint.dim } : formatFeature(value, unit),
    errorBound > 0 ? `within ${formatFeature(String(errorBound), unit)}` : "",
  ]);
  const parts = features.length - shown.length;
  const more = parts === 0 ? "" : `and ${parts} parts of markers, which --json shows\n`;
  return (
    formatTable([{ title: "Feature" }, { title: "Now" }, { title: "" }], rows, paint.bold) + paint.dim(more)
  );
}

/** Amounts in major units with their currency, lengths of time in a unit that can be read. */
function formatFeature(value: string, unit: string): string {
  const number = Number(value);
  if (unit === "" || !Number.isFinite(number)) return value;
  if (unit === "ms") return formatLength(number);
  return formatMoney({ minorUnits: Math.round(number), currencyCode: unit });
}

async function deletePlayer(context: Context, options: DeleteOptions, playerId: string): Promise<ExitName> {
  const answer = await context.admin().players.deletePlayer({
    merchantId: context.merchant,
    playerId,
    author: findAuthor(options.author, context.io.env),
    reason: options.reason,
  });
  if (context.json) printMessage(context, DeletePlayerResponseSchema, answer);
  else {
    context.print(
      `Deleted, with ${answer.eventsDeleted} events; ${answer.kept} restrictions and own limits are kept until they end.\n`,
    );
  }
  return "ok";
}

async function setAttributes(
  context: Context,
  options: SetOptions,
  playerId: string,
  pairs: readonly string[],
): Promise<ExitName> {
  const attributes: Record<string, MessageInitShape<typeof PlayerAttributeSchema>> = {};
  for (const pair of pairs) {
    const [name, value] = parseAssignment("an attribute", pair);
    attributes[name] = {
      value,
      ...(options.ttl === undefined ? {} : { ttl: readSpan("--ttl", options.ttl) }),
      ...(options.setAt === undefined ? {} : { setAt: readInstant("--set-at", options.setAt) }),
      source: options.source ?? "",
    };
  }
  const answer = await context
    .admin()
    .players.updatePlayer({ merchantId: context.merchant, playerId, attributes });
  if (context.json) {
    printMessage(context, UpdatePlayerResponseSchema, answer);
    return "ok";
  }
  context.print(joinParts(formatPlayer(answer.player, context.paint)));
  if (answer.ignored.length > 0) context.print(`Older than what is stored: ${answer.ignored.join(", ")}\n`);
  return "ok";
}

async function restrictPlayer(
  context: Context,
  options: RestrictOptions,
  playerId: string,
): Promise<ExitName> {
  const restriction: MessageInitShape<typeof RestrictionSchema> = {
    kind: parseKind(options.kind),
    source: options.source,
    ...(options.from === undefined ? {} : { from: readInstant("--from", options.from) }),
    ...(options.until === undefined ? {} : { until: readInstant("--until", options.until) }),
    ...(options.checkedAt === undefined ? {} : { checkedAt: readInstant("--checked-at", options.checkedAt) }),
    ...(options.maxAge === undefined ? {} : { maxAge: readSpan("--max-age", options.maxAge) }),
    clear: options.clear ?? false,
    returned: options.returned ?? false,
  };
  const answer = await context
    .admin()
    .players.setRestriction({ merchantId: context.merchant, playerId, restriction });
  if (context.json) printMessage(context, SetRestrictionResponseSchema, answer);
  else context.print(joinParts(formatPlayer(answer.player, context.paint)));
  return "ok";
}

function parseKind(text: string): Restriction_Kind {
  const name = text.toUpperCase().replaceAll("-", "_");
  const kind = Restriction_Kind[name as keyof typeof Restriction_Kind];
  if (typeof kind === "number" && kind !== Restriction_Kind.KIND_UNSPECIFIED) return kind;
  const known = "self-exclusion, time-out, sanction, court-order or operator-block";
  throw usageFailure(`--kind must be ${known}, not ${JSON.stringify(text)}`);
}

function formatPlayer(player: Player | undefined, paint: Paint): readonly string[] {
  if (player === undefined) return [];
  const marketing = player.marketingSuppressed ? "suppressed" : "";
  const names = formatFields([
    ["Player", player.playerId],
    ["Known too as", player.aliases.join(", ")],
    ["Marketing", marketing],
  ]);
  return [names, formatAttributes(player, paint), formatRestrictions(player, paint)];
}

function formatAttributes({ attributes }: Player, paint: Paint): string {
  const rows = Object.entries(attributes)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, { value, setAt, ttl, source }]): Cell[] => [
      name,
      value === undefined ? "" : JSON.stringify(toJson(ValueSchema, value)),
      formatInstant(setAt),
      ttl === undefined ? "" : formatLength(1_000 * Number(ttl.seconds)),
      source,
    ]);
  const titles = ["Attribute", "Value", "Set at", "Holds for", "Source"];
  return rows.length === 0
    ? ""
    : formatTable(
        titles.map((title) => ({ title })),
        rows,
        paint.bold,
      );
}

function formatRestrictions({ restrictions }: Player, paint: Paint): string {
  const rows = restrictions.map(
    ({ kind, source, from, until, checkedAt, maxAge, clear, returned }): Cell[] => [
      { text: Restriction_Kind[kind] ?? "", paint: clear ? paint.green : paint.red },
      source,
      formatInstant(from),
      formatInstant(until),
      formatInstant(checkedAt),
      maxAge === undefined ? "" : formatLength(1_000 * Number(maxAge.seconds)),
      [clear ? "clear" : "", returned ? "returned" : ""].filter((part) => part).join(", "),
    ],
  );
  const titles = ["Restriction", "Source", "From", "Until", "Checked at", "Max age", ""];
  return rows.length === 0
    ? ""
    : formatTable(
        titles.map((title) => ({ title })),
        rows,
        paint.bold,
      );
}
