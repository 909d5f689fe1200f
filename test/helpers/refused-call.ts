import { Code, ConnectError } from "@connectrpc/connect";
import { findTrailerError } from "@connectrpc/connect/protocol-grpc";
import { Client, credentials, type Metadata, type ServiceError } from "@grpc/grpc-js";
import { FieldFaultSchema, MissingSchema } from "../../src/gen/switchyard/v1/fault_pb.js";

/** What came of a call: `OK`, or how it was refused. The same for both doors. */
export type Outcome = {
  readonly code: string;
  /** Each as `field rule`. */
  readonly faults: readonly string[];
  /** What is unknown, each as `kind id`. */
  readonly missing: readonly string[];
  readonly message: string;
};

const ok: Outcome = { code: "OK", faults: [], missing: [], message: "" };

/** A gRPC client that sends bytes as they are, so that they can be wrong in every way. */
export type RawClient = {
  readonly send: (method: string, bytes: Uint8Array) => Promise<Outcome>;
  readonly close: () => void;
};

/** Opens one on the gateway listener. `method` is such as `DecisionService/Decide`. */
export function openRawClient(gatewayUrl: string): RawClient {
  const client = new Client(new URL(gatewayUrl).host, credentials.createInsecure());
  const identity = (bytes: Buffer): Buffer => bytes;
  return {
    send: (method, bytes) =>
      new Promise((resolve) => {
        const path = `/switchyard.v1.${method}`;
        client.makeUnaryRequest(path, identity, identity, Buffer.from(bytes), (error: ServiceError | null) =>
          resolve(error === null ? ok : describeError(readServiceError(error))),
        );
      }),
    close: () => client.close(),
  };
}

/** Posts a body to the admin listener as it is. */
export async function postRaw(
  adminUrl: string,
  method: string,
  body: string | Uint8Array<ArrayBuffer>,
  contentType = "application/json",
): Promise<Outcome> {
  const response = await fetch(`${adminUrl}/switchyard.v1.${method}`, {
    method: "POST",
    headers: { "content-type": contentType },
    body,
  });
  if (response.status === 200) {
    await response.arrayBuffer();
    return ok;
  }
  const answer = (await response.json()) as {
    readonly code: string;
    readonly message?: string;
    readonly details?: readonly { readonly type: string; readonly value: string }[];
  };
  const error = new ConnectError(answer.message ?? "", readCode(answer.code));
  error.details = (answer.details ?? []).map(({ type, value }) => ({
    type,
    value: Buffer.from(value, "base64"),
  }));
  return describeError(error);
}

function readServiceError({ code, details, metadata }: ServiceError): ConnectError {
  return findTrailerError(toHeaders(metadata)) ?? new ConnectError(details, code as number as Code);
}

function toHeaders(metadata: Metadata): Headers {
  const headers = new Headers();
  for (const [name, value] of Object.entries(metadata.getMap())) {
    headers.set(name, typeof value === "string" ? value : value.toString("base64"));
  }
  return headers;
}

/** `invalid_argument` as the code of that name. */
function readCode(name: string): Code {
  const pascal = name.replaceAll(/(?:^|_)([a-z])/g, (_, letter: string) => letter.toUpperCase());
  return Code[pascal as keyof typeof Code];
}

function describeError(error: ConnectError): Outcome {
  return {
    code: Code[error.code]!,
    faults: error.findDetails(FieldFaultSchema).map(({ field, rule }) => `${field} ${rule}`),
    missing: error.findDetails(MissingSchema).map(({ kind, id }) => `${kind} ${id}`),
    message: error.rawMessage,
  };
}
