import { create } from "@bufbuild/protobuf";
import type { Command } from "commander";
import {
  type DecideRequest,
  DecideRequestSchema,
  type DecideResponse,
  DecideResponse_Verdict,
} from "../../gen/switchyard/v1/decision_pb.js";
import { type Simulated, SimulateResponseSchema } from "../../gen/switchyard/v1/rule_set_service_pb.js";
import { parsePositive } from "../arguments.ts";
import type { ExitName } from "../exit-codes.ts";
import { callFailure, usageFailure } from "../failure.ts";
import { decodeText, parseMessage, readBytes, readDocumentFile } from "../files.ts";
import type { Paint } from "../io.ts";
import { type CommonOptions, type Context, printMessage, type Runner, withAdmin } from "../session.ts";
import { type Cell, formatTable } from "../table.ts";

const batchMax = 1_000;
const paymentsMax = 100_000;
const paymentsBytesMax = 256 * 1024 * 1024;

type SimulateOptions = CommonOptions & {
  readonly version?: string;
  readonly payments: string;
  readonly all?: boolean;
  readonly exitCode?: boolean;
};

/** `switchyard rules simulate`: what would a draft change? */
export function addRuleSimulateCommand(rules: Command, run: Runner): void {
  const command = rules
    .command("simulate")
    .description("decide payments by a draft beside the active rule set, on current state; stores nothing")
    .argument("[file]", "rule set to try")
    .option("--version <n>", "a version to try, instead of a file")
    .requiredOption("--payments <file>", "DecideRequests in JSON, one a line (- for stdin)")
    .option("--all", "show payments that stay the same too")
    .option("--exit-code", "exit 1 where something would change");
  withAdmin(command).action(run<[string | undefined], SimulateOptions>(simulate));
}

async function simulate(
  context: Context,
  options: SimulateOptions,
  path: string | undefined,
): Promise<ExitName> {
  if ((path === undefined) === (options.version === undefined)) {
    throw usageFailure("say either a FILE or --version N to try");
  }
  const target =
    path === undefined
      ? { version: BigInt(parsePositive("--version", options.version!)) }
      : { document: await readDocumentFile(path, context.io) };
  const payments = await readPayments(context, options.payments);
  const results: Simulated[] = [];
  let changed = 0;
  for (let from = 0; from < payments.length; from += batchMax) {
    const batch = payments.slice(from, from + batchMax);
    const answer = await context
      .admin()
      .ruleSets.simulate({ merchantId: context.merchant, ...target, payments: batch })
      .catch((error: unknown) => {
        throw callFailure(error, path);
      });
    results.push(...answer.results);
    changed += answer.changed;
  }
  if (context.json)
    printMessage(context, SimulateResponseSchema, create(SimulateResponseSchema, { results, changed }));
  else
    context.print(formatSimulation({ payments, results, changed, all: options.all ?? false }, context.paint));
  return options.exitCode && changed > 0 ? "no" : "ok";
}

async function readPayments(context: Context, path: string): Promise<readonly DecideRequest[]> {
  const text = decodeText(path, await readBytes(path, context.io, paymentsBytesMax));
  const payments = text.split("\n").flatMap((line, i): DecideRequest[] => {
    if (line.trim() === "") return [];
    return [parseMessage(`${path}:${i + 1}`, line, DecideRequestSchema)];
  });
  if (payments.length === 0) throw usageFailure(`${path}: holds no payments`);
  if (payments.length > paymentsMax) throw usageFailure(`${path}: holds more than ${paymentsMax} payments`);
  return payments;
}

function formatSimulation(
  simulation: {
    readonly payments: readonly DecideRequest[];
    readonly results: readonly Simulated[];
    readonly changed: number;
    readonly all: boolean;
  },
  paint: Paint,
): string {
  const { payments, results, changed, all } = simulation;
  const rows = results.flatMap((result, i): Cell[][] => {
    if (result.changed.length === 0 && !all) return [];
    return [
      [
        payments[i]?.paymentId ?? "",
        { text: result.changed.join(", "), paint: paint.yellow },
        compare(result, ({ verdict }) => DecideResponse_Verdict[verdict] ?? ""),
        compare(result, ({ reasons }) => reasons[0]?.code ?? "-"),
        compare(result, ({ plan }) => plan?.steps.map(({ psp }) => psp).join(" ") || "-"),
      ],
    ];
  });
  const titles = ["Payment", "Changed", "Verdict", "First reason", "PSPs"];
  const table =
    rows.length === 0
      ? ""
      : formatTable(
          titles.map((title) => ({ title })),
          rows,
          paint.bold,
        );
  return `${table}${changed} of ${results.length} payments would change\n`;
}

/** What stays the same once, what changes as `before -> after`. */
function compare({ active, draft }: Simulated, show: (decision: DecideResponse) => string): string {
  const before = active === undefined ? "none" : show(active);
  const after = draft === undefined ? "none" : show(draft);
  return before === after ? after : `${before} -> ${after}`;
}
