import { create, type MessageInitShape } from "@bufbuild/protobuf";
import type { Command } from "commander";
import {
  type DecideRequest,
  DecideRequest_Initiator,
  DecideRequest_Mode,
  DecideRequestSchema,
  type DecideResponse,
  DecideResponse_Verdict,
  DecideResponseSchema,
} from "../../gen/switchyard/v1/decision_pb.js";
import { CardSchema } from "../../gen/switchyard/v1/payment_pb.js";
import { parseMoney } from "../amount.ts";
import { parseAssignment, parseCount, readInstant } from "../arguments.ts";
import { findGateway, formatGateway } from "../client.ts";
import type { ExitName } from "../exit-codes.ts";
import { callFailure, usageFailure } from "../failure.ts";
import { readMessageFile } from "../files.ts";
import { openGateway } from "../gateway-client.ts";
import { type CommonOptions, type Context, printMessage, type Runner, withAdmin } from "../session.ts";
import { formatDecision } from "../show-decision.ts";

type DecideOptions = CommonOptions & {
  readonly file?: string;
  readonly stdin?: boolean;
  readonly via: string;
  readonly trace?: boolean;
  readonly cashier?: boolean;
  readonly mit?: boolean;
  readonly expect?: string;
  readonly requestId?: string;
  readonly paymentId?: string;
  readonly revision?: string;
  readonly player?: string;
  readonly brand?: string;
  readonly kind?: string;
  readonly amount?: string;
  readonly currency?: string;
  readonly method?: string;
  readonly bin?: string;
  readonly lastFour?: string;
  readonly scheme?: string;
  readonly funding?: string;
  readonly issuer?: string;
  readonly issuerCountry?: string;
  readonly fingerprint?: string;
  readonly country?: string;
  readonly ipCountry?: string;
  readonly device?: string;
  readonly ip?: string;
  readonly trustScore?: string;
  readonly riskSignal?: readonly string[];
  readonly attribute?: readonly string[];
  readonly at?: string;
};

/** `switchyard decide`: one payment, by options or from a file, through the gateway listener. */
export function addDecideCommand(program: Command, run: Runner): void {
  const command = program
    .command("decide")
    .description("decide one payment; options go on top of what --file says")
    .option("--file <path>", "DecideRequest in JSON or YAML (- for stdin)")
    .option("--stdin", "the same as --file -")
    .option("--via <door>", "gateway or admin", "gateway")
    .option("--gateway <address>", "gateway listener (SWITCHYARD_CLI_GATEWAY; 127.0.0.1:50051)")
    .option("--trace", "show everything that led to the answer")
    .option("--expect <verdict>", "exit 1 where the verdict is another one: approve_route, review or deny")
    .option("--cashier", "ask what the cashier should show; decides and stores nothing")
    .option("--request-id <id>", "only correlates")
    .option("--payment-id <id>", "one intent of a player")
    .option("--revision <n>", "counts changes by the player, from 0")
    .option("--player <id>", "player")
    .option("--brand <id>", "brand of the merchant")
    .option("--kind <kind>", "deposit or withdrawal (deposit)")
    .option("--amount <money>", 'amount with its currency, such as "50.00 EUR"')
    .option("--currency <code>", "currency alone, for --cashier")
    .option("--method <name>", "payment method, such as card or pix")
    .option("--bin <digits>", "first 6 to 8 digits of the card; never a card number")
    .option("--last-four <digits>", "last four digits of the card")
    .option("--scheme <name>", "card scheme, such as visa")
    .option("--funding <kind>", "credit, debit, prepaid or charge")
    .option("--issuer <name>", "issuer of the card")
    .option("--issuer-country <code>", "country of the issuer")
    .option("--fingerprint <id>", "identifier of the card that is not its number")
    .option("--country <code>", "country that the player declared")
    .option("--ip-country <code>", "country of the IP address")
    .option("--device <id>", "device of the player")
    .option("--ip <address>", "IP address of the player")
    .option("--mit", "the merchant started the payment, under an agreement")
    .option("--trust-score <n>", "trust in the player, 0 to 100")
    .option("--risk-signal <signal...>", "signals of fraud tools")
    .option("--attribute <name=value...>", "declared attributes; values are JSON where they parse, else text")
    .option("--at <time>", "decide at this instant, for merchants whose clock is `request`");
  withAdmin(command).action(run<[], DecideOptions>(decide));
}

async function decide(context: Context, options: DecideOptions): Promise<ExitName> {
  const expected = options.expect === undefined ? undefined : parseVerdict(options.expect);
  const request = await makeRequest(context, options);
  const response = await sendRequest(context, options, request);
  if (context.json) printMessage(context, DecideResponseSchema, response);
  else context.print(formatDecision(response, context.paint));
  return expected === undefined || expected === response.verdict ? "ok" : "no";
}

async function sendRequest(
  context: Context,
  options: DecideOptions,
  request: DecideRequest,
): Promise<DecideResponse> {
  switch (options.via) {
    case "admin":
      return await context.admin().decisions.decide(request);
    case "gateway":
      return await decideByGateway(formatGateway(findGateway(options.gateway, context.io.env)), request);
    default:
      throw usageFailure(`--via must be gateway or admin, not ${JSON.stringify(options.via)}`);
  }
}

function decideByGateway(address: string, request: DecideRequest): Promise<DecideResponse> {
  const gateway = openGateway({ address, connections: 1 });
  return new Promise((resolve, reject) => {
    gateway.decide(request, (result) => {
      gateway.close();
      if (result.ok) resolve(result.response);
      else reject(callFailure(result.error));
    });
  });
}

async function makeRequest(context: Context, options: DecideOptions): Promise<DecideRequest> {
  const path = options.stdin ? "-" : options.file;
  const request =
    path === undefined
      ? create(DecideRequestSchema)
      : await readMessageFile(path, DecideRequestSchema, context.io);
  if (request.merchantId === "" || options.merchant !== undefined) request.merchantId = context.merchant;
  if (request.kind === "") request.kind = "deposit";
  Object.assign(request, pickTexts(options));
  if (options.amount !== undefined || options.currency !== undefined) {
    request.amount = create(DecideRequestSchema, { amount: readAmount(options) }).amount!;
  }
  const card = pickCard(options);
  if (card !== undefined) request.card = create(CardSchema, { ...request.card, ...card });
  if (options.revision !== undefined)
    request.revision = parseCount("--revision", options.revision, 1_000_000);
  if (options.trustScore !== undefined) request.trustScore = readNumber("--trust-score", options.trustScore);
  if (options.riskSignal !== undefined) request.riskSignals = [...options.riskSignal];
  for (const pair of options.attribute ?? []) {
    const [name, value] = parseAssignment("--attribute", pair);
    request.attributes[name] = value;
  }
  if (options.at !== undefined)
    request.decideAt = create(DecideRequestSchema, { decideAt: readInstant("--at", options.at) }).decideAt!;
  if (options.trace) request.trace = true;
  if (options.cashier) request.mode = DecideRequest_Mode.CASHIER;
  if (options.mit) request.initiator = DecideRequest_Initiator.MIT;
  return request;
}

function pickTexts(options: DecideOptions): Partial<DecideRequest> {
  return pickGiven({
    requestId: options.requestId,
    paymentId: options.paymentId,
    playerId: options.player,
    brand: options.brand,
    kind: options.kind,
    method: options.method,
    playerCountry: options.country,
    ipCountry: options.ipCountry,
    deviceId: options.device,
    ip: options.ip,
  });
}

function pickCard(options: DecideOptions): MessageInitShape<typeof CardSchema> | undefined {
  const card = pickGiven({
    bin: options.bin,
    lastFour: options.lastFour,
    scheme: options.scheme,
    funding: options.funding,
    issuer: options.issuer,
    issuerCountry: options.issuerCountry,
    fingerprint: options.fingerprint,
  });
  return Object.keys(card).length === 0 ? undefined : card;
}

/** What was given, without what was not. */
function pickGiven<T extends object>(values: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  const given = Object.entries(values).filter(([, value]) => value !== undefined);
  return Object.fromEntries(given) as { [K in keyof T]?: Exclude<T[K], undefined> };
}

function readAmount({ amount, currency }: DecideOptions): { minorUnits: bigint; currencyCode: string } {
  if (amount === undefined) return { minorUnits: 0n, currencyCode: currency ?? "" };
  const parsed = parseMoney(currency === undefined ? amount : `${amount} ${currency}`);
  if (!parsed.ok) throw usageFailure(`--amount ${JSON.stringify(amount)} ${parsed.message}`);
  return { minorUnits: BigInt(parsed.money.minorUnits), currencyCode: parsed.money.currencyCode };
}

function readNumber(name: string, text: string): number {
  const value = Number(text);
  if (text.trim() !== "" && Number.isFinite(value)) return value;
  throw usageFailure(`${name} must be a number, not ${JSON.stringify(text)}`);
}

function parseVerdict(text: string): DecideResponse_Verdict {
  const name = text.toUpperCase().replace("-", "_");
  const verdict = DecideResponse_Verdict[name as keyof typeof DecideResponse_Verdict];
  if (name !== "VERDICT_UNSPECIFIED" && typeof verdict === "number") return verdict;
  throw usageFailure(`--expect must be approve_route, review or deny, not ${JSON.stringify(text)}`);
}
