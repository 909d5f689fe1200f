import { parse } from "yaml";
import { z } from "zod";
import { paymentFactTypes } from "../core/events/event-types.ts";

/** A tenant as configured. */
export type Merchant = {
  readonly id: string;
  /** `server`: decisions go by the clock of the service; `request`: by the call's `decide_at`, for replays. */
  readonly clock: "server" | "request";
  /** Proto paths of fields exempt from the card-number guard. */
  readonly panExemptFields: ReadonlySet<string>;
  /** By source of events: types of payment facts of which it alone tells, so that they need no payment id (`SEMANTICS.md` 6.1). */
  readonly soleSources: ReadonlyMap<string, ReadonlySet<string>>;
  /** Since when the history of events is complete, as the operator says; the oldest event where nobody does. ms since the epoch. */
  readonly completeSinceMs: number | undefined;
  /** File of the rule set to push and activate where the store has none yet, relative to the merchants file. */
  readonly ruleSetFile: string | undefined;
};

/** All tenants by id. An unknown one is NotFound, never a fallback. */
export type Merchants = ReadonlyMap<string, Merchant>;

export type MerchantsResult =
  | { readonly ok: true; readonly merchants: Merchants }
  | { readonly ok: false; readonly faults: readonly string[] };

const merchantsMax = 1_000;
const textMax = 1_000_000;

/**
 * Reads the merchants file (YAML, at most 1 MB, 1 to 1,000 merchants).
 *
 * Fails: with all faults, each naming its path in the file.
 */
export function readMerchants(text: string): MerchantsResult {
  if (text.length > textMax) return { ok: false, faults: [`the file has more than ${textMax} characters`] };
  let document: unknown;
  try {
    document = parse(text, { maxAliasCount: 0, uniqueKeys: true });
  } catch (error) {
    return { ok: false, faults: [error instanceof Error ? error.message : String(error)] };
  }
  const parsed = schema.safeParse(document);
  if (!parsed.success) {
    return { ok: false, faults: parsed.error.issues.map(describeIssue) };
  }
  const entries = Object.entries(parsed.data.merchants);
  if (entries.length === 0 || entries.length > merchantsMax) {
    return { ok: false, faults: [`merchants: must hold 1 to ${merchantsMax} merchants`] };
  }
  const merchants = entries.map(([id, entry]): [string, Merchant] => [
    id,
    {
      id,
      clock: entry.clock,
      ruleSetFile: entry.rule_set,
      panExemptFields: new Set(entry.pan_exempt_fields),
      completeSinceMs: entry.complete_since === undefined ? undefined : Date.parse(entry.complete_since),
      soleSources: new Map(
        Object.entries(entry.sole_sources).map(([source, types]) => [source, new Set<string>(types)]),
      ),
    },
  ]);
  return { ok: true, merchants: new Map(merchants) };
}

function describeIssue(issue: z.core.$ZodIssue): string {
  // A key's own issue says which rule it breaks; the outer one only that it breaks one.
  const message = issue.code === "invalid_key" ? (issue.issues[0]?.message ?? issue.message) : issue.message;
  return `${issue.path.join(".")}: ${message}`;
}

const merchantId = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, "ids match [A-Za-z0-9][A-Za-z0-9._-]{0,63}");

const schema = z.strictObject({
  merchants: z.record(
    merchantId,
    z.strictObject({
      clock: z.enum(["server", "request"]).default("server"),
      rule_set: z.string().min(1).optional(),
      pan_exempt_fields: z.array(z.string().min(1).max(128)).max(32).default([]),
      complete_since: z.iso.datetime({ offset: true }).optional(),
      sole_sources: z.record(z.string().min(1).max(64), z.array(z.enum(paymentFactTypes)).min(1)).default({}),
    }),
  ),
});
