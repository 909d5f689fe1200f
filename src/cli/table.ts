/** A cell: text, or text with how to paint it. Widths are counted before painting. */
export type Cell = string | { readonly text: string; readonly paint: (text: string) => string };

export type Column = { readonly title: string; readonly align?: "right" };

const gap = "  ";

/**
 * A table as lines of text: a row of titles, then the rows, columns two blanks apart, no blanks at the ends of lines.
 *
 * Shapes: every row has a cell per column; no rows give the titles alone. Characters count as one column each, whatever their width.
 */
export function formatTable(
  columns: readonly Column[],
  rows: readonly (readonly Cell[])[],
  paintTitle: (text: string) => string = (text) => text,
): string {
  const widths = columns.map(({ title }, i) =>
    rows.reduce((widest, row) => Math.max(widest, widthOf(textOf(row[i] ?? ""))), widthOf(title)),
  );
  const titles = columns.map(({ title }): Cell => ({ text: title, paint: paintTitle }));
  return [titles, ...rows].map((row) => `${formatRow(columns, widths, row)}\n`).join("");
}

/** Names and values one below the other, values aligned; empty values are left out. */
export function formatFields(fields: readonly (readonly [name: string, value: Cell])[]): string {
  const shown = fields.filter(([, value]) => textOf(value) !== "");
  const width = shown.reduce((widest, [name]) => Math.max(widest, widthOf(name)), 0);
  return shown
    .map(([name, value]) => `${name}${" ".repeat(width - widthOf(name))}${gap}${draw(value)}\n`)
    .join("");
}

/** Tables and fields one below the other, a blank line between; empty ones are left out. */
export function joinParts(parts: readonly string[]): string {
  return parts.filter((part) => part !== "").join("\n");
}

/**
 * Text that is safe to show: control characters (line breaks and the escapes that drive a terminal among them), and marks that turn the
 * direction of text, are written as `\u001b`. What comes from a service, a file or a player is never to be trusted with a terminal.
 */
export function toPrintable(text: string): string {
  return text.replace(
    /[\p{Cc}\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

function formatRow(columns: readonly Column[], widths: readonly number[], row: readonly Cell[]): string {
  const cells = columns.map(({ align }, i) => {
    const cell = row[i] ?? "";
    const blanks = " ".repeat(widths[i]! - widthOf(textOf(cell)));
    if (align === "right") return blanks + draw(cell);
    return i === columns.length - 1 ? draw(cell) : draw(cell) + blanks;
  });
  return cells.join(gap).trimEnd();
}

function textOf(cell: Cell): string {
  return toPrintable(typeof cell === "string" ? cell : cell.text);
}

function draw(cell: Cell): string {
  return typeof cell === "string" ? toPrintable(cell) : cell.paint(toPrintable(cell.text));
}

function widthOf(text: string): number {
  return [...text].length;
}
