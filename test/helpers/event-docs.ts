import type { EventAttribute, EventTypeInfo } from "../../src/core/events/event.ts";

/** The tables of `docs/events.md`: payment facts share one list of attributes, every other type has its own. */
export function renderEventTypes(types: Iterable<EventTypeInfo>): string {
  const all = [...types];
  const facts = all.filter(({ isPaymentFact }) => isPaymentFact);
  const others = all.filter(({ isPaymentFact }) => !isPaymentFact);
  return [
    "### Payment facts",
    "",
    "| Type | Amount | What it tells |",
    "|---|---|---|",
    ...facts.map(({ name, amount, doc }) => `| \`${name}\` | ${amount} | ${doc} |`),
    "",
    "All of them have these attributes:",
    "",
    "| Attribute | Type | Kept | What it says |",
    "|---|---|---|---|",
    ...[...facts[0]!.attributes.values()].map(renderAttribute),
    "",
    "### Other events",
    "",
    "| Type | Amount | What it tells | Attributes |",
    "|---|---|---|---|",
    ...others.map(renderType),
    "",
    "### Their attributes",
    "",
    "| Attribute | Type | Kept | What it says | Of |",
    "|---|---|---|---|---|",
    ...listAttributes(others),
  ].join("\n");
}

function renderType({ name, amount, doc, attributes }: EventTypeInfo): string {
  const names = [...attributes.values()].map((each) => `\`${each.name}\`${each.required ? "*" : ""}`);
  return `| \`${name}\` | ${amount} | ${doc} | ${names.join(", ")} |`;
}

/** Attributes that are the same stand once, with the types that have them. */
function listAttributes(types: readonly EventTypeInfo[]): readonly string[] {
  const owners = new Map<string, string[]>();
  for (const { name, attributes } of types) {
    for (const attribute of attributes.values()) {
      const row = renderAttribute(attribute);
      owners.set(row, [...(owners.get(row) ?? []), `\`${name}\``]);
    }
  }
  return [...owners].map(([row, names]) => `${row} ${names.join(", ")} |`).sort();
}

function renderAttribute({ name, type, storage, values, derived, doc }: EventAttribute): string {
  const kept = derived ? `${storage}, filled in` : storage;
  const domain = values.length === 0 ? "" : ` One of ${values.map((value) => `\`${value}\``).join(", ")}.`;
  return `| \`${name}\` | ${type} | ${kept} | ${doc}${domain} |`;
}
