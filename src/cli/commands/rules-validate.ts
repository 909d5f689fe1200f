import { create, type JsonValue, toJson } from "@bufbuild/protobuf";
import type { Command } from "commander";
import { DocumentFault_Severity } from "../../gen/switchyard/v1/fault_pb.js";
import {
  type ValidateResponse,
  ValidateResponseSchema,
} from "../../gen/switchyard/v1/rule_set_service_pb.js";
import type { ExitName } from "../exit-codes.ts";
import { callFailure, formatDocumentFault } from "../failure.ts";
import { type DocumentFile, readDocumentFile } from "../files.ts";
import { findRuleSetFiles, judgeOffline } from "../offline.ts";
import { type CommonOptions, type Context, printJson, type Runner, withAdmin } from "../session.ts";

type ValidateOptions = CommonOptions & { readonly offline?: boolean };

/** `switchyard rules validate`: are these documents right? */
export function addRuleValidateCommand(rules: Command, run: Runner): void {
  const command = rules
    .command("validate")
    .description("check rule sets; without FILE, offline, those that the merchants file names")
    .argument("[file...]", "rule sets in YAML or JSON (- for stdin)")
    .option("--offline", "check here, without a service");
  withAdmin(command).action(run<[readonly string[]], ValidateOptions>(validate));
}

async function validate(
  context: Context,
  options: ValidateOptions,
  paths: readonly string[],
): Promise<ExitName> {
  const offline = options.offline === true || paths.length === 0;
  const files = paths.length === 0 ? await findRuleSetFiles(context.io.env) : paths;
  const answers: (readonly [file: string, answer: ValidateResponse])[] = [];
  for (const file of files) {
    const document = await readDocumentFile(file, context.io);
    answers.push([file, offline ? validateOffline(document) : await validateOnline(context, file, document)]);
  }
  if (context.json) {
    const documents = answers.map(([file, answer]) => ({
      file,
      ...(toJson(ValidateResponseSchema, answer) as object),
    }));
    printJson(context, { files: documents } as JsonValue);
  } else for (const [file, answer] of answers) context.print(formatValidation(context, file, answer));
  return answers.every(([, { valid }]) => valid) ? "ok" : "no";
}

/** By the code that serves, in this process. */
export function validateOffline(document: DocumentFile): ValidateResponse {
  const { faults, faultsOmitted, hash, ruleCount } = judgeOffline(document, Date.now());
  return create(ValidateResponseSchema, {
    valid: hash !== "",
    faults: faults.map((fault) => ({ ...fault, severity: DocumentFault_Severity[fault.severity] })),
    faultsOmitted,
    hash,
    ruleCount,
  });
}

async function validateOnline(
  context: Context,
  file: string,
  document: DocumentFile,
): Promise<ValidateResponse> {
  try {
    return await context.admin().ruleSets.validate({ merchantId: context.merchant, document });
  } catch (error) {
    throw callFailure(error, file);
  }
}

export function formatValidation(
  { paint }: Pick<Context, "paint">,
  file: string,
  answer: ValidateResponse,
): string {
  const { valid, faults, faultsOmitted, hash, ruleCount } = answer;
  const lines = faults.map((fault) => {
    const isError = fault.severity === DocumentFault_Severity.ERROR;
    return (isError ? paint.red : paint.yellow)(formatDocumentFault(file, fault));
  });
  if (faultsOmitted > 0) lines.push(`${file} and ${faultsOmitted} more`);
  if (valid) lines.push(paint.green(`${file}: valid, ${ruleCount} rules, hash ${hash.slice(0, 12)}`));
  return lines.map((line) => `${line}\n`).join("");
}
