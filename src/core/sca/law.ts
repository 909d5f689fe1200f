/** What the law asks of a step, by where issuer and acquirer are and what the PSP may exempt (`DOMAIN.md` 2.1, 2.3). */
import type { Psp, ThreeDsLevel } from "../rules/snapshot.ts";
import { type ExemptionCase, findExemption } from "./exemptions.ts";
import type { ExemptionKind, Mandate } from "./sca-policy.ts";
import { judgeScope } from "./scope.ts";
import type { ThreeDsReason } from "./three-ds-reasons.ts";

/** The least that a step has to do: nothing may be looser. */
export type Law = {
  /** NO_PREFERENCE where nobody can say what the law asks. */
  readonly level: ThreeDsLevel;
  /** The challenge indicator, where 3DS is run for the sake of the law. */
  readonly indicator: string;
  readonly reason: ThreeDsReason;
  readonly exemption?: ExemptionKind;
};

export type LegalCase = ExemptionCase & {
  readonly issuerCountry: string | undefined;
  /** What caller and BIN table say of the funding. */
  readonly fundings: readonly string[];
  /** Whether the card is an anonymous prepaid one. */
  readonly isAnonymous: boolean;
  readonly isHighRisk: boolean;
  /** The exemption that the rules name. */
  readonly namedExemption: string | undefined;
};

/** Shared by all payments. */
const laws = {
  setUp: law("CHALLENGE", "04", "SETUP"),
  risk: law("REQUIRE", "03", "RISK"),
  mandate: law("REQUIRE", "01", "MANDATE"),
  sca: law("REQUIRE", "01", "SCA"),
  issuerUnknown: law("REQUIRE", "01", "ISSUER_UNKNOWN"),
  acquirerUnknown: law("NO_PREFERENCE", "01", "ACQUIRER_UNKNOWN"),
  anonymous: law("SKIP", "01", "ANONYMOUS_PREPAID"),
  oneLegOut: law("SKIP", "01", "OLO"),
} as const;

/** By kind: why, and how 3DS says it where 3DS is run all the same. */
const exempt: Readonly<Record<ExemptionKind, Law>> = {
  low_value: { ...law("EXEMPT", "10", "LOW_VALUE"), exemption: "low_value" },
  tra: { ...law("EXEMPT", "05", "TRA"), exemption: "tra" },
  recurring: { ...law("EXEMPT", "02", "RECURRING"), exemption: "recurring" },
  trusted_beneficiary: {
    ...law("EXEMPT", "08", "TRUSTED_BENEFICIARY"),
    exemption: "trusted_beneficiary",
  },
};

/**
 * The law for a card deposit that the player starts in session, at this PSP.
 *
 * Storing a credential takes a challenge everywhere, and a high risk 3DS: both are of the house where no law asks.
 */
export function findLaw(asked: LegalCase, psp: Psp): Law {
  if (asked.payment.storedCredential === "SETUP") return laws.setUp;
  if (asked.isHighRisk) return laws.risk;
  const { acquirerCountry } = psp;
  const mandate = findMandate(asked, acquirerCountry);
  if (mandate !== undefined) return mandate;
  if (asked.isAnonymous) return laws.anonymous;
  switch (judgeScope(asked.policy, { issuerCountry: asked.issuerCountry, acquirerCountry })) {
    case "OUT":
      return laws.oneLegOut;
    case "ISSUER_UNKNOWN":
      return laws.issuerUnknown;
    case "ACQUIRER_UNKNOWN":
      return laws.acquirerUnknown;
    case "IN": {
      const kind = findExemption(asked, psp, asked.policy.zoneOf(acquirerCountry)!, asked.namedExemption);
      return kind === undefined ? laws.sca : exempt[kind];
    }
  }
}

/** Where the funding is unknown a mandate holds; where the acquirer is, a domestic one may. */
function findMandate(
  { policy, issuerCountry, fundings }: LegalCase,
  acquirerCountry: string,
): Law | undefined {
  if (issuerCountry === undefined) return undefined;
  let found: Law | undefined;
  for (const mandate of policy.mandatesOf(issuerCountry)) {
    if (!isAbout(mandate, fundings)) continue;
    if (!mandate.domesticOnly || acquirerCountry === issuerCountry) return laws.mandate;
    if (acquirerCountry === "") found = laws.acquirerUnknown;
  }
  return found;
}

function isAbout(mandate: Mandate, fundings: readonly string[]): boolean {
  if (mandate.fundings.length === 0 || fundings.length === 0) return true;
  return fundings.some((funding) => mandate.fundings.includes(funding));
}

function law(level: ThreeDsLevel, indicator: string, reason: ThreeDsReason): Law {
  return { level, indicator, reason };
}
