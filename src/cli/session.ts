import { type DescMessage, type JsonValue, type MessageShape, toJson } from "@bufbuild/protobuf";
import { type Timestamp, timestampMs } from "@bufbuild/protobuf/wkt";
import type { Command } from "commander";
import { type Admin, findAdminUrl, openAdmin } from "./client.ts";
import type { ExitName } from "./exit-codes.ts";
import { usageFailure } from "./failure.ts";
import { choosePaint, type Io, type Paint } from "./io.ts";
import { toPrintable } from "./table.ts";

/** Options that most commands have. */
export type CommonOptions = {
  readonly admin?: string;
  readonly gateway?: string;
  readonly json?: boolean;
  readonly merchant?: string;
};

/** What a command works with. */
export type Context = {
  readonly io: Io;
  readonly paint: Paint;
  /** Tenant that the command is about. */
  readonly merchant: string;
  readonly json: boolean;
  /** Clients of the admin listener; opened when first asked for. */
  readonly admin: () => Admin;
  /** Writes to stdout. */
  readonly print: (text: string) => void;
  /** Writes a line to stderr: what is worth knowing and no part of the answer. */
  readonly note: (line: string) => void;
};

/** Turns what a command does into what commander calls: operands first, then its options. */
export type Runner = <Operands extends readonly unknown[], Options extends CommonOptions>(
  act: (context: Context, options: Options, ...operands: Operands) => Promise<ExitName>,
) => (...given: unknown[]) => Promise<void>;

/** Makes the runner of one invocation; `end` is told how the command ended. */
export function makeRunner(io: Io, end: (exit: ExitName) => void): Runner {
  return (act) =>
    async (...given) => {
      // Commander hands over the operands, then the options, then the command itself.
      const command = given.at(-1) as Command;
      const options = command.opts() as Parameters<typeof act>[1];
      const operands = given.slice(0, -2) as unknown as Parameters<typeof act> extends [
        unknown,
        unknown,
        ...infer O,
      ]
        ? O
        : never;
      end(await act(makeContext(io, options), options, ...(operands as never)));
    };
}

function makeContext(io: Io, options: CommonOptions): Context {
  let admin: Admin | undefined;
  return {
    io,
    paint: choosePaint(io.out, io.env),
    merchant: options.merchant ?? "default",
    json: options.json ?? false,
    admin: () => (admin ??= openAdmin(findAdminUrl(options.admin, io.env))),
    print: (text) => io.out.write(text),
    note: (line) => io.err.write(`${toPrintable(line)}\n`),
  };
}

function withMerchant(command: Command): Command {
  return command.option("-m, --merchant <id>", "tenant that the command is about (default)");
}

export function withJson(command: Command): Command {
  return command.option("--json", "print one JSON document instead of tables");
}

/** The options of a command that calls the admin listener about a merchant. */
export function withAdmin(command: Command): Command {
  return withJson(withMerchant(command)).option(
    "--admin <url>",
    "admin listener (SWITCHYARD_CLI_ADMIN; http://127.0.0.1:8080)",
  );
}

export function withAuthor(command: Command): Command {
  return command.option("--author <name>", "who answers for it (SWITCHYARD_CLI_AUTHOR)");
}

/** Who answers for a change: nobody is guessed, since the audit trail keeps the name. */
export function findAuthor(option: string | undefined, env: Io["env"]): string {
  const author = option ?? env.SWITCHYARD_CLI_AUTHOR ?? "";
  if (author !== "") return author;
  throw usageFailure("who answers for this change? Say --author NAME, or set SWITCHYARD_CLI_AUTHOR");
}

/** Prints a message as one document in the JSON mapping of protobuf. */
export function printMessage<Desc extends DescMessage>(
  context: Context,
  schema: Desc,
  message: MessageShape<Desc>,
): void {
  printJson(context, toJson(schema, message));
}

export function printJson({ print }: Context, value: JsonValue): void {
  print(`${JSON.stringify(value, undefined, 2)}\n`);
}

/** ISO 8601 in UTC; empty where there is no instant. */
export function formatInstant(instant: Timestamp | undefined): string {
  if (instant === undefined) return "";
  return new Date(timestampMs(instant)).toISOString().replace(".000Z", "Z");
}
