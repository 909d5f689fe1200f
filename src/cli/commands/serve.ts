import type { Command } from "commander";
import type { ExitName } from "../exit-codes.ts";
import { CliFailure } from "../failure.ts";
import { readDocumentFile } from "../files.ts";
import { findRuleSetFiles } from "../offline.ts";
import type { CommonOptions, Context, Runner } from "../session.ts";
import { formatValidation, validateOffline } from "./rules-validate.ts";

type ServeOptions = CommonOptions & { readonly check?: boolean };

/** `switchyard serve`: the service itself, set up by the environment. */
export function addServeCommand(program: Command, run: Runner): void {
  program
    .command("serve")
    .description("start the service, set up by SWITCHYARD_* variables of the environment")
    .option("--check", "only check the configuration, the merchants file and the rule sets that it names")
    .action(run<[], ServeOptions>(serveOrCheck));
}

async function serveOrCheck(context: Context, options: ServeOptions): Promise<ExitName> {
  if (options.check) return await checkSetup(context);
  // The service's parts are only loaded by those who serve.
  const { serve } = await import("../serve.ts");
  const code = await serve(context.io.env);
  if (code !== 0) throw new CliFailure("no", []);
  return "ok";
}

async function checkSetup(context: Context): Promise<ExitName> {
  const files = await findRuleSetFiles(context.io.env);
  let isRight = true;
  for (const file of files) {
    const answer = validateOffline(await readDocumentFile(file, context.io));
    isRight &&= answer.valid;
    context.print(formatValidation(context, file, answer));
  }
  return isRight ? "ok" : "no";
}
