import type { PolicyNow } from "./policy-now.ts";

/**
 * Whether SCA is law between an issuer and an acquirer: IN where both are in one zone or in zones that are treated as one, OUT where one of them is known
 * to be elsewhere. Only where they are counts, not where the player lives (`DOMAIN.md` 2.1).
 */
export type ScaScope = "IN" | "OUT" | "ISSUER_UNKNOWN" | "ACQUIRER_UNKNOWN";

/** The scope of a step. Countries are ISO 3166-1 alpha-2; undefined or empty is unknown. */
export function judgeScope(
  policy: PolicyNow,
  legs: { readonly issuerCountry: string | undefined; readonly acquirerCountry: string | undefined },
): ScaScope {
  const { issuerCountry, acquirerCountry } = legs;
  const isAcquirerKnown = acquirerCountry !== undefined && acquirerCountry !== "";
  const acquirer = isAcquirerKnown ? policy.zoneOf(acquirerCountry) : undefined;
  if (isAcquirerKnown && acquirer === undefined) return "OUT";
  const isIssuerKnown = issuerCountry !== undefined && issuerCountry !== "";
  const issuer = isIssuerKnown ? policy.zoneOf(issuerCountry) : undefined;
  if (isIssuerKnown && issuer === undefined) return "OUT";
  if (acquirer === undefined) return "ACQUIRER_UNKNOWN";
  if (issuer === undefined) return "ISSUER_UNKNOWN";
  return policy.areTogether(issuer, acquirer) ? "IN" : "OUT";
}
