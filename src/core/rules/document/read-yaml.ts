import {
  type Alias,
  Composer,
  type CST,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  type ParsedNode,
  Parser,
  type Scalar,
} from "yaml";
import type { FaultList } from "./fault.ts";
import { classifyPlain, type DocEntry, type DocNode, depthMax } from "./node.ts";

/** Aliases that a document may hold: enough to share lists, too few to matter. */
const aliasesMax = 1_000;

/**
 * All scalars are text to the library (so no number is rounded); what a plain one is, `node.ts` says. Duplicate keys are left to the reader of
 * messages: the library compares each key with each other one.
 */
const options = {
  schema: "failsafe",
  version: "1.2",
  uniqueKeys: false,
  prettyErrors: false,
  logLevel: "silent",
} as const;

type Context = {
  readonly text: string;
  readonly faults: FaultList;
  /** Anchors met so far; undefined while inside the anchored node. A later anchor of the same name takes over, as YAML has it. */
  readonly anchors: Map<string, DocNode | undefined>;
  aliases: number;
};

/**
 * Reads YAML 1.2 into a tree with places. Refused: directives, more than one document, tags, merge keys, keys that are no text, aliases beyond
 * 1,000 or inside their own anchor, more than 32 levels.
 *
 * Fails:  undefined with `syntax`, `too-deep`, `yaml-feature`, `alias` or `key-not-text` in the list.
 */
export function readYaml(text: string, faults: FaultList): DocNode | undefined {
  const root = composeText(text, faults);
  if (root === undefined || faults.hasErrors()) return undefined;
  const tree = convert(root, { text, faults, anchors: new Map(), aliases: 0 });
  return faults.hasErrors() ? undefined : tree;
}

function composeText(text: string, faults: FaultList): ParsedNode | undefined {
  const composer = new Composer(options);
  const documents = [];
  for (const token of new Parser().parse(text)) {
    if (token.type === "directive") {
      faults.error("", "yaml-feature", "directives are not supported", token.offset);
    }
    const deep = findTooDeep(token);
    if (deep !== undefined) {
      faults.error("", "too-deep", `nested deeper than ${depthMax} levels`, deep.offset);
      return undefined;
    }
    for (const document of composer.next(token)) documents.push(document);
  }
  for (const document of composer.end(false, text.length)) documents.push(document);
  const [document, second] = documents;
  const broken = documents.find(({ errors }) => errors.length > 0)?.errors[0];
  if (broken !== undefined) {
    // The first one is the cause; those after it are often its echo.
    faults.error("", "syntax", firstLine(broken.message), broken.pos[0]);
  } else if (second !== undefined) {
    faults.error("", "yaml-feature", "only one document is allowed", second.range[0]);
  } else if (document === undefined || document.contents === null) {
    faults.error("", "syntax", "the document is empty", 0);
  }
  return document?.contents ?? undefined;
}

/** A token that nests too deep. Looked for without recursion, and before the composer, which recurses. */
function findTooDeep(token: CST.Token): CST.Token | undefined {
  const rest: { readonly token: CST.Token; readonly depth: number }[] = [{ token, depth: 0 }];
  for (let next = rest.pop(); next !== undefined; next = rest.pop()) {
    const { depth } = next;
    if (depth > depthMax) return next.token;
    if (next.token.type === "document" && next.token.value !== undefined) {
      rest.push({ token: next.token.value, depth: 1 });
    }
    for (const { key, value } of "items" in next.token ? next.token.items : []) {
      for (const part of [key, value]) if (part) rest.push({ token: part, depth: depth + 1 });
    }
  }
  return undefined;
}

function firstLine(message: string): string {
  return (message.split("\n")[0] ?? "").slice(0, 200);
}

function convert(node: ParsedNode, context: Context): DocNode {
  const start = node.range[0];
  const { faults, anchors } = context;
  if (isAlias(node)) return resolveAlias(node, start, context);
  if (node.tag !== undefined) faults.error("", "yaml-feature", "tags are not supported", start);
  if (node.anchor !== undefined) anchors.set(node.anchor, undefined);
  const converted = convertContents(node, context);
  if (node.anchor !== undefined) anchors.set(node.anchor, converted);
  return converted;
}

function convertContents(node: Exclude<ParsedNode, Alias.Parsed>, context: Context): DocNode {
  const start = node.range[0];
  if (isScalar(node)) return convertScalar(node, start, context.text);
  if (isSeq(node)) {
    const items = node.items.map((item) => convert(item as ParsedNode, context));
    return { kind: "list", start, items };
  }
  const entries = isMap(node) ? node.items.flatMap((pair) => convertPair(pair, context)) : [];
  return { kind: "map", start, entries };
}

type ParsedPair = { readonly key: unknown; readonly value: unknown };

function convertPair(pair: ParsedPair, context: Context): readonly DocEntry[] {
  const { faults } = context;
  const key = pair.key as ParsedNode;
  const keyStart = key.range[0];
  const value = pair.value === null ? emptyAt(key.range[1]) : convert(pair.value as ParsedNode, context);
  if (!isScalar(key) || typeof key.value !== "string" || isPlainValue(key)) {
    faults.error("", "key-not-text", "keys must be texts; write this one in quotes", keyStart);
    return [];
  }
  if (key.tag !== undefined || key.anchor !== undefined) {
    faults.error("", "yaml-feature", "keys have no tags and no anchors", keyStart);
  }
  if (key.value === "<<" && key.type === "PLAIN") {
    faults.error("", "yaml-feature", "merge keys are not supported", keyStart);
    return [];
  }
  return [{ key: key.value, keyStart, value }];
}

/** Whether a key is a number, a bool or null, which JSON could not say. */
function isPlainValue(key: Scalar.Parsed): boolean {
  return key.type === "PLAIN" && classifyPlain(String(key.value)) !== "text";
}

function convertScalar({ value, type }: Scalar.Parsed, start: number, text: string): DocNode {
  const said = typeof value === "string" ? value : "";
  if (type === "BLOCK_LITERAL" || type === "BLOCK_FOLDED") {
    return { kind: "scalar", start, text: said, style: "block", textStart: undefined };
  }
  const isQuoted = type === "QUOTE_DOUBLE" || type === "QUOTE_SINGLE";
  const textStart = isQuoted ? start + 1 : start;
  const isVerbatim = text.startsWith(said, textStart) && !/[\r\n]/.test(said);
  return {
    kind: "scalar",
    start,
    text: said,
    style: isQuoted ? "quoted" : "plain",
    textStart: isVerbatim ? textStart : undefined,
  };
}

function resolveAlias(node: Alias.Parsed, start: number, context: Context): DocNode {
  context.aliases++;
  const target = context.anchors.get(node.source);
  if (context.aliases > aliasesMax) {
    if (context.aliases === aliasesMax + 1) {
      context.faults.error("", "alias", `more than ${aliasesMax} aliases`, start);
    }
  } else if (target === undefined) {
    const name = JSON.stringify(node.source.slice(0, 40));
    context.faults.error("", "alias", `there is no finished anchor ${name} before this alias`, start);
  } else {
    return target;
  }
  return emptyAt(start);
}

function emptyAt(start: number): DocNode {
  return { kind: "scalar", start, text: "", style: "plain", textStart: start };
}
