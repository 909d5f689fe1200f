import { type FaultSink, quote } from "./faults.ts";

/** Longest condition, in UTF-16 units. */
const textMax = 4096;

/** Deepest nesting of brackets, of `!` and `-` in a row, and of conditional expressions. */
const nestingMax = 32;

const closers: ReadonlyMap<string, string> = new Map([
  ["(", ")"],
  ["[", "]"],
  ["{", "}"],
]);

/** What people write who think of another language, and what CEL has for it. */
const habits: ReadonlyMap<string, string> = new Map([
  ["and", "&&"],
  ["AND", "&&"],
  ["&", "&&"],
  ["or", "||"],
  ["OR", "||"],
  ["|", "||"],
  ["not", "!"],
  ["NOT", "!"],
  ["=", "=="],
  ["===", "=="],
  ["!==", "!="],
  ["<>", "!="],
]);

const tokenPatterns = {
  space: /[\t\n\f\r ]+/y,
  comment: /\/\/[^\r\n]*/y,
  string: /(?:[bB][rR]?|[rR])?(?:"""|'''|"|')/y,
  number: /(?:0x[0-9a-fA-F]+|(?:\d+(?:\.\d+)?|\.\d+)(?:[eE][+-]?\d+)?)[uU]?/y,
  name: /[A-Za-z_][A-Za-z0-9_]*/y,
  operator: /===|!==|&&|\|\||==|!=|<=|>=|<>|[-+*/%<>?:,.!()[\]{}=&|]/y,
} as const;

const escapePattern =
  /\\(?:[abfnrtv\\?"'`]|[xX][0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|[0-3][0-7]{2})/y;

type TokenKind = "string" | "number" | "name" | "operator";
type Token = { readonly kind: TokenKind; readonly text: string; readonly start: number };
type Bracket = { readonly open: string; readonly start: number; conditionals: number; unmatched: number[] };

/**
 * Looks over the text of a condition before it is parsed: length, well-formed UTF-16, brackets, nesting, and whether values and operators
 * take turns. The parser behind it tells little about a syntax error and must not meet a hostile text.
 *
 * Shapes: the same text with comments blanked out (the parser takes one at most), offsets unchanged.
 * Fails:  undefined with one located fault in the sink; what follows a syntax error means little.
 */
export function scanText(text: string, faults: FaultSink): string | undefined {
  if (text.length > textMax) {
    return faults.add(
      textMax,
      "too-long",
      `a condition has at most ${textMax} UTF-16 units, this one has ${text.length}`,
    );
  }
  if (!text.isWellFormed()) {
    return faults.add(text.search(/\p{Cs}/u), "not-well-formed", "half of a surrogate pair is no character");
  }
  const scanner = new Scanner(text, faults);
  return scanner.run() ? scanner.blanked : undefined;
}

class Scanner {
  readonly text: string;
  readonly faults: FaultSink;
  blanked: string;
  /** Outermost is the text itself, so that a conditional has a level to be counted in. */
  readonly levels: Bracket[] = [{ open: "", start: 0, conditionals: 0, unmatched: [] }];
  wantsValue = true;
  unaryRun = 0;
  conditionals = 0;
  previous: Token | undefined;

  constructor(text: string, faults: FaultSink) {
    this.text = text;
    this.blanked = text;
    this.faults = faults;
  }

  /** Reads every token; false as soon as one is out of place. */
  run(): boolean {
    let at = 0;
    while (at < this.text.length) {
      const blank = matchAt(tokenPatterns.space, this.text, at);
      const comment = blank === undefined ? matchAt(tokenPatterns.comment, this.text, at) : undefined;
      if (comment !== undefined) {
        this.blanked =
          this.blanked.slice(0, at) + " ".repeat(comment.length) + this.blanked.slice(at + comment.length);
      }
      const skipped = blank ?? comment;
      if (skipped !== undefined) {
        at += skipped.length;
        continue;
      }
      const token = this.readToken(at);
      if (token === undefined || !this.place(token)) return false;
      this.previous = token;
      at += token.text.length;
    }
    return this.finish();
  }

  private readToken(start: number): Token | undefined {
    const opening = matchAt(tokenPatterns.string, this.text, start);
    if (opening !== undefined) {
      const end = this.readString(start, opening);
      return end === undefined ? undefined : { kind: "string", text: this.text.slice(start, end), start };
    }
    for (const kind of ["number", "name", "operator"] as const) {
      const text = matchAt(tokenPatterns[kind], this.text, start);
      if (text !== undefined) return { kind, text, start };
    }
    const point = this.text.codePointAt(start)!;
    const shown = `U+${point.toString(16).toUpperCase().padStart(4, "0")}`;
    return this.faults.add(start, "syntax", `the character ${shown} has no meaning outside of a string`);
  }

  /** The end of the string literal whose opening quotes stand at start; undefined with a fault where it has none. */
  private readString(start: number, opening: string): number | undefined {
    const raw = /r/i.test(opening);
    const quotes = opening.slice(opening.search(/["']/));
    let at = start + opening.length;
    while (at < this.text.length) {
      if (this.text.startsWith(quotes, at)) return at + quotes.length;
      const unit = this.text[at]!;
      if (quotes.length === 1 && (unit === "\n" || unit === "\r")) break;
      const sequence = unit === "\\" && !raw ? matchAt(escapePattern, this.text, at) : undefined;
      if (unit === "\\" && !raw && !isEscape(sequence)) {
        return this.faults.add(
          at,
          "syntax",
          `${quote(this.text.slice(at, at + 2))} begins no escape that CEL knows`,
        );
      }
      at += sequence?.length ?? 1;
    }
    return this.faults.add(start, "unbalanced", "this string is never closed");
  }

  private place(token: Token): boolean {
    return this.wantsValue ? this.placeValue(token) : this.placeOperator(token);
  }

  private placeValue(token: Token): boolean {
    const { kind, text, start } = token;
    if (text === "!" || text === "-") {
      this.unaryRun++;
      return this.unaryRun <= nestingMax || this.refuseNesting(start);
    }
    this.unaryRun = 0;
    if (kind !== "operator" && text !== "in") {
      this.wantsValue = false;
      return true;
    }
    if (closers.has(text)) return this.open(token);
    const last = this.previous?.text ?? "";
    if (")]}".includes(text) && (last === this.levels.at(-1)?.open || last === ",")) return this.close(token);
    if (text === ".") return this.refuse(start, "a name cannot begin with a dot");
    const after = this.previous === undefined ? "" : ` after ${quote(last)}`;
    return this.refuse(start, `a value was expected${after}, not ${quote(text)}${this.hint(text)}`);
  }

  private placeOperator(token: Token): boolean {
    const { kind, text, start } = token;
    if (this.previous?.text === ".") {
      return kind === "name" || this.refuse(start, `a name was expected after the dot, not ${quote(text)}`);
    }
    if (kind === "operator" && ")]}".includes(text)) return this.close(token);
    if (text === "[" || ((text === "(" || text === "{") && this.previous?.kind === "name"))
      return this.open(token);
    if (text === ".") return true;
    if (text === "?") return this.openConditional(token);
    if (text === ":") return this.closeConditional(token);
    if (text === "," && this.levels.length === 1)
      return this.refuse(start, "a comma is used only inside brackets");
    const isOperator = kind === "operator" && !habits.has(text) && text !== "!" && !closers.has(text);
    if (!isOperator && text !== "in") {
      return this.refuse(start, `an operator was expected before ${quote(text)}${this.hint(text)}`);
    }
    if (text === ",") this.levels.at(-1)!.conditionals = 0;
    this.wantsValue = true;
    return true;
  }

  private hint(text: string): string {
    const instead = habits.get(text) ?? habits.get(this.previous?.text ?? "");
    return instead === undefined ? "" : `: write ${instead}`;
  }

  private open(token: Token): boolean {
    this.levels.push({ open: token.text, start: token.start, conditionals: 0, unmatched: [] });
    this.wantsValue = true;
    return this.measureNesting() <= nestingMax || this.refuseNesting(token.start);
  }

  private close(token: Token): boolean {
    const level = this.levels.at(-1)!;
    const wanted = closers.get(level.open);
    if (wanted === undefined) {
      this.faults.add(token.start, "unbalanced", `this ${token.text} closes nothing`);
      return false;
    }
    if (token.text !== wanted) {
      this.faults.add(token.start, "unbalanced", `${wanted} was expected here, not ${token.text}`);
      return false;
    }
    if (!this.closeLevel(level)) return false;
    this.levels.pop();
    this.wantsValue = false;
    return true;
  }

  private openConditional(token: Token): boolean {
    const level = this.levels.at(-1)!;
    level.conditionals++;
    level.unmatched.push(token.start);
    this.wantsValue = true;
    return this.measureNesting() <= nestingMax || this.refuseNesting(token.start);
  }

  private closeConditional(token: Token): boolean {
    const level = this.levels.at(-1)!;
    if (level.unmatched.pop() === undefined && level.open !== "{") {
      return this.refuse(token.start, "this : belongs to no ?");
    }
    this.wantsValue = true;
    return true;
  }

  private closeLevel(level: Bracket): boolean {
    const start = level.unmatched[0];
    return start === undefined || this.refuse(start, "this ? has no :");
  }

  private measureNesting(): number {
    return this.levels.reduce((sum, level) => sum + level.conditionals, this.levels.length - 1);
  }

  private finish(): boolean {
    const level = this.levels.at(-1)!;
    if (level.open !== "") {
      this.faults.add(level.start, "unbalanced", `this ${level.open} is never closed`);
      return false;
    }
    if (this.previous === undefined) return this.refuse(0, "the condition is empty");
    if (this.previous.text === ".") return this.refuse(this.text.length, "a name was expected after the dot");
    if (this.wantsValue) {
      return this.refuse(this.text.length, `a value was expected after ${quote(this.previous.text)}`);
    }
    return this.closeLevel(level);
  }

  private refuse(offset: number, message: string): false {
    this.faults.add(offset, "syntax", message);
    return false;
  }

  private refuseNesting(offset: number): false {
    this.faults.add(offset, "nesting-too-deep", `a condition nests at most ${nestingMax} deep`);
    return false;
  }
}

function matchAt(pattern: RegExp, text: string, at: number): string | undefined {
  pattern.lastIndex = at;
  return pattern.exec(text)?.[0];
}

/** False too for the code points that no string can hold: surrogates and what lies beyond U+10FFFF. */
function isEscape(sequence: string | undefined): boolean {
  if (sequence === undefined) return false;
  if (sequence[1] !== "u" && sequence[1] !== "U") return true;
  const point = Number.parseInt(sequence.slice(2), 16);
  return point <= 0x10ffff && (point < 0xd800 || point > 0xdfff);
}
