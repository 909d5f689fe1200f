import {
  type Attribute,
  Attribute_Subject,
  Attribute_Type,
  Purpose_Kind,
  ValueList_Kind,
} from "../../../gen/switchyard/v1/rule_set_pb.js";
import { quote } from "../../cel/faults.ts";
import { facts, storedFacts } from "../../facts.ts";
import { encodeList } from "../../lists.ts";
import { buildFx } from "../../money.ts";
import type { FaultList } from "../document/fault.ts";
import type { CheckInput } from "./check-input.ts";
import {
  checkCountry,
  checkId,
  checkRange,
  checkSet,
  checkSize,
  checkText,
  descriptionMax,
  nameMax,
} from "./values.ts";

const listsMax = 1_024;
const listedMax = 1_000_000;
const attributesMax = 256;
const attributeValuesMax = 1_024;
const attributeTextMax = 1_024;
const ratesMax = 1_024;
const brandsMax = 64;
const scoreMax = 1_000;
const attributePattern = /^[a-z][a-z0-9_]{0,63}$/;

/** Checks what a rule set says of itself, and the sections `lists`, `attributes`, `fx_rates`, `brands` and `risk_thresholds`. */
export function checkDeclarations(input: CheckInput): void {
  const { ruleSet, faults } = input;
  checkText(faults, "name", ruleSet.name, nameMax);
  checkText(faults, "description", ruleSet.description, descriptionMax);
  checkLists(input);
  checkAttributes(input);
  checkRates(input);
  checkBrands(input);
  checkThresholds(input);
}

/** Purposes, each once and none unspecified. */
export function checkPurposes(faults: FaultList, path: string, purposes: readonly Purpose_Kind[]): void {
  checkSet(faults, { path, values: purposes, max: 5 }, (at, purpose) => {
    if (purpose === Purpose_Kind.KIND_UNSPECIFIED)
      faults.error(at, "unknown-value", "this must be a purpose");
  });
}

function checkLists({ ruleSet, faults, encodedLists }: CheckInput): void {
  if (!checkSize(faults, "lists", ruleSet.lists.length, listsMax)) return;
  const count = ruleSet.lists.reduce((sum, { values }) => sum + values.length, 0);
  if (count > listedMax)
    faults.error("lists", "too-many", `${count} values together; at most ${listedMax} are allowed`);
  const seen = new Map<string, string>();
  for (const [index, list] of ruleSet.lists.entries()) {
    const path = `lists[${index}]`;
    checkId(faults, `${path}.id`, list.id, seen);
    checkText(faults, `${path}.description`, list.description, descriptionMax);
    const encoded = encodeList({
      kind: list.kind === ValueList_Kind.BIN ? "BIN" : "STRING",
      values: list.values,
    });
    if (encoded.ok) encodedLists.set(list.id, encoded.list);
    for (const fault of encoded.ok ? [] : encoded.faults) {
      faults.add({
        severity: "ERROR",
        path: `${path}.${fault.path}`,
        rule: fault.rule,
        message: fault.message,
      });
    }
  }
}

function checkAttributes({ ruleSet, faults }: CheckInput): void {
  if (!checkSize(faults, "attributes", ruleSet.attributes.length, attributesMax)) return;
  const seen = new Map<string, string>();
  for (const [index, attribute] of ruleSet.attributes.entries()) {
    const path = `attributes[${index}]`;
    const { name, subject, type, values } = attribute;
    if (subject === Attribute_Subject.SUBJECT_UNSPECIFIED)
      faults.error(`${path}.subject`, "missing", "say whose attribute it is: PAYMENT or PLAYER");
    if (type === Attribute_Type.TYPE_UNSPECIFIED)
      faults.error(`${path}.type`, "missing", "say of which type it is");
    checkAttributeName(faults, attribute, path, seen);
    if (values.length > 0 && type !== Attribute_Type.STRING && type !== Attribute_Type.STRING_LIST) {
      faults.error(
        `${path}.values`,
        "values-not-allowed",
        `${quote(name)} holds no texts, so it has no values to list`,
      );
    }
    checkSet(faults, { path: `${path}.values`, values, max: attributeValuesMax }, (at, value) =>
      checkText(faults, at, value, attributeTextMax),
    );
    checkPurposes(faults, `${path}.purposes`, attribute.purposes);
    checkText(faults, `${path}.description`, attribute.description, descriptionMax);
  }
}

function checkAttributeName(
  faults: FaultList,
  attribute: Attribute,
  path: string,
  seen: Map<string, string>,
): void {
  const { name, subject } = attribute;
  const at = `${path}.name`;
  if (name === "") {
    faults.error(at, "missing", "every attribute needs its name");
    return;
  }
  if (!attributePattern.test(name)) {
    faults.error(
      at,
      "bad-name",
      `${quote(name)} is no name of an attribute: a lower case letter, then letters, digits and underscores`,
    );
    return;
  }
  const root = subject === Attribute_Subject.PLAYER ? "player" : "attr";
  const isStored = root === "player" && storedFacts.has(name);
  if (isStored || facts.some((fact) => fact.path === `${root}.${name}`)) {
    faults.error(at, "shadows-fact", `${root}.${name} is built in`);
  }
  const key = `${root}.${name}`;
  const first = seen.get(key);
  if (first === undefined) seen.set(key, at);
  else faults.error(at, "duplicate-id", `${key} is declared in ${first} already`);
}

function checkRates({ ruleSet, faults }: CheckInput): void {
  if (!checkSize(faults, "fx_rates", ruleSet.fxRates.length, ratesMax)) return;
  const fx = buildFx({ rates: ruleSet.fxRates });
  for (const { path, rule, message } of fx.ok ? [] : fx.faults) {
    faults.add({ severity: "ERROR", path: path.replace(/^rates/, "fx_rates"), rule, message });
  }
}

function checkBrands({ ruleSet, faults }: CheckInput): void {
  if (!checkSize(faults, "brands", ruleSet.brands.length, brandsMax)) return;
  const seen = new Map<string, string>();
  for (const [index, { id, licence }] of ruleSet.brands.entries()) {
    checkId(faults, `brands[${index}].id`, id, seen);
    if (licence !== "") checkCountry(faults, `brands[${index}].licence`, licence);
  }
}

function checkThresholds({ ruleSet, faults }: CheckInput): void {
  const { reviewFrom = 0, denyFrom = 0 } = ruleSet.riskThresholds ?? {};
  checkRange(faults, "risk_thresholds.review_from", reviewFrom, [0, scoreMax]);
  checkRange(faults, "risk_thresholds.deny_from", denyFrom, [0, scoreMax]);
  if (reviewFrom > 0 && denyFrom > 0 && denyFrom <= reviewFrom) {
    faults.error(
      "risk_thresholds",
      "thresholds",
      `deny_from ${denyFrom} is not above review_from ${reviewFrom}`,
    );
  }
}
