/** The script of a simulation: how each PSP and each issuer behaves. See psps.yaml for one with words. */
import { readFile } from "node:fs/promises";
import { parse } from "yaml";
import { z } from "zod";

const share = z.number().min(0).max(1);
const ms = z.number().min(0).max(3_600_000);

const decline = z.strictObject({
  /** Response code of the network, two characters. */
  code: z.string().length(2),
  /** Advice code of the network. */
  advice: z.string().length(2).optional(),
  /** Code of the PSP's own. */
  psp_code: z.string().optional(),
  weight: z.number().positive().default(1),
  /** Only for cards of this scheme. */
  scheme: z.string().optional(),
});

const outage = z.strictObject({
  from_s: z.number().min(0),
  to_s: z.number().positive(),
  kind: z.enum(["refuse", "unavailable", "code_96", "timeouts", "brown_out"]),
  /** Share of the authorisations that it touches; of a refused connection it is always all. */
  share: share.default(1),
});

const psp = z.strictObject({
  id: z.string().min(1),
  /** Whether a repeated key gets the first answer. Where not, it charges again. */
  idempotent: z.boolean().default(true),
  /** Whether an authorisation can be voided by its key before the PSP knows it, so that it is refused when it comes in. */
  cancels_unknown: z.boolean().default(true),
  latency_ms: z.strictObject({ median: ms, p95: ms }),
  approval: z.strictObject({
    default: share,
    countries: z.record(z.string(), share).default({}),
    bins: z.record(z.string(), share).default({}),
    /** Added where 3DS authenticated the player. */
    three_ds: z.number().min(-1).max(1).default(0),
  }),
  declines: z.array(decline).min(1),
  /** Share of European cards without 3DS whose issuer asks for it. */
  soft_decline: share.default(0),
  three_ds: z
    .strictObject({ fails: share.default(0), abandoned: share.default(0), unavailable: share.default(0) })
    .default({ fails: 0, abandoned: 0, unavailable: 0 }),
  partial: share.default(0),
  pending: z.strictObject({ share, after_ms: ms }).default({ share: 0, after_ms: 0 }),
  /** Shares of authorisations that get no answer: charged, never processed, and processed only after `late_after_ms`. */
  timeouts: z
    .strictObject({
      charged: share.default(0),
      not_charged: share.default(0),
      late: share.default(0),
      late_after_ms: ms.default(3_000),
    })
    .default({ charged: 0, not_charged: 0, late: 0, late_after_ms: 3_000 }),
  outages: z.array(outage).default([]),
});

const script = z.strictObject({
  seed: z.string().default("1"),
  sca_countries: z.array(z.string().length(2)).default([]),
  /** What an issuer says whatever the PSP, by the beginning of the BIN; the first that fits counts. */
  issuers: z
    .array(z.strictObject({ bin: z.string(), declines: z.array(decline.extend({ share })) }))
    .default([]),
  psps: z.array(psp).min(1),
});

export type Script = z.infer<typeof script>;
export type PspScript = Script["psps"][number];
export type Outage = PspScript["outages"][number];
export type Decline = PspScript["declines"][number];

/** Throws an error that names every fault. */
export function parseScript(text: string): Script {
  const parsed = script.safeParse(parse(text));
  if (!parsed.success) throw new Error(z.prettifyError(parsed.error));
  return parsed.data;
}

export async function readScript(path: string): Promise<Script> {
  return parseScript(await readFile(path, "utf8"));
}
