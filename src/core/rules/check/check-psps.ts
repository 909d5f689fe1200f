import { Card_Credential } from "../../../gen/switchyard/v1/payment_pb.js";
import type { Account, AmountRange, Fee, Psp } from "../../../gen/switchyard/v1/rule_set_pb.js";
import { quote } from "../../cel/faults.ts";
import { isRegion } from "../regions.ts";
import type { CheckInput } from "./check-input.ts";
import { checkConduct } from "./check-psp-conduct.ts";
import {
  checkCountry,
  checkCurrency,
  checkId,
  checkKinds,
  checkMethod,
  checkMoney,
  checkRange,
  checkReference,
  checkRequired,
  checkSet,
  checkSize,
  checkText,
  nameMax,
} from "./values.ts";

const pspsMax = 256;
/** Methods, currencies, schemes, countries, accounts, fees and ranges of one PSP. */
const capabilitiesMax = 300;
/** Methods of all PSPs together: the cashier judges a player for each. */
const methodsMax = 64;
const bpsMax = 10_000;

/** Checks the section `psps`. */
export function checkPsps(input: CheckInput): void {
  const { ruleSet, faults } = input;
  if (ruleSet.psps.length === 0) faults.error("psps", "missing", "a rule set needs a PSP");
  if (!checkSize(faults, "psps", ruleSet.psps.length, pspsMax)) return;
  checkSize(faults, "psps.methods", new Set(ruleSet.psps.flatMap(({ methods }) => methods)).size, methodsMax);
  const seen = new Map<string, string>();
  for (const [index, psp] of ruleSet.psps.entries()) {
    const path = `psps[${index}]`;
    checkId(faults, `${path}.id`, psp.id, seen);
    checkText(faults, `${path}.name`, psp.name, nameMax);
    checkKinds(faults, `${path}.kinds`, psp.kinds);
    checkCapabilities(input, psp, path);
    checkParts(input, psp, path);
    checkConduct(input, psp, path);
  }
}

function checkCapabilities({ faults, lists }: CheckInput, psp: Psp, path: string): void {
  const methods = (at: string, value: string) => checkMethod(faults, at, value);
  const currencies = (at: string, value: string) => checkCurrency(faults, at, value);
  const countries = (at: string, value: string) => checkCountry(faults, at, value);
  const sets = [
    ["methods", psp.methods, methods],
    ["currencies", psp.currencies, currencies],
    ["schemes", psp.schemes, methods],
    ["countries", psp.countries, countries],
    ["excluded_countries", psp.excludedCountries, countries],
    ["issuer_countries", psp.issuerCountries, countries],
    ["excluded_issuer_countries", psp.excludedIssuerCountries, countries],
  ] as const;
  for (const [name, values, check] of sets) {
    checkSet(faults, { path: `${path}.${name}`, values, max: capabilitiesMax }, check);
  }
  if (psp.methods.length === 0) faults.error(`${path}.methods`, "missing", "a PSP needs a method");
  for (const [name, id] of [
    ["bin_list", psp.binList],
    ["excluded_bin_list", psp.excludedBinList],
  ] as const) {
    if (id === "") continue;
    checkReference(faults, `${path}.${name}`, id, { ids: lists, rule: "unknown-list", noun: "list" });
    if (lists.get(id) === "STRING") {
      faults.error(`${path}.${name}`, "not-a-bin-list", `the list ${quote(id)} holds texts, not BINs`);
    }
  }
  if (psp.acquirerCountry !== "") checkCountry(faults, `${path}.acquirer_country`, psp.acquirerCountry);
  checkSet(faults, { path: `${path}.credentials`, values: psp.credentials, max: 3 }, (at, credential) => {
    if (credential === Card_Credential.CREDENTIAL_UNSPECIFIED)
      faults.error(at, "unknown-value", "this must be PAN, NETWORK_TOKEN or PSP_TOKEN");
  });
}

function checkParts(input: CheckInput, psp: Psp, path: string): void {
  const { faults } = input;
  if (checkSize(faults, `${path}.amounts`, psp.amounts.length, capabilitiesMax)) {
    for (const [index, range] of psp.amounts.entries())
      checkAmounts(input, range, `${path}.amounts[${index}]`);
  }
  if (checkSize(faults, `${path}.accounts`, psp.accounts.length, capabilitiesMax)) {
    for (const [index, account] of psp.accounts.entries())
      checkAccount(input, account, `${path}.accounts[${index}]`);
  }
  if (checkSize(faults, `${path}.fees`, psp.fees.length, capabilitiesMax)) {
    for (const [index, fee] of psp.fees.entries()) checkFee(input, fee, `${path}.fees[${index}]`);
  }
}

function checkAmounts({ faults }: CheckInput, range: AmountRange, path: string): void {
  const { min, max, methods } = range;
  checkSet(faults, { path: `${path}.methods`, values: methods, max: capabilitiesMax }, (at, value) =>
    checkMethod(faults, at, value),
  );
  if (min === undefined && max === undefined) faults.error(path, "missing", "a range needs min or max");
  if (min !== undefined) checkMoney(faults, `${path}.min`, min, true);
  if (max !== undefined) checkMoney(faults, `${path}.max`, max);
  if (min === undefined || max === undefined) return;
  if (min.currencyCode !== max.currencyCode) {
    faults.error(
      path,
      "amount-range",
      `min is in ${quote(min.currencyCode)} and max in ${quote(max.currencyCode)}`,
    );
  } else if (min.minorUnits > max.minorUnits) {
    faults.error(path, "amount-range", `min ${min.minorUnits} is above max ${max.minorUnits}`);
  }
}

function checkAccount({ faults, brands }: CheckInput, account: Account, path: string): void {
  checkRequired(faults, `${path}.mid`, account.mid, nameMax);
  checkSet(faults, { path: `${path}.brands`, values: account.brands, max: capabilitiesMax }, (at, id) =>
    checkReference(faults, at, id, { ids: brands, rule: "unknown-brand", noun: "brand" }),
  );
  checkSet(
    faults,
    { path: `${path}.licences`, values: account.licences, max: capabilitiesMax },
    (at, value) => checkCountry(faults, at, value),
  );
  checkSet(
    faults,
    { path: `${path}.currencies`, values: account.currencies, max: capabilitiesMax },
    (at, value) => checkCurrency(faults, at, value),
  );
  if (account.mcc !== "" && !/^\d{4}$/.test(account.mcc)) {
    faults.error(
      `${path}.mcc`,
      "bad-mcc",
      `${quote(account.mcc)} is no merchant category code of four digits`,
    );
  }
}

function checkFee({ faults }: CheckInput, fee: Fee, path: string): void {
  checkSet(faults, { path: `${path}.methods`, values: fee.methods, max: capabilitiesMax }, (at, value) =>
    checkMethod(faults, at, value),
  );
  checkSet(faults, { path: `${path}.regions`, values: fee.regions, max: capabilitiesMax }, (at, value) => {
    if (isRegion(value)) return;
    faults.error(at, "country", `${quote(value)} is no ISO 3166-1 alpha-2 code, and none of EU, EEA, UK`);
  });
  if (fee.fixed !== undefined) checkMoney(faults, `${path}.fixed`, fee.fixed, true);
  checkRange(faults, `${path}.bps`, fee.bps, [0, bpsMax]);
}
