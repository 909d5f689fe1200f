import type { SlotDomain } from "../cel/domain-goals.ts";
import type { Environment, ListKind, SlotSource, Variable } from "../cel/environment.ts";
import type { ExprType } from "../cel/expr.ts";
import { facts, fundingPath, type Purpose, strictFundingPath } from "../facts.ts";
import { exponentOf } from "../iso4217.ts";
import type { AttributeInfo, AttributeType } from "./snapshot.ts";

/** What a rule set declares that conditions may name. */
export type Declarations = {
  /** Attributes of payments (`attr.x`) and of players (`player.x`), by name. */
  readonly attributes: ReadonlyMap<string, AttributeInfo>;
  readonly playerAttributes: ReadonlyMap<string, AttributeInfo>;
  readonly lists: ReadonlyMap<string, { readonly ordinal: number; readonly kind: ListKind }>;
  /** Ordinals by id. */
  readonly segments: ReadonlyMap<string, number>;
  /** In order of their ordinals. */
  readonly features: readonly FeatureDeclaration[];
};

/** A feature as conditions see it. `type` is undefined where what it is made of is faulty. */
export type FeatureDeclaration = {
  readonly id: string;
  readonly type: ExprType | undefined;
  readonly purposes: readonly Purpose[];
  /** What values it can take, where that is bounded. */
  readonly bounds?: SlotDomain | undefined;
};

/** The environments of a rule set's conditions; all share one allotment of slots. */
export type Environments = {
  /** For segments, overrides and rules of classes 3 to 7. */
  readonly plain: Environment;
  /** For rules of REGULATORY and SAFER_GAMBLING: `card.funding` is credit if either the caller or the BIN table says so (`SEMANTICS.md` 2.4). */
  readonly strict: Environment;
  /** The sources of all slots allotted so far: slot n has source n. */
  readonly slots: readonly SlotSource[];
  /** The same for conditions over events: all of kind `event`. */
  readonly eventSlots: readonly SlotSource[];
  /** The environment of conditions over events with these variables, by path (`event.game`). They read nothing but the event. */
  readonly overEvents: (
    variables: ReadonlyMap<string, Variable>,
    refusal?: Environment["refusal"],
  ) => EventEnvironment;
  /** What values a slot can take, where that is bounded. */
  readonly domainOf: (slot: number) => SlotDomain | undefined;
};

export type EventEnvironment = {
  readonly environment: Environment;
  readonly domainOf: (slot: number) => SlotDomain | undefined;
};

const attributeTypes: Readonly<Record<AttributeType, ExprType>> = {
  BOOL: "bool",
  INT: "int",
  DOUBLE: "double",
  STRING: "string",
  TIMESTAMP: "timestamp",
  STRING_LIST: { list: "string" },
};

/** Purposes of a fact or an attribute that does not say its own. */
const purposesByDefault: readonly Purpose[] = ["payments", "fraud"];

/** Makes the environments of a rule set. Built-in facts win over attributes of the same path, which the checks refuse anyway. */
export function createEnvironments(declarations: Declarations): Environments {
  const variables = new Map<string, Variable>();
  for (const attribute of declarations.attributes.values()) {
    variables.set(`attr.${attribute.name}`, variableOf(attribute, "paymentAttribute"));
  }
  for (const attribute of declarations.playerAttributes.values()) {
    variables.set(`player.${attribute.name}`, variableOf(attribute, "playerAttribute"));
  }
  for (const { path, type, domain, min, max } of facts) {
    const bounds = {
      ...(domain && { domain }),
      ...(min !== undefined && { min }),
      ...(max !== undefined && { max }),
    };
    variables.set(path, { type, source: { kind: "field", path }, ...bounds });
  }
  const names = new Map<string, readonly string[]>([
    ...groupByRoot(variables.keys()),
    ["list", [...declarations.lists.keys()]],
    ["segment", [...declarations.segments.keys()]],
    ["feature", declarations.features.map(({ id }) => id).filter(isForConditions)],
  ]);
  const featureOrdinals = new Map<string, number>(
    declarations.features.flatMap(({ id }, ordinal) =>
      isForConditions(id) ? [[`feature.${id}`, ordinal]] : [],
    ),
  );
  const readVariable = (path: string): Variable | undefined => {
    const ordinal = featureOrdinals.get(path);
    if (ordinal === undefined) return variables.get(path);
    // Asked anew each time: the types of features are found one after the other.
    const declaration = declarations.features[ordinal]!;
    return declaration.type && variableOfFeature(declaration, declaration.type, ordinal);
  };
  const slots: SlotSource[] = [];
  const allot = createAllotment(slots);
  const plain: Environment = {
    variable: readVariable,
    refusal: (path) => (featureOrdinals.has(path) ? { kind: "told" } : undefined),
    names: (root) => names.get(root) ?? [],
    list: (id) => declarations.lists.get(id),
    segment: (id) => declarations.segments.get(id),
    slot: allot,
    isCurrency: (code) => exponentOf(code) !== undefined,
  };
  const strict: Environment = {
    ...plain,
    variable: (path) => readVariable(path === fundingPath ? strictFundingPath : path),
  };
  const domains = collectDomains(variables.values());
  const eventSlots: SlotSource[] = [];
  const allotEvent = createAllotment(eventSlots);
  const overEvents: Environments["overEvents"] = (eventVariables, refusal) => {
    const eventDomains = collectDomains(eventVariables.values());
    const eventNames = groupByRoot(eventVariables.keys()).get("event") ?? [];
    return {
      environment: {
        ...plain,
        roots: ["event"],
        variable: (path) => eventVariables.get(path),
        refusal: (path) => refusal?.(path),
        names: (root) => (root === "event" ? eventNames : root === "list" ? (names.get(root) ?? []) : []),
        segment: () => undefined,
        // What is not of the event gets no slot, by which `lowerEventText` knows it.
        slot: (source) => (source.kind === "event" ? allotEvent(source) : -1),
      },
      domainOf: (slot) => domainAt(eventSlots, slot, eventDomains),
    };
  };
  return {
    plain,
    strict,
    slots,
    eventSlots,
    overEvents,
    domainOf: (slot) => {
      const source = slots[slot];
      return source?.kind === "feature"
        ? declarations.features[source.ordinal]?.bounds
        : domainAt(slots, slot, domains);
    },
  };
}

/** A feature of a known type as a variable. */
export function variableOfFeature(
  { id, bounds }: Pick<FeatureDeclaration, "id" | "bounds">,
  type: ExprType,
  ordinal: number,
): Variable {
  const { values, min, max } = bounds ?? {};
  return {
    type,
    source: { kind: "feature", ordinal, id },
    ...(values && { domain: values }),
    ...(min !== undefined && { min }),
    ...(max !== undefined && { max }),
  };
}

/** The features that markers are made of have a dot in their id, and only those. */
function isForConditions(featureId: string): boolean {
  return !featureId.includes(".");
}

/** Gives each source its slot, at the first call with an equal one. */
function createAllotment(slots: SlotSource[]): (source: SlotSource) => number {
  const slotByKey = new Map<string, number>();
  return (source) => {
    const key = keyOf(source);
    let slot = slotByKey.get(key);
    if (slot === undefined) {
      slot = slots.push(source) - 1;
      slotByKey.set(key, slot);
    }
    return slot;
  };
}

function collectDomains(variables: Iterable<Variable>): ReadonlyMap<string, SlotDomain> {
  const domains = new Map<string, SlotDomain>();
  for (const { source, domain, min, max } of variables) {
    domains.set(keyOf(source), {
      ...(domain && { values: domain }),
      ...(min !== undefined && { min }),
      ...(max !== undefined && { max }),
    });
  }
  return domains;
}

function domainAt(
  slots: readonly SlotSource[],
  slot: number,
  domains: ReadonlyMap<string, SlotDomain>,
): SlotDomain | undefined {
  const source = slots[slot];
  return source && (boundsOf(source) ?? domains.get(keyOf(source)));
}

function boundsOf(source: SlotSource): SlotDomain | undefined {
  switch (source.kind) {
    case "localHour":
      return { min: 0, max: 23 };
    case "localWeekday":
      return { min: 1, max: 7 };
    case "amountIn":
      return { min: 0 };
    case "field":
    case "paymentAttribute":
    case "playerAttribute":
    case "now":
    case "feature":
    case "event":
      return undefined;
  }
}

/** What says what may be used for what: the declarations of a rule set, or the rule set itself. */
export type PurposeSource = Pick<Declarations, "attributes" | "playerAttributes"> & {
  readonly features: readonly { readonly purposes: readonly Purpose[] }[];
};

/** The purposes of what a slot reads. */
export function purposesOf(source: SlotSource, declarations: PurposeSource): readonly Purpose[] {
  switch (source.kind) {
    case "field":
      return facts.find(({ path }) => path === source.path)?.purposes ?? purposesByDefault;
    case "paymentAttribute":
      return declarations.attributes.get(source.name)?.purposes ?? purposesByDefault;
    case "playerAttribute":
      return declarations.playerAttributes.get(source.name)?.purposes ?? purposesByDefault;
    case "amountIn":
    case "localHour":
    case "localWeekday":
    case "now":
    case "event":
      return purposesByDefault;
    case "feature":
      return declarations.features[source.ordinal]?.purposes ?? purposesByDefault;
  }
}

/** A source as conditions write it, such as `payment.currency` or `payment.amount_in("EUR")`. */
export function nameSource(source: SlotSource): string {
  switch (source.kind) {
    case "field":
      return source.path;
    case "paymentAttribute":
      return `attr.${source.name}`;
    case "playerAttribute":
      return `player.${source.name}`;
    case "amountIn":
      return `payment.amount_in(${JSON.stringify(source.currency)})`;
    case "localHour":
      return `local_hour(now, ${JSON.stringify(source.zone)})`;
    case "localWeekday":
      return `local_weekday(now, ${JSON.stringify(source.zone)})`;
    case "now":
      return "now";
    case "feature":
      return `feature.${source.id}`;
    case "event":
      return `event.${source.name}`;
  }
}

function variableOf(
  { name, type, values }: AttributeInfo,
  kind: "paymentAttribute" | "playerAttribute",
): Variable {
  return { type: attributeTypes[type], source: { kind, name }, ...(values.length > 0 && { domain: values }) };
}

function groupByRoot(paths: Iterable<string>): ReadonlyMap<string, readonly string[]> {
  const names = new Map<string, string[]>();
  for (const path of paths) {
    const [root = "", name = ""] = path.split(".");
    const known = names.get(root);
    if (known === undefined) names.set(root, [name]);
    else known.push(name);
  }
  return names;
}

function keyOf(source: SlotSource): string {
  switch (source.kind) {
    case "field":
      return `field ${source.path}`;
    case "paymentAttribute":
    case "playerAttribute":
      return `${source.kind} ${source.name}`;
    case "amountIn":
      return `amountIn ${source.currency}`;
    case "localHour":
    case "localWeekday":
      return `${source.kind} ${source.zone}`;
    case "now":
      return "now";
    case "feature":
      return `feature.${source.id}`;
    case "event":
      return `event.${source.name}`;
  }
}
