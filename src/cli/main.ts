#!/usr/bin/env node
import type { Io, Terminal } from "./io.ts";
import { runCli } from "./program.ts";

const columnsDefault = 80;
/** What a shell says of a process that Ctrl-C ended. */
const interruptedCode = 130;

function openTerminal(stream: NodeJS.WriteStream): Terminal {
  // Whoever reads a pipe may stop, as `head` does; nobody is left to tell then.
  stream.on("error", (error: NodeJS.ErrnoException) => process.exit(error.code === "EPIPE" ? 0 : 1));
  return {
    write: (text) => void stream.write(text),
    isTty: stream.isTTY === true,
    columns: stream.columns ?? columnsDefault,
  };
}

async function readStdin(): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of process.stdin) chunks.push(chunk as Uint8Array);
  return Buffer.concat(chunks);
}

function watchInterrupts(): AbortSignal {
  const controller = new AbortController();
  process.on("SIGINT", () => {
    if (controller.signal.aborted) process.exit(interruptedCode);
    controller.abort();
  });
  return controller.signal;
}

const io: Io = {
  out: openTerminal(process.stdout),
  err: openTerminal(process.stderr),
  env: process.env,
  readStdin,
  watchInterrupts,
};

process.exitCode = await runCli(process.argv.slice(2), io);
