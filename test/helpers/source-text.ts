/**
 * A reading of TypeScript that is just good enough for the house rules: which characters are code, which are string
 * contents and which are comments, and what a file imports. Offsets and line numbers stay those of the file.
 */

export type SourceText = {
  /** Path from the project root, with forward slashes. */
  readonly path: string;
  /** The text as it stands in the file. */
  readonly text: string;
  /** Comments and the contents of strings, templates and regular expressions blanked; the same length as `text`. */
  readonly code: string;
  /** Only comments blanked; the same length as `text`. */
  readonly codeAndStrings: string;
};

export type Import = {
  /** As written: "./money.ts", "node:fs", "zod". */
  readonly specifier: string;
  readonly line: number;
  /** True when the compiler erases it, so that nothing is loaded. */
  readonly typesOnly: boolean;
};

/** What a stretch of text is, and so which of the two views keeps it. */
type Kind = "code" | "string" | "comment";

/** A slash after one of these begins a regular expression; after anything else it divides. */
const beforeRegex =
  /(?:^|[(,=:[!&|?{};+\-*%~^<>]|\b(?:return|typeof|case|in|of|do|else|void|delete|await|yield))\s*$/;

export function readSourceText(path: string, text: string): SourceText {
  const kinds = markKinds(text);
  const view = (keep: (kind: Kind) => boolean) =>
    Array.from({ length: text.length }, (_, at) =>
      text[at] === "\n" || keep(kinds[at]!) ? text[at]! : " ",
    ).join("");
  return {
    path,
    text,
    code: view((kind) => kind === "code"),
    codeAndStrings: view((kind) => kind !== "comment"),
  };
}

/** One-based line of an offset. */
function lineAt(text: string, offset: number): number {
  let line = 1;
  for (let at = 0; at < offset; at++) if (text[at] === "\n") line++;
  return line;
}

/** Every match of a global pattern in code, string contents left out. */
export function findInCode(
  source: SourceText,
  pattern: RegExp,
): readonly { readonly text: string; readonly line: number }[] {
  return [...source.code.matchAll(pattern)].map((match) => ({
    text: match[0].trim(),
    line: lineAt(source.text, match.index + match[0].search(/\S/)),
  }));
}

const importForms = [
  /\b(?:import|export)\b(?<clause>[^"'`;()]*?)\bfrom\s*["'](?<specifier>[^"'\n]+)["']/g,
  /\bimport\s*["'](?<specifier>[^"'\n]+)["']/g,
  /\bimport\s*\(\s*["'](?<specifier>[^"'\n]+)["']/g,
];

/** Lists static, side-effect and dynamic imports and re-exports, in order of line. */
export function findImports(source: SourceText): readonly Import[] {
  const found: Import[] = [];
  for (const form of importForms) {
    for (const match of source.codeAndStrings.matchAll(form)) {
      // A keyword that is blank in the code view stood inside a string.
      if (source.code[match.index] === " ") continue;
      const { specifier, clause } = match.groups as { specifier: string; clause?: string };
      found.push({
        specifier,
        line: lineAt(source.text, match.index),
        typesOnly: clause !== undefined && importsTypesOnly(clause),
      });
    }
  }
  return found.sort((a, b) => a.line - b.line);
}

/** Lists string literals that name a file relative to this one, imports included: a worker is started by such a name. */
export function findRelativeFileNames(source: SourceText): readonly string[] {
  return [...source.codeAndStrings.matchAll(/["'`](?<name>\.{1,2}\/[^"'`\n]*\.(?:ts|js))["'`]/g)].map(
    (match) => match.groups!.name!,
  );
}

function importsTypesOnly(clause: string): boolean {
  if (/^\s*type\b(?!\s*,)/.test(clause)) return true;
  const named = /^\s*\{(?<names>[^}]*)\}\s*$/.exec(clause)?.groups?.names;
  if (named === undefined) return false;
  const names = named.split(",").map((name) => name.trim());
  return names.every((name) => name === "" || name.startsWith("type "));
}

function markKinds(text: string): readonly Kind[] {
  const kinds = new Array<Kind>(text.length).fill("code");
  /** Depth of braces at each `${` that is still open, innermost last. */
  const templateDepths: number[] = [];
  let depth = 0;
  let at = 0;

  /** Marks from `at` to `end`, leaving the delimiters at both ends as code, and moves on. */
  const skipTo = (end: number, kind: Kind, delimiter: number) => {
    const stop = Math.min(end, text.length);
    kinds.fill(kind, at + delimiter, Math.max(at + delimiter, stop - delimiter));
    at = stop;
  };
  const skipTemplate = () => {
    const end = findTemplateStop(text, at + 1);
    if (text[end] === "$") templateDepths.push(depth++);
    kinds.fill("string", at + 1, end);
    at = end + (text[end] === "$" ? 2 : 1);
  };

  while (at < text.length) {
    const char = text[at]!;
    const two = text.slice(at, at + 2);
    if (two === "//") skipTo(indexOrEnd(text, "\n", at), "comment", 0);
    else if (two === "/*") skipTo(indexOrEnd(text, "*/", at + 2) + 2, "comment", 0);
    else if (char === '"' || char === "'") skipTo(findStringEnd(text, at, char), "string", 1);
    else if (char === "`") skipTemplate();
    else if (char === "/" && startsRegex(text, kinds, at)) skipTo(findRegexEnd(text, at), "string", 1);
    else if (char === "}" && templateDepths.at(-1) === depth - 1) {
      depth = templateDepths.pop()!;
      skipTemplate();
    } else {
      if (char === "{") depth++;
      if (char === "}") depth--;
      at++;
    }
  }
  return kinds;
}

function indexOrEnd(text: string, wanted: string, from: number): number {
  const index = text.indexOf(wanted, from);
  return index < 0 ? text.length : index;
}

/** Offset just behind the closing quote, or of the line's end for a string that is not closed. */
function findStringEnd(text: string, start: number, quote: string): number {
  for (let at = start + 1; at < text.length; at++) {
    if (text[at] === "\\") at++;
    else if (text[at] === quote || text[at] === "\n") return at + 1;
  }
  return text.length;
}

/** Offset of the closing backtick or of the next `${`. */
function findTemplateStop(text: string, start: number): number {
  for (let at = start; at < text.length; at++) {
    if (text[at] === "\\") at++;
    else if (text[at] === "`" || (text[at] === "$" && text[at + 1] === "{")) return at;
  }
  return text.length;
}

function startsRegex(text: string, kinds: readonly Kind[], slash: number): boolean {
  let before = "";
  for (let at = slash - 1; at >= 0 && before.length < 24; at--) {
    before = (kinds[at] === "comment" ? " " : text[at]!) + before;
  }
  return beforeRegex.test(before);
}

/** Offset just behind the closing slash, or of the line's end when it was a division after all. */
function findRegexEnd(text: string, start: number): number {
  let inClass = false;
  for (let at = start + 1; at < text.length && text[at] !== "\n"; at++) {
    if (text[at] === "\\") at++;
    else if (text[at] === "[") inClass = true;
    else if (text[at] === "]") inClass = false;
    else if (text[at] === "/" && !inClass) return at + 1;
  }
  return start + 1;
}
