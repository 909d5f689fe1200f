import type { Command } from "commander";
import {
  BreakerStatus_State,
  ListPspsResponseSchema,
  type PspStatus,
  PspStatus_State,
  SetPspStateResponseSchema,
} from "../../gen/switchyard/v1/psp_pb.js";
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
import { type Cell, type Column, formatTable } from "../table.ts";

type SetOptions = CommonOptions & { readonly reason: string; readonly author?: string };

const stateByVerb: Readonly<Record<string, PspStatus_State>> = {
  enable: PspStatus_State.ENABLED,
  drain: PspStatus_State.DRAINING,
  disable: PspStatus_State.DISABLED,
};

/** `switchyard psps list|set`: PSPs at run time. */
export function addPspCommands(program: Command, run: Runner): void {
  const psps = program.command("psps").description("PSPs at run time");
  withAdmin(
    psps
      .command("list")
      .description("list the PSPs of the active rule set, with their breakers and maintenance"),
  ).action(run<[], CommonOptions>(listPsps));
  const set = psps
    .command("set")
    .description("enable, drain or disable a PSP, from the next decision on")
    .argument("<psp>", "id of the PSP")
    .argument("<state>", "enable, drain (planned steps stand) or disable (planned steps are cut)")
    .requiredOption("--reason <text>", "why");
  withAdmin(withAuthor(set)).action(run<[string, string], SetOptions>(setPsp));
}

async function listPsps(context: Context): Promise<ExitName> {
  const answer = await context.admin().psps.listPsps({ merchantId: context.merchant });
  if (context.json) printMessage(context, ListPspsResponseSchema, answer);
  else
    context.print(`${formatPsps(answer.psps, context.paint)}\n${formatBreakers(answer.psps, context.paint)}`);
  return "ok";
}

async function setPsp(context: Context, options: SetOptions, psp: string, verb: string): Promise<ExitName> {
  const state = Object.hasOwn(stateByVerb, verb) ? stateByVerb[verb] : undefined;
  if (state === undefined)
    throw usageFailure(`the state must be enable, drain or disable, not ${JSON.stringify(verb)}`);
  const author = findAuthor(options.author, context.io.env);
  const request = { merchantId: context.merchant, psp, state, author, reason: options.reason };
  const answer = await context.admin().psps.setPspState(request);
  if (context.json) printMessage(context, SetPspStateResponseSchema, answer);
  else context.print(formatPsps(answer.psp === undefined ? [] : [answer.psp], context.paint));
  return "ok";
}

function formatPsps(psps: readonly PspStatus[], paint: Paint): string {
  const rows = psps.map((psp): Cell[] => [
    psp.psp,
    {
      text: PspStatus_State[psp.state] ?? "",
      paint: psp.state === PspStatus_State.ENABLED ? paint.green : paint.yellow,
    },
    psp.enabledInRuleSet ? "yes" : "no",
    psp.methods.join(", "),
    formatMaintenance(psp),
    formatInstant(psp.since),
    psp.author,
    psp.reason,
  ]);
  const titles = ["PSP", "State", "In rule set", "Methods", "Maintenance", "Since", "Author", "Reason"];
  return formatTable(
    titles.map((title) => ({ title })),
    rows,
    paint.bold,
  );
}

function formatMaintenance({ maintenance }: PspStatus): string {
  if (maintenance === undefined) return "";
  return `${formatInstant(maintenance.from)} to ${formatInstant(maintenance.until)}`;
}

/** A row per breaker, those of one PSP together. */
function formatBreakers(psps: readonly PspStatus[], paint: Paint): string {
  const paints = {
    [BreakerStatus_State.STATE_UNSPECIFIED]: paint.red,
    [BreakerStatus_State.CLOSED]: paint.green,
    [BreakerStatus_State.OPEN]: paint.red,
    [BreakerStatus_State.HALF_OPEN]: paint.yellow,
  };
  const rows = psps.flatMap(({ psp, breakers }) =>
    breakers.map((breaker): Cell[] => [
      psp,
      breaker.threeDs ? "3DS" : breaker.method === "" ? "all" : breaker.method,
      { text: BreakerStatus_State[breaker.state] ?? "", paint: paints[breaker.state] },
      `${breaker.failures}/${breaker.calls}`,
      String(breaker.probes),
      formatInstant(breaker.since),
      formatInstant(breaker.nextProbeAt),
      breaker.reason,
    ]),
  );
  const columns: Column[] = [
    { title: "PSP" },
    { title: "Breaker of" },
    { title: "State" },
    { title: "Failed", align: "right" },
    { title: "Probes", align: "right" },
    { title: "Since" },
    { title: "Next probe" },
    { title: "Reason" },
  ];
  return formatTable(columns, rows, paint.bold);
}
