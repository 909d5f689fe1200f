import { type Attribute, Attribute_Type, Purpose_Kind } from "../../gen/switchyard/v1/rule_set_pb.js";
import type { Purpose } from "../facts.ts";
import type { AttributeInfo, AttributeType } from "./snapshot.ts";

const purposes: Readonly<Record<Exclude<Purpose_Kind, Purpose_Kind.KIND_UNSPECIFIED>, Purpose>> = {
  [Purpose_Kind.PAYMENTS]: "payments",
  [Purpose_Kind.FRAUD]: "fraud",
  [Purpose_Kind.RG]: "rg",
  [Purpose_Kind.AML]: "aml",
  [Purpose_Kind.MARKETING]: "marketing",
};

/** Lists of purposes by their numbers: a rule set has thousands of rules and a handful of different lists. */
const lists = new Map<string, readonly Purpose[]>();

/** Purposes as the core calls them, in the order given; the unspecified one is left out. Frozen and shared. */
export function readPurposes(kinds: readonly Purpose_Kind[]): readonly Purpose[] {
  const known = kinds.filter((kind) => kind !== Purpose_Kind.KIND_UNSPECIFIED);
  // Five different ones at most, so there are few lists; one that repeats itself was refused, or is about to be.
  if (known.length > 5) return known.map((kind) => purposes[kind]);
  const key = known.join();
  let list = lists.get(key);
  if (list === undefined) {
    list = Object.freeze(known.map((kind) => purposes[kind]));
    lists.set(key, list);
  }
  return list;
}

/** A declared attribute; undefined where its type is missing. */
export function readAttribute({ name, type, values, purposes: kinds }: Attribute): AttributeInfo | undefined {
  if (type === Attribute_Type.TYPE_UNSPECIFIED) return undefined;
  return { name, type: Attribute_Type[type] as AttributeType, values, purposes: readPurposes(kinds) };
}

/** An instant or a duration in ms. */
export function toMs({ seconds, nanos }: { readonly seconds: bigint; readonly nanos: number }): number {
  return Number(seconds) * 1_000 + nanos / 1_000_000;
}
