/**
 * Answers requests as they come and gives the answers back in the order of the requests, with at most `openMax` requests read and not answered:
 * beyond that it does not read on, so that whoever sends is held back.
 *
 * `answer` begins its work before it returns, so that requests take effect in their order. Where it rejects, or where the requests end badly,
 * the answers before are still given, then the failure is thrown. Where the caller stops listening nothing more is read.
 */
export async function* pipeline<I, O>(
  requests: AsyncIterable<I>,
  answer: (request: I) => Promise<O>,
  openMax: number,
): AsyncGenerator<O> {
  const open: Promise<O>[] = [];
  let wakeWriter = (): void => {};
  let wakeReader = (): void => {};
  let stopped = false;
  let ended = false;
  let failure: { readonly cause: unknown } | undefined;

  const read = async (): Promise<void> => {
    try {
      for await (const request of requests) {
        if (stopped) return;
        const answered = answer(request);
        // Heard by the writer when its turn comes; until then nobody shall call it unhandled.
        answered.catch(() => {});
        open.push(answered);
        wakeWriter();
        while (open.length >= openMax && !stopped) {
          await new Promise<void>((resolve) => {
            wakeReader = resolve;
          });
        }
        if (stopped) return;
      }
    } catch (cause) {
      failure = { cause };
    } finally {
      ended = true;
      wakeWriter();
    }
  };
  void read();
  try {
    for (;;) {
      const first = open[0];
      if (first !== undefined) {
        yield await first;
        open.shift();
        wakeReader();
      } else if (ended) {
        if (failure !== undefined) throw failure.cause;
        return;
      } else {
        await new Promise<void>((resolve) => {
          wakeWriter = resolve;
        });
      }
    }
  } finally {
    stopped = true;
    wakeReader();
  }
}
