import {
  constants,
  type Http2Server,
  type Http2Stream,
  type ServerHttp2Session,
  type ServerOptions,
} from "node:http2";
import { type DescMessage, type Message, toBinary } from "@bufbuild/protobuf";
import {
  logVerbosity,
  Server,
  ServerCredentials,
  type ServiceDefinition,
  setLogVerbosity,
  type UntypedHandleCall,
} from "@grpc/grpc-js";
import { decodeRequest } from "./decode.ts";
import { makeGrpcJsHandler } from "./grpc-js-calls.ts";
import { OpenStreams } from "./streaming.ts";
import type { GatewayOptions, HostedMethod, Listener, StopReport } from "./transport.ts";

// Each of these is unlimited or generous in grpc-js; on a payment's path we choose them.
/** A Decide is about 200 bytes, a batch of 1,000 usual events about 150 KiB. */
const RECEIVE_BYTES_MAX = 1024 * 1024;
const SEND_BYTES_MAX = 1024 * 1024;
/** Per connection; more in flight than this wait at the caller. */
const CONCURRENT_STREAMS_MAX = 200;
/** In MB, as node:http2 counts; what one connection may make us hold. */
const SESSION_MEMORY_MB_MAX = 10;
const HEADER_LIST_BYTES_MAX = 16 * 1024;
const CONNECTIONS_MAX = 4096;
/** A dead peer is noticed after these two together. */
const KEEPALIVE_TIME_MS = 60_000;
const KEEPALIVE_TIMEOUT_MS = 20_000;
/** How long requests may go on after their call has been answered. */
const ANSWERED_REQUESTS_MS_MAX = 1_000;

const DEFAULT_HOST = "127.0.0.1";

/**
 * Serves gRPC with @grpc/grpc-js, in clear text over HTTP/2.
 *
 * Fails: rejects where the address cannot be bound. A message that does not decode is InvalidArgument; one over
 * 1 MiB is ResourceExhausted.
 */
export async function startGrpcJsGateway(options: GatewayOptions): Promise<Listener> {
  const host = options.host ?? DEFAULT_HOST;
  // Its own lines on stderr are no JSON; what matters reaches us as statuses and rejections.
  setLogVerbosity(logVerbosity.NONE);
  const streams = new OpenStreams();
  const server = new Server({
    "grpc.max_receive_message_length": RECEIVE_BYTES_MAX,
    "grpc.max_send_message_length": SEND_BYTES_MAX,
    "grpc.max_concurrent_streams": CONCURRENT_STREAMS_MAX,
    "grpc-node.max_session_memory": SESSION_MEMORY_MB_MAX,
    "grpc.keepalive_time_ms": KEEPALIVE_TIME_MS,
    "grpc.keepalive_timeout_ms": KEEPALIVE_TIMEOUT_MS,
    "grpc.enable_channelz": 0,
  });
  const sessions = watchConnections(server);
  for (const { service, methods } of options.services) {
    const handlers: Record<string, UntypedHandleCall> = {};
    for (const hosted of methods) {
      handlers[hosted.method.localName] = makeGrpcJsHandler(hosted, { streams, onError: options.onError });
    }
    server.addService(describeService(service.typeName, methods), handlers);
  }
  const port = await bind(server, formatAddress(host, options.port));
  let stopped: Promise<StopReport> | undefined;
  return {
    host,
    port,
    stop(graceMs) {
      stopped ??= stopServer(server, sessions, streams, graceMs);
      return stopped;
    },
  };
}

function describeService(typeName: string, methods: readonly HostedMethod[]): ServiceDefinition {
  const definition: Record<string, ServiceDefinition[string]> = {};
  for (const { kind, method, read } of methods) {
    definition[method.localName] = {
      path: `/${typeName}/${method.name}`,
      requestStream: kind === "client_streaming" || kind === "bidi_streaming",
      responseStream: kind === "server_streaming" || kind === "bidi_streaming",
      requestSerialize: (message: Message) => encode(method.input, message),
      requestDeserialize: (bytes) => read?.(bytes) ?? decodeRequest(method.input, bytes),
      responseSerialize: (message: Message) => encode(method.output, message),
      responseDeserialize: (bytes) => decodeRequest(method.output, bytes),
    };
  }
  return definition;
}

function encode(desc: DescMessage, message: Message): Buffer {
  const bytes = toBinary(desc, message);
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function formatAddress(host: string, port: number): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}

function bind(server: Server, address: string): Promise<number> {
  return new Promise((resolve, reject) => {
    server.bindAsync(address, ServerCredentials.createInsecure(), (error, port) => {
      if (error) reject(error);
      else resolve(port);
    });
  });
}

/** The parts of grpc-js without a public option: the cap of headers, that of connections, and the connections. */
interface GrpcJsInternals {
  readonly commonServerOptions: ServerOptions;
  createHttp2Server(credentials: ServerCredentials): Http2Server;
}

/** Caps what grpc-js opens, and gives the set of its connections. */
function watchConnections(server: Server): ReadonlySet<ServerHttp2Session> {
  const internals = server as unknown as GrpcJsInternals;
  const { commonServerOptions, createHttp2Server } = internals;
  if (commonServerOptions?.settings === undefined || typeof createHttp2Server !== "function") {
    throw new Error(
      "this version of @grpc/grpc-js builds its HTTP/2 server differently: its caps must be set anew",
    );
  }
  commonServerOptions.settings.maxHeaderListSize = HEADER_LIST_BYTES_MAX;
  const sessions = new Set<ServerHttp2Session>();
  internals.createHttp2Server = (credentials) => {
    const http2Server = createHttp2Server.call(server, credentials);
    http2Server.maxConnections = CONNECTIONS_MAX;
    http2Server.on("session", (session) => {
      sessions.add(session);
      session.once("close", () => sessions.delete(session));
    });
    http2Server.on("stream", (stream) => stream.once("finish", () => endRequestsLater(stream)));
    return http2Server;
  };
  return sessions;
}

/**
 * Ends the requests of a call that has been answered before they ended, once its caller has had time to see the answer
 * and end them itself. grpc-js leaves such a stream half open, for as long as its caller likes.
 */
function endRequestsLater(stream: Http2Stream): void {
  if (stream.readableEnded) return;
  const end = setTimeout(() => {
    if (!stream.destroyed) stream.close(constants.NGHTTP2_NO_ERROR);
  }, ANSWERED_REQUESTS_MS_MAX);
  stream.once("close", () => clearTimeout(end));
}

/**
 * Stops in the order that loses no call: nobody new is let in; streams end; connections get GOAWAY, which names the last
 * call taken, and close as that ends; then force.
 */
function stopServer(
  server: Server,
  sessions: ReadonlySet<ServerHttp2Session>,
  streams: OpenStreams,
  graceMs: number,
): Promise<StopReport> {
  return new Promise((resolve) => {
    const force = setTimeout(() => {
      server.forceShutdown();
      // With its tracing off, grpc-js forgets that it has connections to cut.
      for (const session of sessions) session.destroy();
      resolve({ forced: true });
    }, graceMs);
    streams.stopAll();
    server.tryShutdown(() => {
      clearTimeout(force);
      resolve({ forced: false });
    });
  });
}
