import type { Command } from "commander";
import {
  type ActivateResponse,
  ActivateResponseSchema,
  PushResponseSchema,
} from "../../gen/switchyard/v1/rule_set_service_pb.js";
import { parseCount, parsePositive } from "../arguments.ts";
import type { ExitName } from "../exit-codes.ts";
import { callFailure, formatDocumentFault } from "../failure.ts";
import { readDocumentFile } from "../files.ts";
import {
  type CommonOptions,
  type Context,
  findAuthor,
  printMessage,
  type Runner,
  withAdmin,
  withAuthor,
} from "../session.ts";

type ChangeOptions = CommonOptions & {
  readonly author?: string;
  readonly confirmLoosening?: boolean;
  readonly allowOrphans?: boolean;
};
type PushOptions = ChangeOptions & {
  readonly comment: string;
  readonly activate?: boolean;
  readonly base?: string;
};
type ActivateOptions = ChangeOptions & { readonly expected?: string };

/** `switchyard rules push|activate|rollback`: what changes how payments are decided. */
export function addRuleChangeCommands(rules: Command, run: Runner): void {
  const push = rules
    .command("push")
    .description("keep a rule set as the next version")
    .argument("<file>", "rule set in YAML or JSON (- for stdin)")
    .option("--comment <text>", "why", "")
    .option(
      "--base <version>",
      "the newest version that you have seen, 0 for none; by default the newest there is",
    )
    .option("--activate", "activate it at once");
  withChange(push).action(run<[string], PushOptions>(pushRuleSet));
  const activate = rules
    .command("activate")
    .description("make a version the active one")
    .argument("<version>", "version");
  withExpected(withChange(activate)).action(run<[string], ActivateOptions>(activateVersion));
  const rollback = rules.command("rollback").description("make the version active that was active before");
  withExpected(withChange(rollback)).action(run<[], ActivateOptions>(rollBack));
}

function withChange(command: Command): Command {
  return withAdmin(withAuthor(command))
    .option("--confirm-loosening", "may loosen rules of REGULATORY and SAFER_GAMBLING")
    .option("--allow-orphans", "may leave overrides without what they name");
}

function withExpected(command: Command): Command {
  return command.option("--expected <version>", "refuse where another version is active, 0 for none");
}

async function pushRuleSet(context: Context, options: PushOptions, path: string): Promise<ExitName> {
  const author = findAuthor(options.author, context.io.env);
  const document = await readDocumentFile(path, context.io);
  const { ruleSets } = context.admin();
  const base =
    options.base === undefined
      ? (await ruleSets.list({ merchantId: context.merchant, pageSize: 1 })).newestVersion
      : BigInt(parseCount("--base", options.base));
  const answer = await ruleSets
    .push({
      merchantId: context.merchant,
      document,
      baseVersion: base,
      author,
      comment: options.comment,
      activate: options.activate ?? false,
      ...pickConfirmations(options),
    })
    .catch((error: unknown) => {
      throw callFailure(error, path);
    });
  for (const warning of answer.warnings) context.note(formatDocumentFault(path, warning));
  if (context.json) printMessage(context, PushResponseSchema, answer);
  else {
    const { version = 0n, ruleCount = 0, hash = "", active = false } = answer.version ?? {};
    const standing = active ? "active" : `not active: switchyard rules activate ${version}`;
    context.print(`version ${version}, ${ruleCount} rules, hash ${hash.slice(0, 12)}, ${standing}\n`);
  }
  return "ok";
}

async function activateVersion(
  context: Context,
  options: ActivateOptions,
  version: string,
): Promise<ExitName> {
  const answer = await context.admin().ruleSets.activate({
    merchantId: context.merchant,
    version: BigInt(parsePositive("the version", version)),
    author: findAuthor(options.author, context.io.env),
    ...pickExpected(options),
    ...pickConfirmations(options),
  });
  return printActivated(context, answer);
}

async function rollBack(context: Context, options: ActivateOptions): Promise<ExitName> {
  const answer = await context.admin().ruleSets.rollback({
    merchantId: context.merchant,
    author: findAuthor(options.author, context.io.env),
    ...pickExpected(options),
    ...pickConfirmations(options),
  });
  return printActivated(context, answer);
}

function pickExpected({ expected }: ActivateOptions): { readonly expectedActiveVersion?: bigint } {
  return expected === undefined ? {} : { expectedActiveVersion: BigInt(parseCount("--expected", expected)) };
}

function pickConfirmations(options: ChangeOptions) {
  return {
    confirmLoosening: options.confirmLoosening ?? false,
    allowOrphans: options.allowOrphans ?? false,
  };
}

function printActivated(context: Context, answer: ActivateResponse): ExitName {
  if (context.json) {
    printMessage(context, ActivateResponseSchema, answer);
    return "ok";
  }
  const { version, previousVersion, orphanedOverrides } = answer;
  const before = previousVersion > 0n ? `, before it version ${previousVersion}` : "";
  context.print(`version ${version?.version ?? 0n} is active${before}\n`);
  if (orphanedOverrides.length > 0) context.print(`inert overrides: ${orphanedOverrides.join(", ")}\n`);
  return "ok";
}
