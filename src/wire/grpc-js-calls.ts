import type { EventEmitter } from "node:events";
import type { Writable } from "node:stream";
import type { Message } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import type {
  handleBidiStreamingCall,
  handleClientStreamingCall,
  handleServerStreamingCall,
  handleUnaryCall,
  Metadata,
  ServerDuplexStream,
  ServerReadableStream,
  ServerUnaryCall,
  ServerWritableStream,
  UntypedHandleCall,
} from "@grpc/grpc-js";
import { DecodeFault } from "./decode.ts";
import { encodeGrpcStatus, type GrpcStatus, toFailure } from "./failure.ts";
import { type OpenStreams, serveBidi, serveClientStream, serveServerStream } from "./streaming.ts";
import type { CallInfo, ErrorHook, HostedMethod } from "./transport.ts";

/** What grpc-js hands to a handler: a request decoded, or why it is none. */
type Received = Message | DecodeFault;

type AnyCall = ServerUnaryCall<Received, Message> | AnswerStream | RequestStream;
type AnswerStream = ServerWritableStream<Received, Message> | ServerDuplexStream<Received, Message>;
type RequestStream = ServerReadableStream<Received, Message> | ServerDuplexStream<Received, Message>;

interface Host {
  readonly streams: OpenStreams;
  readonly onError: ErrorHook;
}

/** A method as grpc-js serves it. */
export function makeGrpcJsHandler(hosted: HostedMethod, host: Host): UntypedHandleCall {
  switch (hosted.kind) {
    case "unary":
      return makeUnary(hosted, host) as UntypedHandleCall;
    case "server_streaming":
      return makeServerStream(hosted, host) as UntypedHandleCall;
    case "client_streaming":
      return makeClientStream(hosted, host) as UntypedHandleCall;
    case "bidi_streaming":
      return makeBidi(hosted, host) as UntypedHandleCall;
  }
}

type Hosted<K extends HostedMethod["kind"]> = Extract<HostedMethod, { kind: K }>;

function makeUnary(hosted: Hosted<"unary">, host: Host): handleUnaryCall<Received, Message> {
  const fail = makeFail(hosted, host);
  return (call, respond) => {
    const { request } = call;
    if (request instanceof DecodeFault) return respond(fail(request.toFailure()));
    try {
      const answer = hosted.handle(request, new GrpcJsCall(call, undefined));
      // A handler that answers at once is answered at once: no promise, no turn of the microtask queue.
      if (!(answer instanceof Promise)) return respond(null, answer);
      answer.then(
        (message) => respond(null, message),
        (thrown) => respond(fail(thrown)),
      );
    } catch (thrown) {
      respond(fail(thrown));
    }
  };
}

function makeClientStream(
  hosted: Hosted<"client_streaming">,
  host: Host,
): handleClientStreamingCall<Received, Message> {
  const fail = makeFail(hosted, host);
  return (call, respond) => {
    const cancel = cancelWith(call);
    const info = new GrpcJsCall(call, cancel);
    serveClientStream(hosted, readRequests(call), info, cancel, host.streams).then(
      (message) => respond(null, message),
      (thrown) => respond(fail(thrown)),
    );
  };
}

function makeServerStream(
  hosted: Hosted<"server_streaming">,
  host: Host,
): handleServerStreamingCall<Received, Message> {
  const fail = makeFail(hosted, host);
  return (call) => {
    const { request } = call;
    const cancel = cancelWith(call);
    if (request instanceof DecodeFault) return endWith(call, fail(request.toFailure()));
    const info = new GrpcJsCall(call, cancel);
    void writeAnswers(call, serveServerStream(hosted, request, info, cancel, host.streams), fail);
  };
}

function makeBidi(hosted: Hosted<"bidi_streaming">, host: Host): handleBidiStreamingCall<Received, Message> {
  const fail = makeFail(hosted, host);
  return (call) => {
    const cancel = cancelWith(call);
    const info = new GrpcJsCall(call, cancel);
    void writeAnswers(call, serveBidi(hosted, readRequests(call), info, cancel, host.streams), fail);
  };
}

type Fail = (thrown: unknown) => GrpcStatus;

function makeFail(hosted: HostedMethod, host: Host): Fail {
  const where = `${hosted.method.parent.typeName}/${hosted.method.name}`;
  return (thrown) => encodeGrpcStatus(toFailure(thrown, where, host.onError));
}

/**
 * Requests of a stream as they come; a bad one ends the call.
 *
 * Read by hand: the stream's own iterator destroys it at the "error" that carries a status (`endWith`), before the status has left, where the handler
 * fails while it is still reading.
 */
async function* readRequests(call: RequestStream): AsyncGenerator<Message> {
  let wake = (): void => {};
  const onChange = (): void => wake();
  const changes = ["readable", "end", "close"];
  for (const change of changes) (call as EventEmitter).on(change, onChange);
  try {
    for (;;) {
      const received = call.read() as Received | null;
      if (received instanceof DecodeFault) throw received.toFailure();
      if (received !== null) yield received;
      else if (call.readableEnded || call.destroyed) return;
      else {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    }
  } finally {
    for (const change of changes) (call as EventEmitter).off(change, onChange);
  }
}

/** Writes answers no faster than the caller reads them; never rejects. */
async function writeAnswers(call: AnswerStream, answers: AsyncGenerator<Message>, fail: Fail): Promise<void> {
  try {
    for await (const answer of answers) {
      if (call.cancelled || call.destroyed) return;
      if (!write(call, answer)) await waitForDrain(call);
    }
    call.end();
  } catch (thrown) {
    // A caller that is gone is nobody to answer, and its own leaving is no error of ours.
    if (!call.cancelled) endWith(call, fail(thrown));
  }
}

/** The two kinds of stream declare `write` with overloads that TypeScript cannot unite. */
function write(call: Writable, answer: Message): boolean {
  return call.write(answer);
}

function waitForDrain(call: AnswerStream): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      call.off("drain", done);
      call.off("cancelled", done);
      resolve();
    };
    call.once("drain", done);
    call.once("cancelled", done);
  });
}

/** grpc-js takes the status of a stream from an "error" event, and ends the stream itself. */
function endWith(call: AnswerStream, status: GrpcStatus): void {
  if (!call.destroyed) call.emit("error", status);
}

function cancelWith(call: AnyCall): AbortController {
  const cancel = new AbortController();
  const onCancel = () => cancel.abort(makeCancelReason(call));
  if (call.cancelled) onCancel();
  else onceCancelled(call, onCancel);
  return cancel;
}

/** Every call is an emitter, but the kinds declare `once` with overloads that TypeScript cannot unite. */
function onceCancelled(call: EventEmitter, listener: () => void): void {
  call.once("cancelled", listener);
}

function makeCancelReason(call: AnyCall): ConnectError {
  const deadlineMs = readDeadline(call);
  return deadlineMs !== undefined && deadlineMs <= Date.now()
    ? new ConnectError("the deadline has passed", Code.DeadlineExceeded)
    : new ConnectError("the caller has cancelled", Code.Canceled);
}

function readDeadline(call: AnyCall): number | undefined {
  const deadlineMs = Number(call.getDeadline());
  return Number.isFinite(deadlineMs) ? deadlineMs : undefined;
}

/** CallInfo over a call of grpc-js; the abort signal of a unary call is only made when somebody asks. */
class GrpcJsCall implements CallInfo {
  readonly door = "gateway";
  readonly #call: AnyCall;
  #cancel: AbortController | undefined;

  constructor(call: AnyCall, cancel: AbortController | undefined) {
    this.#call = call;
    this.#cancel = cancel;
  }

  get deadlineMs(): number | undefined {
    return readDeadline(this.#call);
  }

  header(name: string): string | undefined {
    const value = (this.#call.metadata as Metadata).get(name)[0];
    return typeof value === "string" ? value : value?.toString("base64");
  }

  signal(): AbortSignal {
    this.#cancel ??= cancelWith(this.#call);
    return this.#cancel.signal;
  }

  peer(): string {
    return this.#call.getPeer();
  }
}
