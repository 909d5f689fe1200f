import type { DocEntry, DocNode } from "./node.ts";

export type Place = { readonly line: number; readonly column: number };

/** Finds places in one document; lines and columns count from 1, columns in UTF-16 units. Lines end at LF, CR LF or CR. */
export type Locator = {
  readonly placeAt: (offset: number) => Place;
  /** The node at a path such as `rules[3].effects.deny`, or the nearest one around it. */
  readonly nodeAt: (path: string) => DocNode | undefined;
};

/** Makes the locator of a text with its tree; without a tree every path is at the start. */
export function createLocator(text: string, root: DocNode | undefined): Locator {
  let starts: readonly number[] | undefined;
  return {
    placeAt: (offset) => {
      starts ??= findLineStarts(text);
      const line = countUpTo(starts, offset);
      return { line, column: offset - (starts[line - 1] ?? 0) + 1 };
    },
    nodeAt: (path) => root && descend(root, splitPath(path)),
  };
}

/** `retry_policies` as the protobuf JSON mapping writes it: `retryPolicies`. */
export function toCamelCase(name: string): string {
  return name.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}

/** `rules[3].when` as `rules`, `3`, `when`. Paths of faults that the locator is asked for hold names of the schema only. */
export function splitPath(path: string): readonly string[] {
  return path.split(/[.[\]]+/).filter((part) => part !== "");
}

function descend(root: DocNode, parts: readonly string[]): DocNode {
  let node = root;
  for (const part of parts) {
    const next = node.kind === "list" ? node.items[Number(part)] : findEntry(node, part)?.value;
    if (next === undefined) return node;
    node = next;
  }
  return node;
}

function findEntry(node: DocNode, name: string): DocEntry | undefined {
  const camel = toCamelCase(name);
  return node.kind === "map" ? node.entries.find(({ key }) => key === name || key === camel) : undefined;
}

function findLineStarts(text: string): readonly number[] {
  const starts = [0];
  for (const { index, 0: end } of text.matchAll(/\r\n|\r|\n/g)) starts.push(index + end.length);
  return starts;
}

/** How many of the ascending starts are at most the offset. */
function countUpTo(starts: readonly number[], offset: number): number {
  let low = 0;
  let high = starts.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (starts[middle]! <= offset) low = middle + 1;
    else high = middle;
  }
  return low;
}
