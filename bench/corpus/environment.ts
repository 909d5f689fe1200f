import type { Environment, SlotSource, Variable } from "../../src/core/cel/environment.ts";
import type { MembershipList, Value } from "../../src/core/cel/expr.ts";
import { encodeList, openList } from "../../src/core/lists.ts";
import { binLists, type CorpusPayment, fundings, playerAttributes, segmentIds } from "./payments.ts";

/** How a slot reads its value from a payment of the corpus. */
export type SlotReader = (payment: CorpusPayment) => Value;

const fields: Readonly<
  Record<string, { readonly variable: Omit<Variable, "source">; readonly read: SlotReader }>
> = {
  "payment.currency": { variable: { type: "string" }, read: (payment) => payment.currency },
  "payment.method": { variable: { type: "string" }, read: (payment) => payment.method },
  "payment.player_country": { variable: { type: "string" }, read: (payment) => payment.playerCountry },
  "card.bin": { variable: { type: "string" }, read: (payment) => payment.card?.bin },
  "card.scheme": { variable: { type: "string" }, read: (payment) => payment.card?.scheme },
  "card.funding": {
    variable: { type: "string", domain: [...fundings, "charge"] },
    read: (payment) => payment.card?.funding,
  },
  "card.issuer_country": { variable: { type: "string" }, read: (payment) => payment.card?.issuerCountry },
};

/** An environment over the corpus' vocabulary; `readers[slot]` reads each slot that conditions have asked for so far. */
export function createCorpusEnvironment(): {
  readonly environment: Environment;
  readonly readers: readonly SlotReader[];
} {
  const readers: SlotReader[] = [];
  const slots = new Map<string, number>();
  const lists = new Map([...binLists.keys()].map((id, ordinal) => [id, { ordinal, kind: "BIN" as const }]));
  const segments = new Map(segmentIds.map((id, ordinal) => [id, ordinal]));
  const environment: Environment = {
    variable: readVariable,
    names: (root) =>
      root === "player"
        ? Object.keys(playerAttributes)
        : Object.keys(fields).flatMap((path) =>
            path.startsWith(`${root}.`) ? [path.slice(root.length + 1)] : [],
          ),
    list: (id) => lists.get(id),
    segment: (id) => segments.get(id),
    slot: (source) => {
      const key = JSON.stringify(source);
      const slot = slots.get(key) ?? readers.push(makeReader(source)) - 1;
      slots.set(key, slot);
      return slot;
    },
  };
  return { environment, readers };
}

/** The BIN lists in the order of their ordinals. */
export function makeMembershipLists(): readonly MembershipList[] {
  return [...binLists].map(([id, values]) => {
    const encoded = encodeList({ kind: "BIN", values });
    if (!encoded.ok) {
      throw new Error(`${id}: ${JSON.stringify(encoded.faults)}`);
    }
    return openList(encoded.list);
  });
}

function readVariable(path: string): Variable | undefined {
  if (Object.hasOwn(fields, path)) {
    return { ...fields[path]!.variable, source: { kind: "field", path } };
  }
  const [root, name = ""] = path.split(".");
  if (root === "player" && isPlayerAttribute(name)) {
    return { type: playerAttributes[name], source: { kind: "playerAttribute", name } };
  }
  return undefined;
}

function isPlayerAttribute(name: string): name is keyof typeof playerAttributes {
  return Object.hasOwn(playerAttributes, name);
}

function makeReader(source: SlotSource): SlotReader {
  if (source.kind === "field") {
    return fields[source.path]!.read;
  }
  if (source.kind === "playerAttribute" && isPlayerAttribute(source.name)) {
    const { name } = source;
    return (payment) => payment.player[name];
  }
  if (source.kind === "amountIn" && source.currency === "EUR") {
    return (payment) => payment.amountEurMinor;
  }
  throw new Error(`the corpus has no ${JSON.stringify(source)}`);
}
