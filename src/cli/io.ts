/** A stream that people or machines read. */
export type Terminal = {
  readonly write: (text: string) => void;
  readonly isTty: boolean;
  /** Width in characters; 80 where nobody says. */
  readonly columns: number;
};

/** All that a command may touch of the process: so that a test can be the terminal. */
export type Io = {
  readonly out: Terminal;
  readonly err: Terminal;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly readStdin: () => Promise<Uint8Array>;
  /** From the first call on, Ctrl-C aborts this signal instead of ending the process; a second one ends it. */
  readonly watchInterrupts: () => AbortSignal;
};

/** Colours for one terminal; without colours each function gives its text back. */
export type Paint = Readonly<Record<keyof typeof codes, (text: string) => string>>;

const codes = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33, cyan: 36 } as const;

/** Colours only where a person looks and has not asked for none (https://no-color.org). */
export function choosePaint(terminal: Terminal, env: Io["env"]): Paint {
  const colourful = terminal.isTty && (env.NO_COLOR ?? "") === "" && env.TERM !== "dumb";
  const paintWith = (code: number) => (text: string) =>
    colourful && text !== "" ? `\u001b[${code}m${text}\u001b[0m` : text;
  return {
    bold: paintWith(codes.bold),
    dim: paintWith(codes.dim),
    red: paintWith(codes.red),
    green: paintWith(codes.green),
    yellow: paintWith(codes.yellow),
    cyan: paintWith(codes.cyan),
  };
}
