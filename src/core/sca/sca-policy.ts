import type { Money } from "../payment.ts";

/** Exemptions of the RTS that a step can ask for. */
export const exemptionKinds = ["low_value", "tra", "recurring", "trusted_beneficiary"] as const;

export type ExemptionKind = (typeof exemptionKinds)[number];

/** When SCA is asked for and what is exempt, as effective-dated data (`DOMAIN.md` 2.1-2.3). `fromMs`: the first instant at which an entry counts. */
export type ScaPolicy = {
  readonly zones: readonly Zone[];
  /** Ids of zones between which SCA is asked for as inside one. */
  readonly treatedAsOne: readonly string[];
  readonly lowValue: readonly LowValue[];
  readonly tra: readonly TraTier[];
  readonly mandates: readonly Mandate[];
  /** In the order in which they are tried. */
  readonly exemptionOrder: readonly ExemptionKind[];
  /** From which risk score on no exemption is used and a challenge is preferred; undefined means never. */
  readonly highRiskScore: number | undefined;
};

/** Countries between which SCA is asked for. */
export type Zone = {
  readonly id: string;
  /** ISO 3166-1 alpha-2; each country is in one zone. */
  readonly countries: readonly string[];
  /** Always where absent. */
  readonly fromMs?: number | undefined;
};

/** Of those of a zone the latest that counts speaks. Sum and count include the payment that asks; both hold since the last authentication. */
export type LowValue = {
  readonly zone: string;
  readonly amount: Money;
  readonly cumulative: Money;
  readonly count: number;
  readonly fromMs: number | undefined;
};

/** Of those of a zone and fraud rate the latest that counts speaks. */
export type TraTier = {
  readonly zone: string;
  readonly amount: Money;
  readonly fraudRateBps: number;
  readonly fromMs: number | undefined;
};

export type Mandate = {
  /** Of the issuer, ISO 3166-1 alpha-2. */
  readonly country: string;
  /** Empty means all. */
  readonly fundings: readonly string[];
  readonly domesticOnly: boolean;
  readonly fromMs: number | undefined;
};

/** What a PSP does about SCA. */
export type PspSca = {
  /** Basis points; undefined means no exemption by risk analysis. */
  readonly fraudRateBps: number | undefined;
  readonly exemptions: readonly ExemptionKind[];
  readonly takesProof: boolean;
  /** EMV version such as 2.2.0. */
  readonly threeDsVersion: string;
};

export const defaultPspSca: PspSca = {
  fraudRateBps: undefined,
  exemptions: exemptionKinds,
  takesProof: false,
  threeDsVersion: "2.2.0",
};
