/**
 * Currencies of ISO 4217 with their exponents: how many decimals the minor unit has (EUR 2, JPY 0, KWD 3).
 *
 * Current codes only, as published 2026-01-01 (so XAD, XCG, ZWG are in; ANG, BGN, CUC, HRK, SLL, ZWL are out). Codes without a minor unit
 * (metals, XDR, XSU, XUA, XTS, XXX and the bond units) are left out: nothing can be paid in them. Where a PSP deviates from ISO (Stripe's
 * MGA, Adyen's IDR) its adapter converts; inside, every amount has the ISO exponent.
 *
 * Source: ISO 4217 list one, 2026-01-01; `DOMAIN.md` 4.
 */
const codesByExponent: readonly (readonly [exponent: number, codes: string])[] = [
  [0, "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF"],
  [
    2,
    `AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF CHE CHF
     CHW CNY COP COU CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL
     HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU
     MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR
     SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD USN UYU UZS VED
     VES WST XAD XCD XCG YER ZAR ZMW ZWG`,
  ],
  [3, "BHD IQD JOD KWD LYD OMR TND"],
  [4, "CLF UYW"],
];

const exponents: ReadonlyMap<string, number> = new Map(
  codesByExponent.flatMap(([exponent, codes]) => codes.split(/\s+/).map((code) => [code, exponent] as const)),
);

/** Every currency code, in alphabetical order. */
export const currencyCodes: readonly string[] = [...exponents.keys()].sort();

/** Decimals of the currency's minor unit; undefined where the code (three capitals) is no current currency. */
export function exponentOf(code: string): number | undefined {
  return exponents.get(code);
}
