import type { Message } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import type { CallInfo, HostedMethod } from "./transport.ts";

type Hosted<K extends HostedMethod["kind"]> = Extract<HostedMethod, { kind: K }>;

/**
 * The streams open on a listener, so that a stop reaches each of them.
 *
 * A stream of answers is ended as Unavailable, because it might never end by itself. A stream with requests stops
 * reading: its handler sees the end of the requests, finishes what it has read, and then the call ends as Unavailable,
 * so that the caller sends the rest elsewhere.
 */
export class OpenStreams {
  readonly #open = new Set<() => void>();
  #stopped = false;

  /** Registers what a stop does to one stream; the returned function takes it out again. */
  add(onStop: () => void): () => void {
    if (this.#stopped) onStop();
    this.#open.add(onStop);
    return () => this.#open.delete(onStop);
  }

  stopAll(): void {
    this.#stopped = true;
    for (const onStop of this.#open) onStop();
  }
}

/** Answers of a server-streaming call until they end, the call is cancelled, or the server begins to stop. */
export async function* serveServerStream(
  hosted: Hosted<"server_streaming">,
  request: Message,
  call: CallInfo,
  cancel: AbortController,
  streams: OpenStreams,
): AsyncGenerator<Message> {
  const release = streams.add(() => cancel.abort(makeStoppingFailure()));
  try {
    yield* interrupt(hosted.handle(request, call), cancel.signal);
  } finally {
    release();
  }
}

/** Answers of a bidirectional call; a stop ends its requests, not its answers. */
export async function* serveBidi(
  hosted: Hosted<"bidi_streaming">,
  requests: AsyncIterable<Message>,
  call: CallInfo,
  cancel: AbortController,
  streams: OpenStreams,
): AsyncGenerator<Message> {
  const reading = cutOnStop(requests, cancel.signal, streams);
  try {
    yield* interrupt(hosted.handle(reading.requests, call), cancel.signal);
    reading.assertNotCut();
  } finally {
    reading.release();
  }
}

/** The answer of a client-streaming call; a stop ends its requests. */
export async function serveClientStream(
  hosted: Hosted<"client_streaming">,
  requests: AsyncIterable<Message>,
  call: CallInfo,
  cancel: AbortController,
  streams: OpenStreams,
): Promise<Message> {
  const reading = cutOnStop(requests, cancel.signal, streams);
  try {
    const answer = await hosted.handle(reading.requests, call);
    reading.assertNotCut();
    return answer;
  } finally {
    reading.release();
  }
}

function cutOnStop(requests: AsyncIterable<Message>, cancelled: AbortSignal, streams: OpenStreams) {
  const reading = new AbortController();
  const onCancel = () => reading.abort(cancelled.reason);
  if (cancelled.aborted) onCancel();
  cancelled.addEventListener("abort", onCancel, { once: true });
  const releaseStop = streams.add(() => reading.abort(STOP_READING));
  let cut = false;
  async function* readUntilStop(): AsyncGenerator<Message> {
    try {
      yield* interrupt(requests, reading.signal);
    } catch (thrown) {
      if (thrown !== STOP_READING) throw thrown;
      cut = true;
    }
  }
  return {
    requests: readUntilStop(),
    assertNotCut(): void {
      if (cut) throw makeStoppingFailure();
    },
    release(): void {
      cancelled.removeEventListener("abort", onCancel);
      releaseStop();
    },
  };
}

const STOP_READING = new Error("requests cut because the server is stopping");

function makeStoppingFailure(): ConnectError {
  return new ConnectError("server is stopping", Code.Unavailable);
}

/**
 * Passes values on until the source ends, or throws the signal's reason as soon as it aborts, without waiting for the
 * source to notice. One listener for the whole stream: racing each value against one long-lived promise would leave a
 * reaction behind for every message.
 */
async function* interrupt<T>(values: AsyncIterable<T>, signal: AbortSignal): AsyncGenerator<T> {
  const source = values[Symbol.asyncIterator]();
  let wake: ((reason: unknown) => void) | undefined;
  const onAbort = () => wake?.(signal.reason);
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    for (;;) {
      signal.throwIfAborted();
      const result = await new Promise<IteratorResult<T>>((resolve, reject) => {
        wake = reject;
        source.next().then(resolve, reject);
      });
      if (result.done) return;
      yield result.value;
    }
  } finally {
    signal.removeEventListener("abort", onAbort);
    // Not awaited: a source that waits for something else would hold the end of the call back.
    source.return?.().then(undefined, () => {});
  }
}
