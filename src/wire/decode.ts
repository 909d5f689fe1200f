import { type DescMessage, fromBinary, type Message } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { findWireFault } from "./wire-format.ts";

/** Bytes that are not a message of the wanted type, with what is wrong with them. */
export class DecodeFault {
  readonly reason: string;

  constructor(reason: string) {
    this.reason = reason;
  }

  /** The caller's fault, so InvalidArgument: grpc-js and Connect would both say Internal, which pages somebody. */
  toFailure(): ConnectError {
    return new ConnectError(`request is not a valid message: ${this.reason}`, Code.InvalidArgument);
  }
}

/** There are none left by then. */
const READ_OPTIONS = { readUnknownFields: false } as const;

/**
 * Decodes a request; never throws.
 *
 * Fails: bytes that end too early, lengths that lie, wrong wire types, unknown fields, nesting deeper than 32, and strings
 * that are not UTF-8.
 */
export function decodeRequest(desc: DescMessage, bytes: Uint8Array): Message | DecodeFault {
  const fault = findWireFault(desc, bytes);
  if (fault !== undefined) return new DecodeFault(fault);
  try {
    return fromBinary(desc, bytes, READ_OPTIONS);
  } catch (thrown) {
    return new DecodeFault(thrown instanceof Error ? thrown.message : "malformed");
  }
}
