import {
  createServer as createHttp1Server,
  type Server as Http1Server,
  type IncomingMessage,
  type ServerResponse,
} from "node:http";
import {
  createServer as createHttp2Server,
  type Http2Server,
  type Http2ServerRequest,
  type Http2ServerResponse,
  type ServerHttp2Session,
} from "node:http2";
import {
  type AddressInfo,
  createServer as createNetServer,
  type Server as NetServer,
  type Socket,
} from "node:net";
import type { Interceptor } from "@connectrpc/connect";
import { type CallGate, createConnectRoutes } from "./connect-routes.ts";
import { answerPlain, askToClose, type PlainRoute } from "./plain-http.ts";
import { splitProtocol } from "./protocol-split.ts";
import { OpenStreams } from "./streaming.ts";
import type { ErrorHook, Listener, ServiceImplementation, StopReport } from "./transport.ts";

/** A pushed rule set of 10,000 rules is about 3 MB. */
const READ_BYTES_MAX = 4 * 1024 * 1024;
const WRITE_BYTES_MAX = 16 * 1024 * 1024;
const UNARY_TIMEOUT_MS_MAX = 10_000;
/** How long a new connection may stay silent, or dawdle over its first 24 bytes. */
const FIRST_BYTES_TIMEOUT_MS = 5_000;
const HEADERS_TIMEOUT_MS = 10_000;
const REQUEST_TIMEOUT_MS = 60_000;
const KEEP_ALIVE_TIMEOUT_MS = 30_000;
/** How often slow clients are looked for, at most. */
const TIMEOUT_CHECK_MS = 1_000;
const HTTP2_IDLE_TIMEOUT_MS = 300_000;
const HEADER_BYTES_MAX = 16 * 1024;
const CONCURRENT_STREAMS_MAX = 100;
/** In MB, as node:http2 counts. */
const SESSION_MEMORY_MB_MAX = 10;
const CONNECTIONS_MAX = 512;

const DEFAULT_HOST = "127.0.0.1";

/** Limits that a deployment or a test may set; the defaults are the constants of this file. */
interface AdminLimits {
  readonly readBytesMax?: number;
  readonly writeBytesMax?: number;
  readonly unaryTimeoutMsMax?: number;
  readonly firstBytesTimeoutMs?: number;
  readonly headersTimeoutMs?: number;
  readonly requestTimeoutMs?: number;
  readonly keepAliveTimeoutMs?: number;
}

export interface AdminOptions {
  /** Default 127.0.0.1. */
  readonly host?: string;
  /** 0 asks for a free port. */
  readonly port: number;
  readonly services: readonly ServiceImplementation[];
  /** Plain HTTP, by path: "/healthz" and its like. */
  readonly routes?: Readonly<Record<string, PlainRoute>>;
  readonly onError: ErrorHook;
  readonly limits?: AdminLimits;
  /** Looks at each call before its request is read; the place for authentication. */
  readonly gate?: CallGate;
  readonly interceptors?: readonly Interceptor[];
}

/**
 * Serves Connect, gRPC, gRPC-Web, plain JSON and plain HTTP routes, over HTTP/1.1 and HTTP/2 in clear text, on one port.
 *
 * Fails: rejects where the address cannot be bound.
 */
export async function startAdminServer(options: AdminOptions): Promise<Listener> {
  const host = options.host ?? DEFAULT_HOST;
  const limits = options.limits ?? {};
  const streams = new OpenStreams();
  const state: AdminState = {
    stopping: false,
    responses: new Set(),
    sessions: new Set(),
    undecided: new Set(),
  };
  const answer = createAnswer(options, streams);
  const onRequest = (req: IncomingMessage, res: ServerResponse) => {
    state.responses.add(res);
    res.once("close", () => {
      state.responses.delete(res);
      if (state.stopping) http1.closeIdleConnections();
    });
    if (state.stopping) askToClose(res);
    answer(req, res);
  };
  const http1 = makeHttp1(limits, onRequest);
  const http2 = makeHttp2(state, onRequest);
  const listener = createNetServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    const cutOff = splitProtocol(socket, limits.firstBytesTimeoutMs ?? FIRST_BYTES_TIMEOUT_MS, {
      http1(ready) {
        state.undecided.delete(cutOff);
        http1.emit("connection", ready);
        ready.resume();
      },
      http2(ready) {
        state.undecided.delete(cutOff);
        http2.emit("connection", ready);
      },
    });
    state.undecided.add(cutOff);
    socket.once("close", () => state.undecided.delete(cutOff));
  });
  listener.maxConnections = CONNECTIONS_MAX;
  const sockets = trackSockets(listener);
  const port = await listen(listener, host, options.port);
  let stopped: Promise<StopReport> | undefined;
  return {
    host,
    port,
    stop(graceMs) {
      stopped ??= stopServer({ listener, http1, sockets, streams, state }, graceMs);
      return stopped;
    },
  };
}

interface AdminState {
  stopping: boolean;
  readonly responses: Set<ServerResponse>;
  readonly sessions: Set<ServerHttp2Session>;
  /** Cuts off connections that have not shown their protocol yet. */
  readonly undecided: Set<() => void>;
}

type Answer = (req: IncomingMessage, res: ServerResponse) => void;

function createAnswer(options: AdminOptions, streams: OpenStreams): Answer {
  const limits = options.limits ?? {};
  const answerCall = createConnectRoutes({
    services: options.services,
    streams,
    onError: options.onError,
    readBytesMax: limits.readBytesMax ?? READ_BYTES_MAX,
    writeBytesMax: limits.writeBytesMax ?? WRITE_BYTES_MAX,
    unaryTimeoutMsMax: limits.unaryTimeoutMsMax ?? UNARY_TIMEOUT_MS_MAX,
    gate: options.gate,
    interceptors: options.interceptors,
  });
  const routes = new Map(Object.entries(options.routes ?? {}));
  return (req, res) => {
    if (!answerCall(req, res)) void answerPlain(routes, req, res, options.onError);
  };
}

function makeHttp1(limits: AdminLimits, onRequest: Answer): Http1Server {
  const headersTimeout = limits.headersTimeoutMs ?? HEADERS_TIMEOUT_MS;
  const http1 = createHttp1Server(
    {
      maxHeaderSize: HEADER_BYTES_MAX,
      headersTimeout,
      requestTimeout: limits.requestTimeoutMs ?? REQUEST_TIMEOUT_MS,
      keepAliveTimeout: limits.keepAliveTimeoutMs ?? KEEP_ALIVE_TIMEOUT_MS,
      connectionsCheckingInterval: Math.min(TIMEOUT_CHECK_MS, headersTimeout),
    },
    onRequest,
  );
  // Node keeps its list of connections, and the timer that cuts slow ones off, from the moment a server listens. This
  // one never does, so it is told.
  http1.emit("listening");
  return http1;
}

function makeHttp2(state: AdminState, onRequest: Answer): Http2Server {
  const http2 = createHttp2Server(
    {
      maxSessionMemory: SESSION_MEMORY_MB_MAX,
      settings: { maxConcurrentStreams: CONCURRENT_STREAMS_MAX, maxHeaderListSize: HEADER_BYTES_MAX },
    },
    // The compatible half of node:http2 is all that is used.
    onRequest as unknown as (req: Http2ServerRequest, res: Http2ServerResponse) => void,
  );
  http2.on("session", (session) => {
    state.sessions.add(session);
    session.once("close", () => state.sessions.delete(session));
    closeWhenIdle(session);
  });
  return http2;
}

/** A stream that is open may be silent for long; a connection without any may not. */
function closeWhenIdle(session: ServerHttp2Session): void {
  let open = 0;
  session.on("stream", (stream) => {
    open++;
    stream.once("close", () => open--);
  });
  session.setTimeout(HTTP2_IDLE_TIMEOUT_MS, () => {
    if (open === 0) session.close();
  });
}

function trackSockets(listener: NetServer): ReadonlySet<Socket> {
  const sockets = new Set<Socket>();
  listener.on("connection", (socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
  });
  return sockets;
}

function listen(listener: NetServer, host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    listener.once("error", reject);
    listener.listen({ host, port }, () => {
      listener.off("error", reject);
      resolve((listener.address() as AddressInfo).port);
    });
  });
}

interface Running {
  readonly listener: NetServer;
  readonly http1: Http1Server;
  readonly sockets: ReadonlySet<Socket>;
  readonly streams: OpenStreams;
  readonly state: AdminState;
}

/**
 * Stops in the order that loses no call: nobody new is let in; silent and idle connections close; streams end; busy
 * connections close as their last call ends; then force.
 *
 * HTTP/2 connections get one GOAWAY that names the last call taken, so a caller knows that what it sent after may safely
 * go elsewhere. (A first GOAWAY that names none, as gRPC servers send, is no use here: nghttp2 refuses every new stream
 * from then on, unless it was sent by a function of its own that Node does not offer.)
 */
function stopServer(running: Running, graceMs: number): Promise<StopReport> {
  const { listener, http1, sockets, streams, state } = running;
  state.stopping = true;
  return new Promise((resolve) => {
    let forced = false;
    listener.close(() => {
      clearTimeout(force);
      // Stops the timer that looks for slow clients.
      http1.close();
      resolve({ forced });
    });
    for (const cutOff of state.undecided) cutOff();
    for (const res of state.responses) askToClose(res);
    streams.stopAll();
    http1.closeIdleConnections();
    for (const session of state.sessions) session.close();
    const force = setTimeout(() => {
      forced = true;
      for (const socket of sockets) socket.destroy();
    }, graceMs);
  });
}
