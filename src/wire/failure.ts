import { Code, ConnectError } from "@connectrpc/connect";
import { setTrailerStatus } from "@connectrpc/connect/protocol-grpc";
import { Metadata } from "@grpc/grpc-js";
import type { ErrorHook } from "./transport.ts";

/**
 * The failure that a caller may see, from whatever a handler threw.
 *
 * A ConnectError passes as it is. Anything else is a bug: the caller reads Internal "internal error", and the cause
 * goes to the hook.
 */
export function toFailure(thrown: unknown, where: string, onError: ErrorHook): ConnectError {
  if (thrown instanceof ConnectError) return makeWellFormed(thrown);
  onError(thrown, where);
  return new ConnectError("internal error", Code.Internal, undefined, undefined, thrown);
}

/** Half of a surrogate pair in a message would make the percent-encoding of gRPC throw on the way out. */
function makeWellFormed(failure: ConnectError): ConnectError {
  if (failure.rawMessage.isWellFormed()) return failure;
  const { code, metadata, details, cause } = failure;
  const outgoing = details.filter((detail) => "desc" in detail);
  return new ConnectError(failure.rawMessage.toWellFormed(), code, metadata, outgoing, cause);
}

/** A status as grpc-js sends it. */
export interface GrpcStatus {
  readonly code: number;
  readonly details: string;
  readonly metadata: Metadata;
}

const STATUS_HEADERS = new Set(["grpc-status", "grpc-message"]);

/**
 * A failure as grpc-js wants it. Connect's own writer makes the trailers, so that both doors answer byte for byte the
 * same: typed details as a google.rpc.Status in grpc-status-details-bin, each an Any with a type.googleapis.com URL.
 */
export function encodeGrpcStatus(failure: ConnectError): GrpcStatus {
  const metadata = new Metadata();
  if (failure.details.length > 0 || hasHeaders(failure.metadata)) {
    for (const [name, value] of setTrailerStatus(new Headers(), failure)) {
      if (STATUS_HEADERS.has(name)) continue;
      metadata.set(name, name.endsWith("-bin") ? Buffer.from(value, "base64") : value);
    }
  }
  return { code: failure.code, details: failure.rawMessage, metadata };
}

function hasHeaders(headers: Headers): boolean {
  return !headers.keys().next().done;
}
