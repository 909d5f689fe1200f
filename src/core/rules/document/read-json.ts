import type { FaultList } from "./fault.ts";
import { type DocEntry, type DocNode, depthMax } from "./node.ts";

/** Thrown inside this file only, where a text is no JSON or too deep. */
class JsonFault extends Error {
  readonly offset: number;
  readonly rule: "syntax" | "too-deep";
  constructor(offset: number, message: string, rule: "syntax" | "too-deep" = "syntax") {
    super(message);
    this.offset = offset;
    this.rule = rule;
  }
}

type Cursor = { readonly text: string; at: number };

const literalPattern = /(?:true|false|null|NaN|-?Infinity|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][-+]?\d+)?)/y;
const escapes: ReadonlyMap<string, string> = new Map([
  ['"', '"'],
  ["\\", "\\"],
  ["/", "/"],
  ["b", "\b"],
  ["f", "\f"],
  ["n", "\n"],
  ["r", "\r"],
  ["t", "\t"],
]);

/**
 * Reads JSON into a tree with places, keeping numbers as they stand and keys as often as they stand. (`JSON.parse` tells no places, drops
 * duplicate keys and rounds numbers.)
 *
 * Fails:  undefined with `syntax` or `too-deep` in the list.
 */
export function readJson(text: string, faults: FaultList): DocNode | undefined {
  const cursor: Cursor = { text, at: 0 };
  try {
    const node = readValue(cursor, 1);
    skipSpace(cursor);
    if (cursor.at < text.length) throw new JsonFault(cursor.at, "nothing may follow the document");
    return node;
  } catch (error) {
    if (!(error instanceof JsonFault)) throw error;
    faults.error("", error.rule, error.message, error.offset);
    return undefined;
  }
}

function readValue(cursor: Cursor, depth: number): DocNode {
  skipSpace(cursor);
  const start = cursor.at;
  if (depth > depthMax) throw new JsonFault(start, `nested deeper than ${depthMax} levels`, "too-deep");
  switch (cursor.text[start]) {
    case "{":
      return readObject(cursor, depth);
    case "[":
      return readArray(cursor, depth);
    case '"': {
      const text = readString(cursor);
      const isVerbatim = cursor.at - start - 2 === text.length;
      return { kind: "scalar", start, text, style: "quoted", textStart: isVerbatim ? start + 1 : undefined };
    }
    default:
      literalPattern.lastIndex = start;
      return readLiteral(cursor, literalPattern.exec(cursor.text)?.[0]);
  }
}

function readLiteral(cursor: Cursor, literal: string | undefined): DocNode {
  const start = cursor.at;
  if (literal === undefined)
    throw new JsonFault(start, `a value must begin here, this is ${describe(cursor)}`);
  cursor.at += literal.length;
  if (/[\w.+-]/.test(cursor.text[cursor.at] ?? ""))
    throw new JsonFault(start, "this is no JSON number or literal");
  return { kind: "scalar", start, text: literal, style: "plain", textStart: start };
}

function readObject(cursor: Cursor, depth: number): DocNode {
  const start = cursor.at++;
  const entries: DocEntry[] = [];
  while (!take(cursor, "}")) {
    if (entries.length > 0) expect(cursor, ",", "a comma or }");
    skipSpace(cursor);
    const keyStart = cursor.at;
    if (cursor.text[keyStart] !== '"') {
      throw new JsonFault(keyStart, `a key in double quotes must follow, this is ${describe(cursor)}`);
    }
    const key = readString(cursor);
    expect(cursor, ":", "a colon");
    entries.push({ key, keyStart, value: readValue(cursor, depth + 1) });
  }
  return { kind: "map", start, entries };
}

function readArray(cursor: Cursor, depth: number): DocNode {
  const start = cursor.at++;
  const items: DocNode[] = [];
  while (!take(cursor, "]")) {
    if (items.length > 0) expect(cursor, ",", "a comma or ]");
    items.push(readValue(cursor, depth + 1));
  }
  return { kind: "list", start, items };
}

function readString(cursor: Cursor): string {
  const { text } = cursor;
  const start = cursor.at++;
  let result = "";
  let from = cursor.at;
  for (;;) {
    const code = text.charCodeAt(cursor.at);
    if (Number.isNaN(code)) throw new JsonFault(start, "this text has no end");
    if (code < 0x20) throw new JsonFault(cursor.at, "a control character in text must be escaped");
    if (code === 0x22) {
      result += text.slice(from, cursor.at++);
      return result;
    }
    if (code === 0x5c) {
      result += text.slice(from, cursor.at) + readEscape(cursor);
      from = cursor.at;
    } else {
      cursor.at++;
    }
  }
}

function readEscape(cursor: Cursor): string {
  const { text, at } = cursor;
  const kind = text[at + 1] ?? "";
  const simple = escapes.get(kind);
  if (simple !== undefined) {
    cursor.at += 2;
    return simple;
  }
  const digits = text.slice(at + 2, at + 6);
  if (kind !== "u" || !/^[\da-fA-F]{4}$/.test(digits)) throw new JsonFault(at, "this is no escape of JSON");
  cursor.at += 6;
  return String.fromCharCode(Number.parseInt(digits, 16));
}

function take(cursor: Cursor, character: string): boolean {
  skipSpace(cursor);
  if (cursor.text[cursor.at] !== character) return false;
  cursor.at++;
  return true;
}

function expect(cursor: Cursor, character: string, wanted: string): void {
  if (!take(cursor, character))
    throw new JsonFault(cursor.at, `${wanted} must follow, this is ${describe(cursor)}`);
}

function describe({ text, at }: Cursor): string {
  return at >= text.length ? "the end" : JSON.stringify(String.fromCodePoint(text.codePointAt(at)!));
}

function skipSpace(cursor: Cursor): void {
  for (;;) {
    const code = cursor.text.charCodeAt(cursor.at);
    if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) return;
    cursor.at++;
  }
}
