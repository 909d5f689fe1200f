/** One record of a CSV text. `line` is the 1-based line on which it begins. */
export type CsvRecord = { readonly line: number; readonly fields: readonly string[] };

/** Where a CSV text breaks the format. */
export type CsvFault = { readonly line: number; readonly rule: "quotes"; readonly message: string };

/**
 * Reads CSV as RFC 4180 has it: fields may stand in double quotes, which may then hold commas, line breaks and doubled quotes.
 *
 * Lines end with LF or CRLF; a byte order mark and empty lines are skipped. Blanks around a field belong to it.
 * Fails: with the first fault (a quote inside a bare field, text behind a closing quote, a quote never closed).
 */
export function parseCsv(
  text: string,
):
  | { readonly ok: true; readonly records: readonly CsvRecord[] }
  | { readonly ok: false; readonly fault: CsvFault } {
  const records: CsvRecord[] = [];
  let at = text.startsWith("\ufeff") ? 1 : 0;
  let line = 1;
  while (at < text.length) {
    const record = { line, fields: [] as string[] };
    for (let more = true; more; ) {
      const field = text[at] === '"' ? readQuoted(text, at) : readBare(text, at);
      if (typeof field === "string") return { ok: false, fault: { line, rule: "quotes", message: field } };
      record.fields.push(field.value);
      line += field.lineBreaks;
      at = field.end;
      more = text[at] === ",";
      if (more) at++;
    }
    if (text[at] === "\r") at++;
    if (text[at] === "\n") at++;
    line++;
    if (record.fields.length > 1 || record.fields[0] !== "") records.push(record);
  }
  return { ok: true, records };
}

/** A field and the position behind it, which holds a comma or a line break or is the end of the text. */
type Field = { readonly value: string; readonly end: number; readonly lineBreaks: number };

/** Returns what is wrong as text. */
function readBare(text: string, start: number): Field | string {
  let end = start;
  while (end < text.length && text[end] !== "," && !isLineEnd(text, end)) {
    if (text[end] === '"') return "a double quote stands inside a field without quotes";
    end++;
  }
  return { value: text.slice(start, end), end, lineBreaks: 0 };
}

/** Returns what is wrong as text. */
function readQuoted(text: string, start: number): Field | string {
  let value = "";
  let at = start + 1;
  for (;;) {
    const quote = text.indexOf('"', at);
    if (quote < 0) return "a quoted field is never closed";
    value += text.slice(at, quote);
    at = quote + 1;
    if (text[at] !== '"') break;
    value += '"';
    at++;
  }
  if (at < text.length && text[at] !== "," && !isLineEnd(text, at)) {
    return "text stands behind a closing double quote";
  }
  return { value, end: at, lineBreaks: value.split("\n").length - 1 };
}

function isLineEnd(text: string, at: number): boolean {
  return text[at] === "\n" || (text[at] === "\r" && (text[at + 1] === "\n" || at + 1 === text.length));
}
