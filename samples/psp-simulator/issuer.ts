/** What a PSP and the issuer behind it say to an authorisation, where nothing fails on the way. */
import { z } from "zod";
import { chooseWeighted, type Dice } from "./dice.ts";
import type { Decline, PspScript, Script } from "./script.ts";

/** The body of an authorisation. */
export const authorisationSchema = z.strictObject({
  payment: z.string().min(1),
  amountMinor: z.int().positive(),
  currency: z.string().length(3),
  country: z.string().length(2),
  /** Merchant account; empty where the PSP has one. */
  mid: z.string().default(""),
  method: z.string().min(1),
  /** For methods that have one. */
  card: z
    .strictObject({
      bin: z.string(),
      scheme: z.string(),
      country: z.string().length(2),
      token: z.string(),
      expiry: z.string(),
    })
    .optional(),
  threeDs: z.strictObject({
    run: z.boolean(),
    challengeIndicator: z.string().default(""),
    exemption: z.string().default(""),
  }),
});

/** What a partial approval is for. */
const partShare = 0.5;

export type Authorisation = z.infer<typeof authorisationSchema>;

export type Answer = {
  readonly status: "approved" | "declined" | "pending" | "abandoned" | "three_ds_unavailable";
  /** ISO 8583 response code. */
  readonly code?: string;
  readonly adviceCode?: string;
  readonly pspCode?: string;
  readonly approvedMinor?: number;
  readonly threeDs?: { readonly transStatus: "Y" | "A" | "N" | "U"; readonly eci: string };
};

/**
 * The answer to one authorisation: 3DS first, then what the issuer says of this card whatever the PSP, then what this PSP gets approved.
 *
 * The issuer's word hangs on the payment, its amount and the card's data, so another PSP hears the same and corrected data are judged anew; the rest hangs on
 * the key.
 */
export function answerAuthorisation(
  { sca_countries: scaCountries, issuers }: Pick<Script, "sca_countries" | "issuers">,
  psp: PspScript,
  asked: Authorisation,
  key: string,
  dice: Dice,
): Answer {
  const { card, threeDs } = asked;
  const proof = threeDs.run ? runThreeDs(psp, asked, key, dice) : undefined;
  if (proof !== undefined && "status" in proof) return proof;
  const told = proof === undefined ? {} : { threeDs: proof };
  const inZone = card !== undefined && scaCountries.includes(card.country);
  if (inZone && proof === undefined && dice(psp.id, key, "soft") < psp.soft_decline) {
    return { status: "declined", code: card.scheme === "mastercard" ? "65" : "1A", ...told };
  }
  const issuer = issuers.find(({ bin }) => card?.bin.startsWith(bin) === true);
  let draw = dice(asked.payment, String(asked.amountMinor), card?.token ?? "", card?.expiry ?? "", "issuer");
  for (const each of issuer?.declines ?? []) {
    if (draw < each.share) return { ...tellDecline(each), ...told };
    draw -= each.share;
  }
  if (dice(psp.id, key, "approval") >= findApproval(psp, asked, proof !== undefined)) {
    const fitting = psp.declines.filter(({ scheme }) => scheme === undefined || scheme === card?.scheme);
    const chosen = chooseWeighted(fitting, dice(psp.id, key, "decline"));
    return { ...tellDecline(chosen ?? { code: "05", weight: 1 }), ...told };
  }
  if (asked.amountMinor > 1 && dice(psp.id, key, "partial") < psp.partial) {
    return {
      status: "approved",
      code: "10",
      approvedMinor: Math.ceil(asked.amountMinor * partShare),
      ...told,
    };
  }
  return { status: "approved", code: "00", approvedMinor: asked.amountMinor, ...told };
}

function runThreeDs(
  psp: PspScript,
  { card, threeDs }: Authorisation,
  key: string,
  dice: Dice,
): NonNullable<Answer["threeDs"]> | Answer {
  const isMastercard = card?.scheme === "mastercard";
  let draw = dice(psp.id, key, "3ds");
  const { fails, abandoned, unavailable } = psp.three_ds;
  if (draw < fails)
    return { status: "declined", threeDs: { transStatus: "N", eci: isMastercard ? "00" : "07" } };
  draw -= fails;
  if (draw < abandoned) return { status: "abandoned" };
  draw -= abandoned;
  if (draw < unavailable) return { status: "three_ds_unavailable" };
  // A stand-in answers for some issuers, but never where a challenge was mandated.
  if (threeDs.challengeIndicator !== "04" && dice(psp.id, key, "attempted") < 0.1)
    return { transStatus: "A", eci: isMastercard ? "01" : "06" };
  return { transStatus: "Y", eci: isMastercard ? "02" : "05" };
}

function findApproval({ approval }: PspScript, { card, country }: Authorisation, proven: boolean): number {
  const bin = Object.keys(approval.bins).find((start) => card?.bin.startsWith(start) === true);
  const base = (bin === undefined ? approval.countries[country] : approval.bins[bin]) ?? approval.default;
  return base + (proven ? approval.three_ds : 0);
}

function tellDecline({ code, advice, psp_code: pspCode }: Decline): Answer {
  return {
    status: "declined",
    code,
    ...(advice === undefined ? {} : { adviceCode: advice }),
    ...(pspCode === undefined ? {} : { pspCode }),
  };
}
