import type { IncomingMessage, ServerResponse } from "node:http";
import type { Message } from "@bufbuild/protobuf";
import {
  Code,
  ConnectError,
  type ConnectRouterOptions,
  createConnectRouter,
  createContextKey,
  createContextValues,
  type HandlerContext,
  type Interceptor,
} from "@connectrpc/connect";
import type { UniversalHandler } from "@connectrpc/connect/protocol";
import { universalRequestFromNodeRequest, universalResponseToNodeResponse } from "@connectrpc/connect-node";
import { toFailure } from "./failure.ts";
import { askToClose, makeText, readPath, sendPlain } from "./plain-http.ts";
import { type OpenStreams, serveBidi, serveClientStream, serveServerStream } from "./streaming.ts";
import type { CallInfo, ErrorHook, HostedMethod, ServiceImplementation } from "./transport.ts";

/** Looks at a call before its request is read; throws a ConnectError to refuse it. */
export type CallGate = (call: CallInfo, methodPath: string) => void | Promise<void>;

export interface ConnectRoutesOptions {
  readonly services: readonly ServiceImplementation[];
  readonly streams: OpenStreams;
  readonly onError: ErrorHook;
  readonly readBytesMax: number;
  readonly writeBytesMax: number;
  readonly unaryTimeoutMsMax: number;
  readonly gate?: CallGate | undefined;
  readonly interceptors?: readonly Interceptor[] | undefined;
}

/**
 * Routes Connect, gRPC, gRPC-Web and plain JSON to the services. The returned function says whether the path is one of
 * ours, and if so answers it; it never throws.
 */
export function createConnectRoutes(
  options: ConnectRoutesOptions,
): (req: IncomingMessage, res: ServerResponse) => boolean {
  const router = createConnectRouter();
  for (const { methods } of options.services) {
    for (const hosted of methods) registerMethod(router, hosted, options);
  }
  const byPath = new Map(router.handlers.map((handler) => [handler.requestPath, handler]));
  return (req, res) => {
    const handler = byPath.get(readPath(req));
    if (handler === undefined) return false;
    answerCall(handler, req, res, options.onError);
    return true;
  };
}

const PEER = createContextKey("unknown", { description: "address and port of the caller" });

function answerCall(
  handler: UniversalHandler,
  req: IncomingMessage,
  res: ServerResponse,
  onError: ErrorHook,
): void {
  let call: ReturnType<typeof universalRequestFromNodeRequest>;
  try {
    const peer = createContextValues().set(PEER, formatPeer(req));
    call = universalRequestFromNodeRequest(req, res, undefined, peer);
  } catch {
    // A missing or impossible authority ("Host: [") makes no URL; left alone it would end the process.
    askToClose(res);
    sendPlain(res, makeText(400, "bad authority"));
    return;
  }
  handler(call)
    .then((answer) => universalResponseToNodeResponse(answer, res))
    .catch((thrown) => {
      // The caller went away while it was being answered.
      if (ConnectError.from(thrown).code !== Code.Aborted) onError(thrown, handler.requestPath);
      res.destroy();
    });
}

function formatPeer(req: IncomingMessage): string {
  const { remoteAddress, remotePort } = req.socket;
  return remoteAddress === undefined ? "unknown" : `${remoteAddress}:${remotePort}`;
}

type Router = ReturnType<typeof createConnectRouter>;

function registerMethod(router: Router, hosted: HostedMethod, options: ConnectRoutesOptions): void {
  const callOptions = makeCallOptions(hosted, options);
  const fail = (thrown: unknown) => toFailure(thrown, nameMethod(hosted), options.onError);
  switch (hosted.kind) {
    case "unary":
      router.rpc(
        hosted.method,
        async (request, context) => {
          try {
            return await hosted.handle(request, new ConnectCall(context, undefined));
          } catch (thrown) {
            throw fail(thrown);
          }
        },
        callOptions,
      );
      return;
    case "server_streaming":
      router.rpc(
        hosted.method,
        (request, context) => {
          const cancel = linkCancel(context);
          const call = new ConnectCall(context, cancel);
          return failWith(serveServerStream(hosted, request, call, cancel, options.streams), fail);
        },
        callOptions,
      );
      return;
    case "client_streaming":
      router.rpc(
        hosted.method,
        async (requests, context) => {
          const cancel = linkCancel(context);
          try {
            const call = new ConnectCall(context, cancel);
            return await serveClientStream(hosted, requests, call, cancel, options.streams);
          } catch (thrown) {
            throw fail(thrown);
          }
        },
        callOptions,
      );
      return;
    case "bidi_streaming":
      router.rpc(
        hosted.method,
        (requests, context) => {
          const cancel = linkCancel(context);
          const call = new ConnectCall(context, cancel);
          return failWith(serveBidi(hosted, requests, call, cancel, options.streams), fail);
        },
        callOptions,
      );
  }
}

function nameMethod({ method }: HostedMethod): string {
  return `${method.parent.typeName}/${method.name}`;
}

async function* failWith(
  answers: AsyncIterable<Message>,
  fail: (thrown: unknown) => ConnectError,
): AsyncGenerator<Message> {
  try {
    yield* answers;
  } catch (thrown) {
    throw fail(thrown);
  }
}

function makeCallOptions(hosted: HostedMethod, options: ConnectRoutesOptions): Partial<ConnectRouterOptions> {
  const { gate } = options;
  return {
    readMaxBytes: options.readBytesMax,
    writeMaxBytes: options.writeBytesMax,
    // A stream may be watched for as long as the caller likes.
    ...(hosted.kind === "unary" ? { maxTimeoutMs: options.unaryTimeoutMsMax } : {}),
    // Requests here are small and the line is local; a compressed one would only be a bomb to defuse.
    acceptCompression: [],
    jsonOptions: JSON_OPTIONS,
    interceptors: [...(options.interceptors ?? [])],
    async requestGate(context) {
      blameCallerForBadBytes(context);
      await gate?.(new ConnectCall(context, undefined), `/${nameMethod(hosted)}`);
    },
  };
}

/**
 * Connect ignores unknown fields and unknown enum names unless told otherwise, and mends broken UTF-8 in silence. It
 * reads `textDecoder` from these options without declaring it.
 */
const JSON_OPTIONS = {
  ignoreUnknownFields: false,
  textDecoder: new TextDecoder("utf-8", { fatal: true }),
};

const PARSE_FAILURE_PREFIX = "parse binary: ";

/**
 * Connect answers Internal when a request does not decode. It offers no say in that, but it aborts the call's signal
 * with the very error that it is about to write, for each of its protocols.
 */
function blameCallerForBadBytes(context: HandlerContext): void {
  const { signal } = context;
  signal.addEventListener(
    "abort",
    () => {
      const reason: unknown = signal.reason;
      if (!(reason instanceof ConnectError) || reason.code !== Code.Internal) return;
      if (!reason.rawMessage.startsWith(PARSE_FAILURE_PREFIX)) return;
      Object.assign(reason, { code: Code.InvalidArgument });
    },
    { once: true },
  );
}

/** Over HTTP/1.1 Connect aborts with a bare AbortError, which would pass for a bug of the handler that rethrows it. */
function linkCancel({ signal }: HandlerContext): AbortController {
  const cancel = new AbortController();
  const onAbort = () => {
    const { reason } = signal;
    const isFailure = reason instanceof ConnectError;
    cancel.abort(isFailure ? reason : new ConnectError("the caller has cancelled", Code.Canceled));
  };
  if (signal.aborted) onAbort();
  else signal.addEventListener("abort", onAbort, { once: true });
  return cancel;
}

/** CallInfo over Connect's context. */
class ConnectCall implements CallInfo {
  readonly door = "admin";
  readonly deadlineMs: number | undefined;
  readonly #context: HandlerContext;
  #cancel: AbortController | undefined;

  constructor(context: HandlerContext, cancel: AbortController | undefined) {
    this.#context = context;
    this.#cancel = cancel;
    const leftMs = context.timeoutMs();
    this.deadlineMs = leftMs === undefined ? undefined : Date.now() + leftMs;
  }

  header(name: string): string | undefined {
    return this.#context.requestHeader.get(name) ?? undefined;
  }

  signal(): AbortSignal {
    this.#cancel ??= linkCancel(this.#context);
    return this.#cancel.signal;
  }

  peer(): string {
    return this.#context.values.get(PEER);
  }
}
