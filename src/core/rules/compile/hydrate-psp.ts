import { Card_Credential } from "../../../gen/switchyard/v1/payment_pb.js";
import type { Psp as PspMessage, PspSca as PspScaMessage } from "../../../gen/switchyard/v1/rule_set_pb.js";
import type { Credential } from "../../payment.ts";
import { defaultPspSca, type ExemptionKind, type PspSca } from "../../sca/sca-policy.ts";
import { toMs } from "../names.ts";
import { defaultTimeoutMs } from "../outcome-defaults.ts";
import { resolveRegions } from "../regions.ts";
import type { Psp } from "../snapshot.ts";
import { readKinds, readMoney } from "./hydrate-rule.ts";

/** A PSP of a checked rule set. `nowMs`, ms since the epoch, fixes who is in the EU, the EEA and the UK. */
export function readPsp(psp: PspMessage, listOrdinals: ReadonlyMap<string, number>, nowMs: number): Psp {
  return {
    id: psp.id,
    name: psp.name,
    enabled: psp.enabled ?? true,
    kinds: readKinds(psp.kinds),
    methods: psp.methods,
    currencies: psp.currencies,
    schemes: psp.schemes,
    countries: psp.countries,
    excludedCountries: psp.excludedCountries,
    issuerCountries: psp.issuerCountries,
    excludedIssuerCountries: psp.excludedIssuerCountries,
    binList: listOrdinals.get(psp.binList),
    excludedBinList: listOrdinals.get(psp.excludedBinList),
    amounts: psp.amounts.map(({ methods, min, max }) => ({
      methods,
      min: min && readMoney(min),
      max: max && readMoney(max),
    })),
    accounts: psp.accounts.map(({ mid, brands, licences, currencies, mcc }) => ({
      mid,
      brands,
      licences,
      currencies,
      mcc,
    })),
    fees: psp.fees.map(({ methods, regions, fixed, bps }) => ({
      methods,
      regions: resolveRegions(regions, nowMs),
      fixed: fixed && readMoney(fixed),
      bps,
    })),
    acquirerCountry: psp.acquirerCountry,
    threeDs: psp.threeDs ?? true,
    credentials: psp.credentials.map((credential) => Card_Credential[credential] as Credential),
    sca: psp.sca === undefined ? defaultPspSca : readPspSca(psp.sca),
    idempotent: psp.idempotent ?? true,
    timeoutMs: psp.timeout === undefined ? defaultTimeoutMs : toMs(psp.timeout),
    maintenance: psp.maintenance.map(({ from, until }) => ({ fromMs: toMs(from!), untilMs: toMs(until!) })),
  };
}

function readPspSca({ fraudRateBps, exemptions, takesProof, threeDsVersion }: PspScaMessage): PspSca {
  return {
    fraudRateBps,
    exemptions: exemptions.length === 0 ? defaultPspSca.exemptions : (exemptions as readonly ExemptionKind[]),
    takesProof,
    threeDsVersion: threeDsVersion === "" ? defaultPspSca.threeDsVersion : threeDsVersion,
  };
}
