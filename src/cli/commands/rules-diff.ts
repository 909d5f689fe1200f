import type { Command } from "commander";
import {
  type Difference,
  Difference_Kind,
  type DiffResponse,
  DiffResponseSchema,
} from "../../gen/switchyard/v1/rule_set_service_pb.js";
import type { ExitName } from "../exit-codes.ts";
import { callFailure, usageFailure } from "../failure.ts";
import { type DocumentFile, readDocumentFile } from "../files.ts";
import type { Paint } from "../io.ts";
import { type CommonOptions, type Context, printMessage, type Runner, withAdmin } from "../session.ts";
import { toPrintable } from "../table.ts";

type DiffOptions = CommonOptions & { readonly exitCode?: boolean };

/** `switchyard rules diff`: what is different, by section and id. */
export function addRuleDiffCommand(rules: Command, run: Runner): void {
  const command = rules
    .command("diff")
    .description(
      "compare two versions, or a version and a file; by default the active version and the newest",
    )
    .argument("[from]", "version to compare from; the active one where only one thing is given")
    .argument("[to]", "version or file to compare to")
    .option("--exit-code", "exit 1 where something differs");
  withAdmin(command).action(run<[string | undefined, string | undefined], DiffOptions>(diff));
}

async function diff(
  context: Context,
  options: DiffOptions,
  first?: string,
  second?: string,
): Promise<ExitName> {
  const from = second === undefined ? undefined : first;
  const to = second ?? first;
  if (from !== undefined && !isVersion(from)) {
    throw usageFailure(`the first of two must be a version, not ${JSON.stringify(from)}`);
  }
  const path = to === undefined || isVersion(to) ? undefined : to;
  const document: DocumentFile | undefined =
    path === undefined ? undefined : await readDocumentFile(path, context.io);
  const answer = await context
    .admin()
    .ruleSets.diff({
      merchantId: context.merchant,
      fromVersion: BigInt(from ?? 0),
      ...(document !== undefined ? { document } : { toVersion: BigInt(to ?? 0) }),
    })
    .catch((error: unknown) => {
      throw callFailure(error, path);
    });
  if (context.json) printMessage(context, DiffResponseSchema, answer);
  else context.print(formatDiff(answer, context.paint, path));
  return options.exitCode && answer.differences.length > 0 ? "no" : "ok";
}

function isVersion(text: string): boolean {
  return /^[0-9]{1,15}$/.test(text);
}

function formatDiff(
  { differences, omitted, fromVersion, toVersion }: DiffResponse,
  paint: Paint,
  path?: string,
): string {
  const to = path === undefined ? `version ${toVersion}` : toPrintable(path);
  const head = `version ${fromVersion} to ${to}: `;
  if (differences.length === 0) return `${head}no difference\n`;
  const lines = differences.flatMap((each, i) => {
    const isNewSection = i === 0 || differences[i - 1]!.section !== each.section;
    return [
      ...(isNewSection ? [paint.bold(toPrintable(each.section))] : []),
      ...formatDifference(each, paint),
    ];
  });
  const count = differences.length + omitted;
  if (omitted > 0) lines.push(`and ${omitted} more`);
  return `${[`${head}${count} ${count === 1 ? "difference" : "differences"}`, ...lines].join("\n")}\n`;
}

/** `+` only in the second, `-` only in the first, `~` in both and not the same, with its fields. */
function formatDifference({ kind, id, fields, loosens }: Difference, paint: Paint): readonly string[] {
  const warning = loosens ? paint.yellow(" (may loosen the law)") : "";
  const name = toPrintable(id);
  switch (kind) {
    case Difference_Kind.ADDED:
      return [`${paint.green(`  + ${name}`)}${warning}`];
    case Difference_Kind.REMOVED:
      return [`${paint.red(`  - ${name}`)}${warning}`];
    default:
      return [
        `${paint.yellow(`  ~ ${name}`)}${warning}`,
        ...fields.flatMap(({ path, before, after }) => [
          ...(before === "" ? [] : [paint.red(`      - ${toPrintable(`${path}: ${before}`)}`)]),
          ...(after === "" ? [] : [paint.green(`      + ${toPrintable(`${path}: ${after}`)}`)]),
        ]),
      ];
  }
}
