import { Code, type ConnectError } from "@connectrpc/connect";
import { VersionConflictSchema } from "../gen/switchyard/v1/fault_pb.js";

/** How a command ends, for scripts. `docs/cli.md` lists them too, and a test compares the two. */
export const exitCodes = {
  ok: { code: 0, meaning: "Done; the answer is yes." },
  no: {
    code: 1,
    meaning:
      "Done; the answer is no: a document or a configuration has faults, a verdict is not the expected one, something differs, not all was replayed.",
  },
  usage: { code: 2, meaning: "The command line or a file that it names is wrong; nothing was called." },
  unreachable: { code: 3, meaning: "The service can't be reached, is overloaded or too slow: try again." },
  refused: {
    code: 4,
    meaning:
      "The service refused the call: a field is wrong, something is unknown, or it must not be done as things stand.",
  },
  conflict: { code: 5, meaning: "Somebody else was first: look at what stands now, then try again." },
  broken: { code: 6, meaning: "A bug, here or in the service." },
} as const satisfies Record<string, { readonly code: number; readonly meaning: string }>;

export type ExitName = keyof typeof exitCodes;

/** What the end of `--help` says of exit codes. */
export function describeExitCodes(): string {
  const lines = Object.values(exitCodes).map(({ code, meaning }) => `  ${code}  ${meaning}`);
  return `\nExit codes:\n${lines.join("\n")}\n`;
}

/** How a command ends after an error of a call. */
export function exitOf(error: ConnectError): ExitName {
  switch (error.code) {
    case Code.InvalidArgument:
    case Code.NotFound:
    case Code.FailedPrecondition:
    case Code.OutOfRange:
    case Code.AlreadyExists:
    case Code.PermissionDenied:
    case Code.Unauthenticated:
    case Code.Unimplemented:
      return "refused";
    case Code.Aborted:
      // Connect's client also says Aborted of a connection that was reset, but without this detail.
      return error.findDetails(VersionConflictSchema).length > 0 ? "conflict" : "unreachable";
    case Code.Unavailable:
    case Code.DeadlineExceeded:
    case Code.ResourceExhausted:
    case Code.Canceled:
      return "unreachable";
    default:
      return "broken";
  }
}
