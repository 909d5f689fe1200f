import type { Context } from "./session.ts";

/**
 * Reads a stream that has no end of its own, until somebody has enough of it: `take`, by saying true, or a person, by Ctrl-C.
 *
 * The call is ended then: one that is merely not read any more would keep its connection, and so the process.
 */
export async function followStream<T>(
  { io }: Pick<Context, "io">,
  open: (signal: AbortSignal) => AsyncIterable<T>,
  take: (message: T) => boolean,
): Promise<void> {
  const interrupted = io.watchInterrupts();
  const enough = new AbortController();
  try {
    for await (const message of open(AbortSignal.any([interrupted, enough.signal]))) {
      if (take(message)) break;
    }
  } catch (error) {
    // Ctrl-C is how a person ends it.
    if (!interrupted.aborted) throw error;
  } finally {
    enough.abort();
  }
}
