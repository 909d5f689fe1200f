import { createHash } from "node:crypto";
import { resolve } from "node:path";
import type { Compilation, DocumentFormat } from "../core/rules/compilation.ts";
import { judgeDocument } from "../core/rules/compile/compile.ts";
import { Document_Format } from "../gen/switchyard/v1/rule_set_service_pb.js";
import { loadConfig } from "../platform/config.ts";
import { CliFailure, usageFailure } from "./failure.ts";
import type { DocumentFile } from "./files.ts";
import type { Io } from "./io.ts";

/** Checks a rule set here, without a service, by the code that serves. */
export function judgeOffline({ content, format }: DocumentFile, nowMs: number): Compilation {
  const sha256 = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");
  return judgeDocument({ document: content, format: nameFormat(format), nowMs, sha256 }).compilation;
}

function nameFormat(format: Document_Format): DocumentFormat {
  switch (format) {
    case Document_Format.JSON:
      return "JSON";
    case Document_Format.PROTOBUF:
      return "PROTOBUF";
    default:
      return "YAML";
  }
}

/**
 * Reads the configuration, the merchants file and the BIN table as a start would, and gives the files of the rule sets that merchants start
 * with.
 *
 * Fails: with every fault, as "the answer is no".
 */
export async function findRuleSetFiles(env: Io["env"]): Promise<readonly string[]> {
  const loaded = loadConfig(env);
  if (!loaded.ok) throw new CliFailure("no", loaded.faults);
  // The service's parts are only loaded by those who ask for them.
  const { listRuleSetFiles } = await import("../app.ts");
  const listed = await listRuleSetFiles(loaded.config);
  if (!listed.ok) throw new CliFailure("no", listed.faults);
  const files = [...new Set(listed.files)];
  if (files.length === 0) throw usageFailure(`${resolve(loaded.config.merchantsFile)} names no rule set`);
  return files;
}
