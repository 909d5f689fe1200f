import { hashWide } from "../history/hash-wide.ts";
import type { Label, NewRow, Subject, SubjectKind } from "../history/history.ts";
import type { Payment, PaymentKind } from "../payment.ts";
import type { Block } from "../retry/answer.ts";
import type { OutcomeClass } from "../retry/outcome-class.ts";
import { factPlains, factWides, type PaymentFactType } from "./event-types.ts";
import { type LabelBook, type LabelPart, LabelsByParts } from "./label-book.ts";

/** A stage of a payment, told by an outcome or by a wallet. Texts are empty where unknown. Instants are ms since the epoch. */
export type PaymentFact = {
  readonly type: PaymentFactType;
  readonly playerId: string;
  readonly paymentId: string;
  /** Empty where the teller knows none. */
  readonly attemptId: string;
  readonly kind: PaymentKind;
  /** Minor units of `currency`; 0 and an empty currency where the teller names no amount. */
  readonly amountMinor: number;
  readonly currency: string;
  readonly atMs: number;
  /** The first `Decide` of the admitted revision; undefined where nobody decided: then `atMs` counts. */
  readonly countedAtMs: number | undefined;
  readonly method: string;
  readonly psp: string;
  readonly mid: string;
  readonly brand: string;
  readonly scheme: string;
  readonly funding: string;
  /** Of a decline. */
  readonly outcome: OutcomeClass | "";
  /** Codes of the network. */
  readonly code: string;
  readonly advice: string;
  readonly initiator: Payment["initiator"] | "";
  /** Of an approval: `authenticated`, or the kind of the exemption that was used. */
  readonly sca: string;
  /** What a decline blocks, and until when; Infinity means for good, NaN where nothing is. */
  readonly block: Block["what"] | "";
  readonly blockUntilMs: number;
  /** The instrument: `fingerprint:...`, `token:...` or `bin:<bin>:<last four>`. */
  readonly card: string;
  readonly device: string;
  readonly ip: string;
  readonly bin: string;
  /** The amount in the currencies of limits other than its own, by ISO 4217 code. */
  readonly converted: ReadonlyMap<string, number>;
  /** Version of the rule set whose rates converted. */
  readonly ratesVersion: number;
  /** Subjects beside the player whose limits count it; by what the fact says (`subjectOf`) where absent. */
  readonly subjects?: readonly Subject[];
};

/** Places in `factWides` whose values not every row has. */
const playerPlace = 7;
const ratesPlace = 8;

/** Makes rows of payment facts; keeps the labels that it made. */
export class FactRowMaker {
  readonly #labels = new LabelsByParts();
  readonly #book: LabelBook;
  #hashed: PaymentFact | undefined;
  readonly #hashes = new Float64Array(factWides.length);

  constructor(book: LabelBook) {
    this.#book = book;
  }

  /**
   * The row of a fact, laid out as `factPlains` and `factWides` say; what is not told takes no place. `id` is that of its natural key (`factRowId`), or of
   * the event that tells it. A row of the player's own history says nothing of the player.
   *
   * Where it would need one label more than there may be, what is open (method, scheme, ...) is left out: money counts in any case.
   */
  make(fact: PaymentFact, id: number, subject: SubjectKind): NewRow {
    const currencies = fact.converted.size === 0 ? noCurrencies : [...fact.converted.keys()].sort();
    const all = this.#hash(fact);
    if (subject !== "player" && Number.isNaN(all[playerPlace]!)) all[playerPlace] = hashText(fact.playerId);
    let told = 0;
    const wides: number[] = [];
    for (let place = 0; place < all.length; place++) {
      const value = all[place]!;
      const isLeftOut =
        (place === playerPlace && subject === "player") || (place === ratesPlace && currencies.length === 0);
      if (isLeftOut || Number.isNaN(value)) continue;
      told |= 1 << place;
      wides.push(value);
    }
    for (const currency of currencies) wides.push(fact.converted.get(currency)!);
    const label = this.#labelOf(fact, told, currencies);
    return { id, atMs: boundInstant(fact), amountMinor: fact.amountMinor, label, wides };
  }

  /** What the row of any subject could have in the places of `factWides`; NaN where nothing. A fact is mostly a row of more than one. */
  #hash(fact: PaymentFact): Float64Array {
    const all = this.#hashes;
    if (fact === this.#hashed) return all;
    this.#hashed = fact;
    all[0] = hashText(fact.paymentId);
    all[1] = hashText(fact.attemptId);
    all[2] = fact.countedAtMs ?? NaN;
    all[3] = hashText(fact.card);
    all[4] = hashText(fact.device);
    all[5] = hashText(fact.ip);
    all[6] = hashText(fact.bin);
    // Only where a row of another subject asks: most facts are rows of their player alone.
    all[playerPlace] = NaN;
    all[ratesPlace] = fact.ratesVersion;
    all[9] = fact.blockUntilMs;
    return all;
  }

  /** `told` has a bit for each of `factWides` that the row has. */
  #labelOf(fact: PaymentFact, told: number, currencies: readonly string[]): Label {
    const { type, kind, method, psp, mid, brand, scheme, funding, outcome } = fact;
    const { code, advice, initiator, sca, block } = fact;
    const converted = currencies.length === 0 ? "" : currencies.join();
    const parts: readonly LabelPart[] = [
      type,
      told,
      fact.currency,
      converted,
      kind,
      method,
      psp,
      mid,
      brand,
      scheme,
      funding,
      outcome,
      code,
      advice,
      initiator,
      sca,
      block,
    ];
    const known = this.#labels.find(parts);
    if (known !== undefined) return known;
    const isAdmitted = this.#book.admit();
    if (!isAdmitted && hasOpenValues(fact)) return this.#labelOf(closeValues(fact), told, currencies);
    const values = new Map<string, string>();
    for (const name of factPlains) if (fact[name] !== "") values.set(name, fact[name]);
    const wides = [
      ...factWides.filter((_, place) => (told & (1 << place)) !== 0),
      ...currencies.map((currency) => `in:${currency}`),
    ];
    const label: Label = { type: fact.type, currency: fact.currency, values, wides };
    this.#labels.add(parts, label);
    return label;
  }
}

const noCurrencies: readonly string[] = [];

/** The clock of who tells of a payment may be behind ours by so much: limits look that far back before the payments of their windows. */
export const factSkewMs = 86_400_000;

/** Nothing happened to a payment long before it was decided, whatever a clock says: no limit would find it there. */
function boundInstant({ atMs, countedAtMs }: PaymentFact): number {
  return countedAtMs === undefined ? atMs : Math.max(atMs, countedAtMs - factSkewMs);
}

/** NaN where there is none. */
function hashText(text: string): number {
  return text === "" ? NaN : hashWide(text);
}

/** Without them the labels are few: types, kinds, currencies, outcome classes, initiators, exemptions and blocks. */
const openPlains = ["method", "psp", "mid", "brand", "scheme", "funding", "code", "advice"] as const;

function hasOpenValues(fact: PaymentFact): boolean {
  return openPlains.some((name) => fact[name] !== "");
}

function closeValues(fact: PaymentFact): PaymentFact {
  const closed = { method: "", psp: "", mid: "", brand: "", scheme: "", funding: "" };
  return { ...fact, ...closed, code: "", advice: "" };
}

/** The subject of a kind that a fact is about; undefined where the fact does not say, and for keys, which only a decision can tell. */
export function subjectOf(fact: PaymentFact, kind: SubjectKind): Subject | undefined {
  const id = subjectId(fact, kind);
  return id === "" ? undefined : { kind, id };
}

function subjectId(fact: PaymentFact, kind: SubjectKind): string {
  switch (kind) {
    case "player":
      return fact.playerId;
    case "card":
      return fact.card;
    case "device":
      return fact.device;
    case "ip":
      return fact.ip;
    case "bin":
      return fact.bin;
    case "psp":
      return fact.psp;
    case "mid":
      return fact.mid;
    case "brand":
      return fact.brand;
    case "key":
      return "";
  }
}

/** What facts leave open that no outcome of an attempt tells. */
export const noAnswer = {
  code: "",
  advice: "",
  initiator: "",
  sca: "",
  block: "",
  blockUntilMs: NaN,
} as const;

/** The instrument that an attribute `card` names: a bare text is a fingerprint. */
export function readInstrument(text: string): string {
  return text === "" || /^(fingerprint|token|bin):/.test(text) ? text : `fingerprint:${text}`;
}
