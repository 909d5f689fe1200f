/**
 * What the table of payments says of one: where its answer stands, or that it is closed. Answers and tombstones stand in tables of their own,
 * ordered by when they may be forgotten.
 */
import { packRow, unpackRow } from "./pack.ts";

const answeredTag = 1;
const closedTag = 2;
const instantBytes = 6;
const stampBytes = 2 * instantBytes;
const instantMax = 2 ** 48 - 1;

export type PaymentPlace =
  /** `stamp` is the key in the table of answers. */
  | { readonly state: "answered"; readonly stamp: Buffer }
  | {
      readonly state: "closed";
      readonly revision: number;
      readonly finalState: string;
      readonly keepUntilMs: number;
      /** The key in the table of tombstones. */
      readonly stamp: Buffer;
    };

/** A key that orders by instant. `sequence` makes it unique. */
export function encodeStamp(instantMs: number, sequence: number): Buffer {
  const stamp = Buffer.allocUnsafe(stampBytes);
  stamp.writeUIntBE(Math.min(instantMs, instantMax), 0, instantBytes);
  stamp.writeUIntBE(sequence, instantBytes, instantBytes);
  return stamp;
}

export function decodeStamp(stamp: Buffer): { readonly instantMs: number; readonly sequence: number } {
  return {
    instantMs: stamp.readUIntBE(0, instantBytes),
    sequence: stamp.readUIntBE(instantBytes, instantBytes),
  };
}

export function encodePlace(place: PaymentPlace): Buffer {
  if (place.state === "answered") return Buffer.concat([Buffer.of(answeredTag), place.stamp]);
  const { instantMs, sequence } = decodeStamp(place.stamp);
  return packRow(closedTag, [place.revision, place.finalState, place.keepUntilMs, instantMs, sequence]);
}

/** Fails: throws where this build does not know what stands there. */
export function decodePlace(bytes: Buffer): PaymentPlace {
  switch (bytes[0]) {
    case answeredTag:
      return { state: "answered", stamp: bytes.subarray(1, 1 + stampBytes) };
    case closedTag: {
      const [revision, finalState, keepUntilMs, instantMs, sequence] = unpackRow(bytes) as [
        number,
        string,
        number,
        number,
        number,
      ];
      return {
        state: "closed",
        revision,
        finalState,
        keepUntilMs,
        stamp: encodeStamp(instantMs, sequence),
      };
    }
    default:
      throw new Error(
        `the table of payments holds layout ${bytes[0]}, which this build does not know: was it written by a newer one?`,
      );
  }
}
