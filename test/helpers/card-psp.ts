import type { Psp } from "../../src/core/rules/snapshot.ts";
import { defaultPspSca } from "../../src/core/sca/sca-policy.ts";

/** A PSP that takes every deposit by card. */
export const cardPsp: Psp = {
  id: "psp",
  name: "psp",
  enabled: true,
  kinds: ["deposit"],
  methods: ["card"],
  currencies: [],
  schemes: [],
  countries: [],
  excludedCountries: [],
  issuerCountries: [],
  excludedIssuerCountries: [],
  binList: undefined,
  excludedBinList: undefined,
  amounts: [],
  accounts: [],
  fees: [],
  acquirerCountry: "",
  threeDs: true,
  credentials: ["PAN"],
  sca: defaultPspSca,
  idempotent: true,
  timeoutMs: 60_000,
  maintenance: [],
};
