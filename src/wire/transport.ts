import type {
  DescMessage,
  DescMethod,
  DescMethodBiDiStreaming,
  DescMethodClientStreaming,
  DescMethodServerStreaming,
  DescMethodUnary,
  DescService,
  MessageShape,
} from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";

/** The listener that a call came in by. */
export type Door = "gateway" | "admin";

/**
 * What a handler may ask about its call, apart from the request. Everything that costs something is a function and is
 * only made when asked for.
 *
 * Units: deadlineMs is ms since epoch, undefined where the caller set none.
 */
export interface CallInfo {
  readonly door: Door;
  readonly deadlineMs: number | undefined;
  /** The first value of a request header; the name is lower case. */
  header(name: string): string | undefined;
  /**
   * Aborts when the caller cancels or the deadline passes, with a ConnectError as reason that may be thrown on, and once
   * the call is over. When the server begins to stop it aborts for server streams only: a stream with requests sees
   * their end instead, and a unary call is waited for.
   */
  signal(): AbortSignal;
  /** Address and port of the caller, "unknown" where the socket is gone. */
  peer(): string;
}

type UnaryHandler<I extends DescMessage = DescMessage, O extends DescMessage = DescMessage> = (
  request: MessageShape<I>,
  call: CallInfo,
) => MessageShape<O> | Promise<MessageShape<O>>;

type ServerStreamHandler<I extends DescMessage = DescMessage, O extends DescMessage = DescMessage> = (
  request: MessageShape<I>,
  call: CallInfo,
) => AsyncIterable<MessageShape<O>>;

type ClientStreamHandler<I extends DescMessage = DescMessage, O extends DescMessage = DescMessage> = (
  requests: AsyncIterable<MessageShape<I>>,
  call: CallInfo,
) => Promise<MessageShape<O>>;

type BidiHandler<I extends DescMessage = DescMessage, O extends DescMessage = DescMessage> = (
  requests: AsyncIterable<MessageShape<I>>,
  call: CallInfo,
) => AsyncIterable<MessageShape<O>>;

type MethodHandler<M extends DescMethod> =
  M extends DescMethodUnary<infer I, infer O>
    ? UnaryHandler<I, O>
    : M extends DescMethodServerStreaming<infer I, infer O>
      ? ServerStreamHandler<I, O>
      : M extends DescMethodClientStreaming<infer I, infer O>
        ? ClientStreamHandler<I, O>
        : M extends DescMethodBiDiStreaming<infer I, infer O>
          ? BidiHandler<I, O>
          : never;

/** The handlers of a service, by method name as in the generated code; an absent one answers Unimplemented. */
export type ServiceHandlers<S extends DescService> = {
  readonly [K in keyof S["method"]]?: MethodHandler<S["method"][K]>;
};

/**
 * A quicker way to read requests of one method, for what makes up most of their bytes. Undefined where it does not know better: then the host
 * decodes them, and says what is wrong with them.
 */
export type ReadRequest<I extends DescMessage = DescMessage> = (
  bytes: Uint8Array,
) => MessageShape<I> | undefined;

/** Quicker ways to read, by method name as in the generated code. */
export type ServiceReaders<S extends DescService> = {
  readonly [K in keyof S["method"]]?: ReadRequest<S["method"][K]["input"]>;
};

/** One method and its handler, with the message types forgotten: what a host works with. */
export type HostedMethod = { readonly read?: ReadRequest | undefined } & (
  | { readonly kind: "unary"; readonly method: DescMethodUnary; readonly handle: UnaryHandler }
  | {
      readonly kind: "server_streaming";
      readonly method: DescMethodServerStreaming;
      readonly handle: ServerStreamHandler;
    }
  | {
      readonly kind: "client_streaming";
      readonly method: DescMethodClientStreaming;
      readonly handle: ClientStreamHandler;
    }
  | {
      readonly kind: "bidi_streaming";
      readonly method: DescMethodBiDiStreaming;
      readonly handle: BidiHandler;
    }
);

/** A service and its handlers; both doors host this one shape, so a service is written once. */
export interface ServiceImplementation {
  readonly service: DescService;
  readonly methods: readonly HostedMethod[];
}

/**
 * Joins a service with its handlers.
 *
 * A handler answers synchronously or by a promise, and refuses by throwing a ConnectError with code and typed details.
 * Anything else that it throws reaches the caller as Internal "internal error", and the cause goes to `onError`.
 */
export function implementService<S extends DescService>(
  service: S,
  handlers: ServiceHandlers<S>,
  readers: ServiceReaders<S> = {},
): ServiceImplementation {
  const byName = handlers as Readonly<Record<string, unknown>>;
  const readerByName = readers as Readonly<Record<string, ReadRequest | undefined>>;
  const methods = service.methods.map((method) => {
    const handle = byName[method.localName] ?? refuseUnimplemented(method);
    // The type of `handlers` has already tied this handler to this method; a host only needs the kind.
    const read = readerByName[method.localName];
    return { kind: method.methodKind, method, handle, read } as unknown as HostedMethod;
  });
  return { service, methods };
}

function refuseUnimplemented(method: DescMethod): () => never {
  return () => {
    throw new ConnectError(`${method.parent.typeName}.${method.name} is not implemented`, Code.Unimplemented);
  };
}

/** A failure that was not meant for the caller: a handler's bug, or a transport's trouble. */
export type ErrorHook = (cause: unknown, where: string) => void;

/** What a host of the gateway listener is given; grpc-js fulfils it today, a faster one later. */
export interface GatewayOptions {
  /** Default 127.0.0.1. */
  readonly host?: string;
  /** 0 asks for a free port. */
  readonly port: number;
  readonly services: readonly ServiceImplementation[];
  readonly onError: ErrorHook;
}

/** A listener that serves. */
export interface Listener {
  readonly host: string;
  readonly port: number;
  /**
   * Stops: no new connections, streams end, calls in flight finish; what is left after graceMs is cut.
   * Calling it again gives the same promise.
   */
  stop(graceMs: number): Promise<StopReport>;
}

export interface StopReport {
  /** True where the grace ran out and connections with work on them were cut. */
  readonly forced: boolean;
}

/** Starts a gateway listener; rejects where the address cannot be had. */
export type GatewayTransport = (options: GatewayOptions) => Promise<Listener>;
