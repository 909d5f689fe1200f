import { LineCounter, parseDocument } from "yaml";
import { z } from "zod";
import { exponentOf } from "../../core/iso4217.ts";
import { outcomeResults } from "../../core/outcome-report.ts";
import { parseOffset } from "../instant.ts";

const textMax = 200_000;
const attributesMax = 64;
const faultsMax = 100;

/** Where a value of a payment comes from: a column (its text translated by `values`, if there are any), or the same value for every row. */
export type FieldSource = z.infer<typeof fieldSource>;

/** How rows become events. */
export type EventsMap = z.infer<typeof events>;

export type AttributeSource = z.infer<typeof attributeSource>;

/** How the columns of a payment export become calls of Decide. `docs/replay.md` documents every key. */
export type ColumnMap = z.infer<typeof schema>;

/** What is wrong with a column map, as `file:line:column path: message`. */
export type ColumnMapResult =
  | { readonly ok: true; readonly map: ColumnMap; readonly locate: (path: Path) => string }
  | { readonly ok: false; readonly faults: readonly string[] };

export type Path = readonly (string | number)[];

/**
 * Reads a column map (YAML, at most 200,000 characters).
 *
 * Fails: with all faults up to 100, each with the line and column where it stands.
 */
export function readColumnMap(text: string, file: string): ColumnMapResult {
  if (text.length > textMax) return { ok: false, faults: [`${file}: has more than ${textMax} characters`] };
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, uniqueKeys: true, prettyErrors: false });
  const at = (offset: number): string => {
    const { line, col } = lines.linePos(offset);
    return `${file}:${line}:${col}`;
  };
  if (document.errors.length > 0) {
    return { ok: false, faults: document.errors.map(({ pos, message }) => `${at(pos[0])} ${message}`) };
  }
  const locate = (path: Path): string => at(findOffset(document, path));
  let content: unknown;
  try {
    content = document.toJS({ maxAliasCount: 0 });
  } catch (error) {
    return { ok: false, faults: [`${file}: ${error instanceof Error ? error.message : String(error)}`] };
  }
  const parsed = schema.safeParse(content);
  if (parsed.success) return { ok: true, map: parsed.data, locate };
  const faults = parsed.error.issues.slice(0, faultsMax).map(({ path, message }) => {
    const known = path.filter((step) => typeof step !== "symbol");
    return `${locate(known)} ${known.join(".") || "the map"}: ${message}`;
  });
  return { ok: false, faults };
}

/** Start of the node at the path, or of the nearest one around it: what is missing is told where it is missed. */
function findOffset(document: ReturnType<typeof parseDocument>, path: Path): number {
  for (let length = path.length; length > 0; length--) {
    const node = document.getIn(path.slice(0, length), true);
    if (isLocated(node)) return node.range[0];
  }
  return document.contents?.range?.[0] ?? 0;
}

function isLocated(node: unknown): node is { readonly range: readonly [number, number, number] } {
  return typeof node === "object" && node !== null && Array.isArray((node as { range?: unknown }).range);
}

const cellText = z.string().max(128);

const sourceKeys = {
  column: z.string().min(1).optional(),
  value: cellText.min(1).optional(),
  values: z.record(z.string(), cellText).optional(),
  otherwise: cellText.optional(),
  missing: z.array(z.string()).max(64).optional(),
};

type SourceKeys = {
  readonly column?: string | undefined;
  readonly value?: string | undefined;
  readonly values?: unknown;
  readonly otherwise?: string | undefined;
  readonly missing?: unknown;
};

function checkSource(source: SourceKeys, context: z.core.$RefinementCtx): void {
  const fail = (message: string): void => {
    context.addIssue({ code: "custom", message });
  };
  if ((source.column === undefined) === (source.value === undefined)) {
    fail("needs either column or value");
  }
  if (source.column === undefined && (source.values !== undefined || source.missing !== undefined)) {
    fail("values and missing need a column");
  }
  if (source.otherwise !== undefined && source.values === undefined) fail("otherwise needs values");
}

const fieldSource = z.strictObject(sourceKeys).superRefine(checkSource);

const attributeSource = z
  .strictObject({ ...sourceKeys, type: z.enum(["text", "number", "bool"]).default("text") })
  .superRefine(checkSource);

const kinds = ["deposit", "withdrawal"];

const kindSource = fieldSource.superRefine((source, context) => {
  const said = [source.value, source.otherwise, ...Object.values(source.values ?? {})];
  for (const kind of said) {
    if (kind !== undefined && !kinds.includes(kind)) {
      context.addIssue({
        code: "custom",
        message: `${JSON.stringify(kind)} is neither deposit nor withdrawal`,
      });
    }
  }
});

const currencySource = fieldSource.superRefine((source, context) => {
  const said = [source.value, source.otherwise, ...Object.values(source.values ?? {})];
  for (const code of said) {
    if (code !== undefined && exponentOf(code) === undefined) {
      context.addIssue({ code: "custom", message: `${JSON.stringify(code)} is no ISO 4217 code` });
    }
  }
});

const outcomeSource = fieldSource.superRefine((source, context) => {
  const said = [source.value, source.otherwise, ...Object.values(source.values ?? {})];
  for (const result of said) {
    if (result !== undefined && !outcomeResults.some((known) => known === result)) {
      const known = outcomeResults.join(", ");
      context.addIssue({ code: "custom", message: `${JSON.stringify(result)} is none of ${known}` });
    }
  }
});

const rowId = z
  .strictObject({ column: z.string().min(1).optional(), row: z.string().max(64).optional() })
  .refine(
    ({ column, row }) => (column === undefined) !== (row === undefined),
    "needs either column, or row with what to put before the number of the row",
  );

const attributes = z
  .record(z.string().regex(/^[a-z][a-z0-9_]{0,63}$/, "names match [a-z][a-z0-9_]{0,63}"), attributeSource)
  .refine((all) => Object.keys(all).length <= attributesMax, `at most ${attributesMax} attributes`)
  .optional();

const eventTypesMax = 64;

/** How rows become events: the first entry of `types` whose columns hold one of the wanted texts says of which type. */
const events = z.strictObject({
  source: z.string().min(1).max(64).default("import"),
  event_id: rowId,
  types: z
    .array(
      z.strictObject({
        when: z.record(z.string(), z.union([z.string(), z.array(z.string()).min(1)])).default({}),
        type: z.string().min(1).max(64),
        amount: z.boolean().default(true),
        attributes,
      }),
    )
    .min(1)
    .max(eventTypesMax),
});

const schema = z.strictObject({
  merchant: z.string().min(1).max(64).default("default"),
  /** What to replay where the export is not on this machine. */
  generated: z.enum(["sports-wallet"]).optional(),
  time: z.strictObject({
    column: z.string().min(1),
    format: z.enum(["iso", "unix_s", "unix_ms"]).default("iso"),
    offset: z
      .string()
      .refine((text) => parseOffset(text) !== undefined, "is no offset from UTC such as +00:00")
      .optional(),
    decide_at: z.boolean().default(true),
  }),
  payment_id: rowId,
  player_id: fieldSource,
  kind: kindSource,
  method: fieldSource,
  amount: z.strictObject({
    column: z.string().min(1),
    unit: z.enum(["major", "minor"]).default("major"),
  }),
  currency: currencySource,
  brand: fieldSource.optional(),
  player_country: fieldSource.optional(),
  ip_country: fieldSource.optional(),
  device_id: fieldSource.optional(),
  ip: fieldSource.optional(),
  card: z
    .strictObject({
      bin: fieldSource.optional(),
      last_four: fieldSource.optional(),
      scheme: fieldSource.optional(),
      funding: fieldSource.optional(),
      issuer: fieldSource.optional(),
      issuer_country: fieldSource.optional(),
      fingerprint: fieldSource.optional(),
    })
    .optional(),
  attributes,
  /** What became of each payment: reported after the decision, if the payment was routed. */
  outcome: outcomeSource.optional(),
  /** Codes of its answer, reported with the outcome. */
  answer: z
    .strictObject({
      response_code: fieldSource.optional(),
      psp_code: fieldSource.optional(),
      advice_code: fieldSource.optional(),
    })
    .optional(),
  events: events.optional(),
});
