import { ConnectError } from "@connectrpc/connect";
import { Command, CommanderError } from "commander";
import { addDecideCommand } from "./commands/decide.ts";
import { addEventCommands } from "./commands/events.ts";
import { addOverrideCommands } from "./commands/overrides.ts";
import { addPlayerCommands } from "./commands/players.ts";
import { addPspCommands } from "./commands/psps.ts";
import { addReplayCommand } from "./commands/replay.ts";
import { addRuleCommands } from "./commands/rules.ts";
import { addSegmentCommands } from "./commands/segments.ts";
import { addServeCommand } from "./commands/serve.ts";
import { describeExitCodes, type ExitName, exitCodes } from "./exit-codes.ts";
import { CliFailure, callFailure } from "./failure.ts";
import { choosePaint, type Io } from "./io.ts";
import { makeRunner } from "./session.ts";
import { toPrintable } from "./table.ts";

/**
 * Runs one command line (without `node` and the script).
 *
 * Gives the exit code: what went wrong is told on stderr, never thrown. Codes: `exitCodes`.
 */
export async function runCli(argv: readonly string[], io: Io): Promise<number> {
  let exit: ExitName = "ok";
  const program = makeProgram(io, (ended) => {
    exit = ended;
  });
  try {
    await program.parseAsync(argv, { from: "user" });
  } catch (error) {
    exit = tellFailure(error, io);
  }
  return exitCodes[exit].code;
}

function makeProgram(io: Io, end: (exit: ExitName) => void): Command {
  const program = new Command("switchyard")
    .description("Decides what should happen to payments, and manages the rules by which it does.")
    .helpCommand(false)
    .showHelpAfterError("(--help tells what there is)")
    .exitOverride()
    .configureOutput({
      writeOut: (text) => io.out.write(text),
      writeErr: (text) => io.err.write(text),
      getOutHelpWidth: () => io.out.columns,
      getErrHelpWidth: () => io.err.columns,
      getOutHasColors: () => false,
      getErrHasColors: () => false,
    });
  const run = makeRunner(io, end);
  addServeCommand(program, run);
  addDecideCommand(program, run);
  addRuleCommands(program, run);
  addPspCommands(program, run);
  addOverrideCommands(program, run);
  addPlayerCommands(program, run);
  addSegmentCommands(program, run);
  addEventCommands(program, run);
  addReplayCommand(program, run);
  inherit(program);
  program.addHelpText("afterAll", describeExitCodes());
  return program;
}

/** Commander copies settings to commands when they are made; those that were made by hand get them here. */
function inherit(command: Command): void {
  for (const child of command.commands) {
    child.copyInheritedSettings(command);
    inherit(child);
  }
}

function tellFailure(error: unknown, io: Io): ExitName {
  if (error instanceof CommanderError) {
    // Commander has told it already; asking for help is no mistake.
    return error.exitCode === 0 ? "ok" : "usage";
  }
  const failure = error instanceof ConnectError ? callFailure(error) : error;
  const paint = choosePaint(io.err, io.env);
  if (failure instanceof CliFailure) {
    // Lines may quote a file or an answer, so they are made safe to show.
    const lines = failure.lines.flatMap((line) => line.split("\n")).map(toPrintable);
    for (const [i, line] of lines.entries()) io.err.write(`${i === 0 ? paint.red(line) : line}\n`);
    return failure.exit;
  }
  io.err.write(`${paint.red("a bug:")} ${error instanceof Error ? error.stack : String(error)}\n`);
  return "broken";
}
