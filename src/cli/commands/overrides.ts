import type { Command } from "commander";
import {
  ExpireOverrideResponseSchema,
  ListOverridesResponseSchema,
  OverrideSchema,
  type OverrideStatus,
  OverrideStatus_State,
  PutOverrideResponseSchema,
  type Subject,
} from "../../gen/switchyard/v1/override_pb.js";
import { parseCount } from "../arguments.ts";
import type { ExitName } from "../exit-codes.ts";
import { readMessageFile } from "../files.ts";
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
import { type Cell, formatTable } from "../table.ts";

type ListOptions = CommonOptions & { readonly expired?: boolean };
type PutOptions = CommonOptions & { readonly expectedRevision?: string; readonly author?: string };
type ExpireOptions = CommonOptions & { readonly author?: string };

/** `switchyard overrides list|put|expire`: manual rules with author, reason and expiry. */
export function addOverrideCommands(program: Command, run: Runner): void {
  const overrides = program.command("overrides").description("manual rules with author, reason and expiry");
  withAdmin(
    overrides
      .command("list")
      .description("list overrides")
      .option("--expired", "also those that ended in the last 90 days"),
  ).action(run<[], ListOptions>(listOverrides));
  const put = overrides
    .command("put")
    .description("put an override, new or in place of the one with its id")
    .argument("<file>", "Override in YAML or JSON (- for stdin)")
    .option("--expected-revision <n>", "refuse where others changed overrides since");
  withAdmin(withAuthor(put)).action(run<[string], PutOptions>(putOverride));
  const expire = overrides
    .command("expire")
    .description("end an override now")
    .argument("<id>", "id of the override");
  withAdmin(withAuthor(expire)).action(run<[string], ExpireOptions>(expireOverride));
}

async function listOverrides(context: Context, options: ListOptions): Promise<ExitName> {
  const request = { merchantId: context.merchant, includeExpired: options.expired ?? false };
  const answer = await context.admin().overrides.listOverrides(request);
  if (context.json) printMessage(context, ListOverridesResponseSchema, answer);
  else context.print(`${formatOverrides(answer.overrides, context.paint)}Revision ${answer.revision}\n`);
  return "ok";
}

async function putOverride(context: Context, options: PutOptions, path: string): Promise<ExitName> {
  const override = await readMessageFile(path, OverrideSchema, context.io);
  if (options.author !== undefined || override.author === "") {
    override.author = findAuthor(options.author, context.io.env);
  }
  const { expectedRevision } = options;
  const answer = await context.admin().overrides.putOverride({
    merchantId: context.merchant,
    override,
    ...(expectedRevision === undefined
      ? {}
      : { expectedRevision: BigInt(parseCount("--expected-revision", expectedRevision)) }),
  });
  if (context.json) printMessage(context, PutOverrideResponseSchema, answer);
  else printOne(context, answer);
  return "ok";
}

async function expireOverride(context: Context, options: ExpireOptions, id: string): Promise<ExitName> {
  const author = findAuthor(options.author, context.io.env);
  const answer = await context.admin().overrides.expireOverride({ merchantId: context.merchant, id, author });
  if (context.json) printMessage(context, ExpireOverrideResponseSchema, answer);
  else printOne(context, answer);
  return "ok";
}

function printOne(
  { print, paint }: Context,
  { override, revision }: { readonly override?: OverrideStatus | undefined; readonly revision: bigint },
): void {
  print(`${formatOverrides(override === undefined ? [] : [override], paint)}Revision ${revision}\n`);
}

function formatOverrides(overrides: readonly OverrideStatus[], paint: Paint): string {
  const rows = overrides.map(({ override, state, missing }): Cell[] => [
    override?.id ?? "",
    {
      text: OverrideStatus_State[state] ?? "",
      paint: state === OverrideStatus_State.ACTIVE ? paint.green : paint.yellow,
    },
    formatSubject(override?.subject),
    Object.entries(override?.effects ?? {})
      .filter(([name, value]) => !name.startsWith("$") && isSet(value))
      .map(([name]) => name)
      .join(", "),
    formatInstant(override?.from),
    formatInstant(override?.until),
    override?.author ?? "",
    missing.length === 0 ? (override?.reason ?? "") : `lacks ${missing.join(", ")}`,
  ]);
  const titles = ["Override", "State", "Subject", "Effects", "From", "Until", "Author", "Reason"];
  return formatTable(
    titles.map((title) => ({ title })),
    rows,
    paint.bold,
  );
}

function formatSubject(subject: Subject | undefined): string {
  const one = subject?.subject;
  if (one?.case === undefined) return "";
  return one.case === "everyone" ? "everyone" : `${one.case} ${one.value}`;
}

/** Whether a field of a message holds more than its default. */
function isSet(value: unknown): boolean {
  return Array.isArray(value) ? value.length > 0 : value !== undefined && value !== "" && value !== 0;
}
