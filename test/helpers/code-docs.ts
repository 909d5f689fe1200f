import type { ResponseCode } from "../../src/core/retry/answer.ts";
import type { SchemeCap } from "../../src/core/retry/scheme-cap.ts";

/** The tables of `docs/response-codes.md`: codes of the networks, advice codes, codes of PSPs. */
export function renderCodes(entries: readonly ResponseCode[]): string {
  const ofPsps = entries.filter(({ psp }) => psp !== undefined);
  const ofNetworks = entries.filter(({ psp }) => psp === undefined);
  const advised = ofNetworks.filter(({ adviceCode }) => adviceCode !== undefined);
  const plain = ofNetworks.filter(({ adviceCode }) => adviceCode === undefined);
  return [
    "### Codes of the networks",
    "",
    ...renderTable(plain, "Code", (entry) => `${nameScheme(entry)}\`${entry.code}\``),
    "",
    "### Advice codes of Mastercard",
    "",
    ...renderTable(advised, "Advice", ({ code, adviceCode }) =>
      code === undefined ? `\`${adviceCode}\`` : `\`${code}\` with \`${adviceCode}\``,
    ),
    "",
    "### Codes of PSPs",
    "",
    ...renderTable(ofPsps, "PSP and code", ({ psp, pspCode }) => `\`${psp}\` \`${pspCode}\``),
  ].join("\n");
}

/** The table of scheme caps. */
export function renderCaps(caps: readonly (SchemeCap & { readonly source: string })[]): string {
  return [
    "| Cap | Scheme | Window | Counted together | Refused from | Counts from | Source |",
    "|---|---|---|---|---|---|---|",
    ...caps.map(({ id, scheme, windowMs, key, declines, fromMs, source }) => {
      const together = key === "CARD" ? "card" : "card and amount";
      return `| \`${id}\` | ${scheme} | ${showSpan(windowMs)} | ${together} | ${declines} declines | ${showDay(fromMs)} | ${source} |`;
    }),
  ].join("\n");
}

function renderTable(
  entries: readonly ResponseCode[],
  head: string,
  name: (entry: ResponseCode) => string,
): readonly string[] {
  return [
    `| ${head} | Meaning | Class | Held against | Wait | What follows | Source |`,
    "|---|---|---|---|---|---|---|",
    ...entries.map((entry) => {
      const { meaning, attribution, waitMs, origin } = entry;
      const wait = waitMs === 0 ? "" : showSpan(waitMs);
      return `| ${name(entry)} | ${meaning} | ${showClass(entry)} | ${attribution ?? ""} | ${wait} | ${listEffects(entry).join("; ")} | ${origin} |`;
    }),
  ];
}

function nameScheme({ scheme }: ResponseCode): string {
  return scheme === undefined ? "" : `${scheme} `;
}

function showClass({ outcomeClass, informational }: ResponseCode): string {
  return informational === true ? "that of the code" : `\`${outcomeClass}\``;
}

function listEffects({ fields, block, alert, fromMs, scaZoneOnly }: ResponseCode): readonly string[] {
  const effects: string[] = [];
  if (scaZoneOnly === true) effects.push("only in the SCA zone");
  if (fields.length > 0) effects.push(`change ${fields.map((field) => `\`${field}\``).join(", ")}`);
  if (block !== undefined) {
    const until = block.forMs === undefined ? "for good" : `for ${showSpan(block.forMs)}`;
    effects.push(`blocks \`${block.what}\` ${until}`);
  }
  if (alert) effects.push("alert");
  if (fromMs !== undefined) effects.push(`from ${showDay(fromMs)}`);
  return effects;
}

const units = [
  [86_400_000, "d"],
  [3_600_000, "h"],
  [1_000, "s"],
] as const;

function showSpan(ms: number): string {
  const [unitMs, name] = units.find(([unit]) => ms % unit === 0)!;
  return `${ms / unitMs} ${name}`;
}

function showDay(ms: number | undefined): string {
  return ms === undefined ? "" : new Date(ms).toISOString().slice(0, 10);
}
