import type { Io } from "../../src/cli/io.ts";

/** A process for one command, with what it wrote. */
export type CapturedIo = Io & {
  readonly stdout: () => string;
  readonly stderr: () => string;
  readonly interrupt: () => void;
};

export function makeIo(
  given: { readonly env?: Io["env"]; readonly stdin?: string; readonly isTty?: boolean } = {},
): CapturedIo {
  let stdout = "";
  let stderr = "";
  const interrupts = new AbortController();
  const isTty = given.isTty ?? false;
  return {
    out: {
      write: (text) => {
        stdout += text;
      },
      isTty,
      columns: 100,
    },
    err: {
      write: (text) => {
        stderr += text;
      },
      isTty,
      columns: 100,
    },
    env: given.env ?? {},
    readStdin: async () => new TextEncoder().encode(given.stdin ?? ""),
    watchInterrupts: () => interrupts.signal,
    stdout: () => stdout,
    stderr: () => stderr,
    interrupt: () => interrupts.abort(),
  };
}
