/**
 * A document as a tree, the same for YAML and JSON: what it says, and where. Offsets are UTF-16 units from the start of the text.
 */
export type DocNode =
  | {
      readonly kind: "scalar";
      readonly start: number;
      /** What the scalar says: decoded where quoted, as it stands where plain. */
      readonly text: string;
      readonly style: "plain" | "quoted" | "block";
      /** Where `text` begins in the document, where it stands there as it is on one line; undefined where it is escaped or folded. */
      readonly textStart: number | undefined;
    }
  | { readonly kind: "map"; readonly start: number; readonly entries: readonly DocEntry[] }
  | { readonly kind: "list"; readonly start: number; readonly items: readonly DocNode[] };

/** One entry of a map. Keys are plain data, whatever they are called. */
export type DocEntry = { readonly key: string; readonly keyStart: number; readonly value: DocNode };

/** What the text of a plain scalar is, by the core schema of YAML 1.2 (which JSON's literals are a part of). */
export type PlainKind = "null" | "bool" | "int" | "float" | "not-a-number" | "text";

/** Deepest nesting of a document. The schema itself needs 7. */
export const depthMax = 32;

const plainKinds: readonly (readonly [PlainKind, RegExp])[] = [
  ["null", /^(?:~|null|Null|NULL)?$/],
  ["bool", /^(?:true|True|TRUE|false|False|FALSE)$/],
  ["int", /^(?:[-+]?\d+|0o[0-7]+|0x[\da-fA-F]+)$/],
  ["float", /^[-+]?(?:\.\d+|\d+(?:\.\d*)?)(?:[eE][-+]?\d+)?$/],
  ["not-a-number", /^(?:[-+]?(?:\.inf|\.Inf|\.INF|Infinity)|\.nan|\.NaN|\.NAN|NaN)$/],
];

/** What a plain scalar is: `.inf`, `.nan` and their JSON-like spellings are never numbers here. */
export function classifyPlain(text: string): PlainKind {
  // No kind but text is this long; the expressions need not look at a megabyte.
  if (text.length > 400) return "text";
  return plainKinds.find(([, pattern]) => pattern.test(text))?.[0] ?? "text";
}

/** What a node is, for messages: `the integer 5`, `a list`. */
export function describeNode(node: DocNode): string {
  if (node.kind !== "scalar") return node.kind === "map" ? "a map" : "a list";
  if (node.style !== "plain") return "text";
  const kind = classifyPlain(node.text);
  switch (kind) {
    case "null":
      return "null";
    case "bool":
    case "not-a-number":
      return node.text;
    case "int":
    case "float":
      return `the number ${node.text.slice(0, 40)}`;
    case "text":
      return "text";
  }
}
