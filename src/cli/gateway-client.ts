import { create, type DescMessage, fromBinary, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { ConnectError } from "@connectrpc/connect";
import { findTrailerError } from "@connectrpc/connect/protocol-grpc";
import { Client, credentials, type ServiceError } from "@grpc/grpc-js";
import {
  DecideRequestSchema,
  type DecideResponse,
  DecideResponseSchema,
  DecisionService,
  ReportOutcomeRequestSchema,
  type ReportOutcomeResponse,
  ReportOutcomeResponseSchema,
} from "../gen/switchyard/v1/decision_pb.js";

type DecideInit = MessageInitShape<typeof DecideRequestSchema>;
type ReportInit = MessageInitShape<typeof ReportOutcomeRequestSchema>;

/** What became of one call. */
export type DecideResult =
  | { readonly ok: true; readonly response: DecideResponse }
  | { readonly ok: false; readonly error: ConnectError };

export type ReportResult =
  | { readonly ok: true; readonly response: ReportOutcomeResponse }
  | { readonly ok: false; readonly error: ConnectError };

/** Decide and ReportOutcome through the gateway listener: gRPC over clear-text HTTP/2, binary protobuf. */
export type GatewayClient = {
  /** `done` is called once, later. */
  readonly decide: (request: DecideInit, done: (result: DecideResult) => void) => void;
  /** The same of ReportOutcome. */
  readonly report: (request: ReportInit, done: (result: ReportResult) => void) => void;
  readonly close: () => void;
};

const callTimeoutMs = 30_000;
const answerBytesMax = 4 * 1024 * 1024;
const decidePath = `/${DecisionService.typeName}/${DecisionService.method.decide.name}`;
const reportPath = `/${DecisionService.typeName}/${DecisionService.method.reportOutcome.name}`;

/** Opens `connections` connections, over which calls go in turn. Nothing is sent until the first call. */
export function openGateway(options: {
  readonly address: string;
  readonly connections: number;
}): GatewayClient {
  const clients = Array.from({ length: options.connections }, () => openClient(options.address));
  let turn = 0;
  const call = <I, O>(
    path: string,
    codec: { readonly encode: (request: I) => Buffer; readonly decode: (bytes: Buffer) => O },
    request: I,
    done: (result: { ok: true; response: O } | { ok: false; error: ConnectError }) => void,
  ): void => {
    const client = clients[turn]!;
    turn = (turn + 1) % clients.length;
    const deadline = Date.now() + callTimeoutMs;
    client.makeUnaryRequest(path, codec.encode, codec.decode, request, { deadline }, (error, response) => {
      if (error !== null) done({ ok: false, error: toConnectError(error) });
      else done({ ok: true, response: response! });
    });
  };
  return {
    decide: (request, done) => call(decidePath, decideCodec, request, done),
    report: (request, done) => call(reportPath, reportCodec, request, done),
    close() {
      for (const client of clients) client.close();
    },
  };
}

export function openClient(address: string): Client {
  return new Client(address, credentials.createInsecure(), {
    // Without a pool of its own each channel would share one connection with the others.
    "grpc.use_local_subchannel_pool": 1,
    "grpc.max_receive_message_length": answerBytesMax,
    "grpc.enable_channelz": 0,
    "grpc.enable_retries": 0,
  });
}

const decideCodec = {
  encode: (request: DecideInit) => encodeMessage(DecideRequestSchema, request),
  decode: (bytes: Buffer) => fromBinary(DecideResponseSchema, bytes),
};

const reportCodec = {
  encode: (request: ReportInit) => encodeMessage(ReportOutcomeRequestSchema, request),
  decode: (bytes: Buffer) => fromBinary(ReportOutcomeResponseSchema, bytes),
};

export function encodeMessage<Desc extends DescMessage>(schema: Desc, init: MessageInitShape<Desc>): Buffer {
  const bytes = toBinary(schema, create(schema, init));
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** An error of grpc-js with its typed details, read by the code that Connect reads them with. */
export function toConnectError(error: ServiceError): ConnectError {
  const headers = new Headers({
    "grpc-status": String(error.code),
    "grpc-message": encodeURIComponent(error.details),
  });
  const details = error.metadata.get("grpc-status-details-bin")[0];
  if (details !== undefined) headers.set("grpc-status-details-bin", Buffer.from(details).toString("base64"));
  return findTrailerError(headers) ?? new ConnectError(error.details, error.code as number);
}
