import { writeFile } from "node:fs/promises";
import { toJsonString } from "@bufbuild/protobuf";
import type { Command } from "commander";
import {
  Document_Format,
  GetResponseSchema,
  ListResponseSchema,
  type RuleSetVersion,
  type WatchActiveResponse,
  WatchActiveResponseSchema,
} from "../../gen/switchyard/v1/rule_set_service_pb.js";
import { parsePositive } from "../arguments.ts";
import type { ExitName } from "../exit-codes.ts";
import { usageFailure } from "../failure.ts";
import { decodeText } from "../files.ts";
import { followStream } from "../follow.ts";
import {
  type CommonOptions,
  type Context,
  formatInstant,
  printMessage,
  type Runner,
  withAdmin,
} from "../session.ts";
import { type Cell, formatTable, toPrintable } from "../table.ts";

type ListOptions = CommonOptions & { readonly limit: string; readonly before?: string };
type GetOptions = CommonOptions & { readonly output?: string };
type WatchOptions = CommonOptions & { readonly count?: string };

/** `switchyard rules list|get|watch`: what there is, and what is active. */
export function addRuleReadCommands(rules: Command, run: Runner): void {
  const list = rules
    .command("list")
    .description("list versions, the newest first")
    .option("--limit <n>", "most versions to list, 1 to 1000", "100")
    .option("--before <version>", "list versions below this one");
  withAdmin(list).action(run<[], ListOptions>(listVersions));
  const get = rules
    .command("get")
    .description("print the document of a version as it was pushed")
    .argument("[version]", "version; the active one by default")
    .option("-o, --output <file>", "write it to this file");
  withAdmin(get).action(run<[string | undefined], GetOptions>(getVersion));
  const watch = rules
    .command("watch")
    .description(
      "tell the active version now and at every change, until interrupted; --json prints a document a line",
    )
    .option("--count <n>", "end after so many");
  withAdmin(watch).action(run<[], WatchOptions>(watchActive));
}

async function listVersions(context: Context, options: ListOptions): Promise<ExitName> {
  const answer = await context.admin().ruleSets.list({
    merchantId: context.merchant,
    pageSize: parsePositive("--limit", options.limit, 1_000),
    ...(options.before === undefined
      ? {}
      : { beforeVersion: BigInt(parsePositive("--before", options.before)) }),
  });
  if (context.json) printMessage(context, ListResponseSchema, answer);
  else context.print(formatVersions(context, answer.versions));
  return "ok";
}

function formatVersions({ paint }: Context, versions: readonly RuleSetVersion[]): string {
  const rows = versions.map((version): Cell[] => [
    String(version.version),
    { text: version.active ? "active" : "", paint: paint.green },
    version.name,
    String(version.ruleCount),
    version.hash.slice(0, 12),
    formatInstant(version.pushedAt),
    version.author,
    version.comment,
  ]);
  return formatTable(
    [
      { title: "Version", align: "right" },
      { title: "" },
      { title: "Name" },
      { title: "Rules", align: "right" },
      { title: "Hash" },
      { title: "Pushed at" },
      { title: "Author" },
      { title: "Comment" },
    ],
    rows,
    paint.bold,
  );
}

async function getVersion(
  context: Context,
  options: GetOptions,
  text: string | undefined,
): Promise<ExitName> {
  const version = BigInt(text === undefined ? 0 : parsePositive("the version", text));
  const answer = await context.admin().ruleSets.get({ merchantId: context.merchant, version });
  const { content = new Uint8Array(), format = Document_Format.YAML } = answer.document ?? {};
  if (options.output !== undefined) {
    await writeFile(options.output, content).catch((error: Error) => {
      throw usageFailure(`${options.output}: ${error.message}`);
    });
    context.note(`wrote version ${answer.version?.version ?? 0n} to ${options.output}`);
  }
  if (context.json) printMessage(context, GetResponseSchema, answer);
  else if (options.output === undefined) {
    if (format === Document_Format.PROTOBUF)
      throw usageFailure("the document is binary: say --output FILE or --json");
    context.print(decodeText("the document", content));
  }
  return "ok";
}

async function watchActive(context: Context, options: WatchOptions): Promise<ExitName> {
  const most = options.count === undefined ? Infinity : parsePositive("--count", options.count);
  let seen = 0;
  await followStream(
    context,
    (signal) =>
      context.admin().ruleSets.watchActive({ merchantId: context.merchant }, { signal, timeoutMs: 0 }),
    (told) => {
      if (context.json) context.print(`${toJsonString(WatchActiveResponseSchema, told)}\n`);
      else context.print(`${toPrintable(formatActive(told))}\n`);
      return ++seen >= most;
    },
  );
  return "ok";
}

function formatActive(told: WatchActiveResponse): string {
  const { version = 0n, name = "", hash = "", author = "" } = told.version ?? {};
  if (version === 0n) return "no version is active";
  return `${formatInstant(told.activeSince)} version ${version} ${hash.slice(0, 12)} ${name} by ${author}`;
}
