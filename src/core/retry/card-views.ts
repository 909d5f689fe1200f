import type { Label, Labels } from "../history/history.ts";
import type { Meaning, PspAnswer } from "./answer.ts";

/** What a row of a card's history tells of its standing, by label; places of wide values are -1 where there is none. */
export type CardView = {
  readonly type: "nothing" | "approval" | "decline";
  /** Of whom payments are counted together: MIT, or all that the player starts; undefined where the row does not say. */
  readonly group: InitiatorGroup | undefined;
  /** Empty where the row does not say. */
  readonly scheme: string;
  readonly currency: string;
  readonly code: string;
  /** Whether an approval was of a part: its amount is not the one that was asked for. */
  readonly isPartial: boolean;
  /** Whether the networks saw the attempt, as far as one can tell. */
  readonly isCounted: boolean;
  readonly block: "" | "card" | "card_amount" | "bin" | "agreement";
  /** How long the advice code asks to wait. */
  readonly adviceWaitMs: number;
  readonly advice: string;
  /** Whether a lower amount need not wait. */
  readonly isOfFunds: boolean;
  readonly isWrongCvv: boolean;
  /** Whether the same data can only be declined again. */
  readonly needsNewData: boolean;
  readonly blockUntilPlace: number;
  readonly paymentPlace: number;
  /** Of when the payment was decided first. */
  readonly decidedPlace: number;
  readonly playerPlace: number;
};

/** Mastercard and Visa count what the player starts apart from what the merchant starts; mail and telephone are the player's. */
export type InitiatorGroup = "CIT" | "MIT";

/** What an answer means at an instant. */
export type ReadMeaning = (
  answer: PspAnswer,
  atMs: number,
) => Pick<Meaning, "waitMs" | "fields" | "outcomeClass">;

/** Views of labels, by number of the label. Meanings are those of the day, for tables have dates. */
export class CardViews {
  readonly #read: ReadMeaning;
  #labels: Labels | undefined;
  #views: CardView[] = [];
  #day = Number.NaN;
  #scanned = 0;
  #hasBinBlocks = false;

  constructor(read: ReadMeaning) {
    this.#read = read;
  }

  /** Turns to the labels of a history and the day of an instant. */
  open(labels: Labels, nowMs: number): void {
    const day = Math.floor(nowMs / dayMs);
    if (labels === this.#labels && day === this.#day) return;
    if (labels !== this.#labels) {
      this.#scanned = 0;
      this.#hasBinBlocks = false;
    }
    this.#labels = labels;
    this.#day = day;
    this.#views = [];
  }

  at(label: number): CardView {
    let view = this.#views[label];
    if (view === undefined) {
      view = readView(this.#labels!.get(label), this.#read, this.#day * dayMs);
      this.#views[label] = view;
    }
    return view;
  }

  /** Whether any row of the process may block a BIN, so that histories of BINs, which are long, are mostly not read. */
  mayBlockBins(): boolean {
    const labels = this.#labels!;
    for (const end = labels.count(); this.#scanned < end; this.#scanned++) {
      if (labels.get(this.#scanned).values.get("block") === "bin") this.#hasBinBlocks = true;
    }
    return this.#hasBinBlocks;
  }
}

const dayMs = 86_400_000;

const nothing: CardView = {
  type: "nothing",
  group: undefined,
  scheme: "",
  currency: "",
  code: "",
  isPartial: false,
  isCounted: false,
  block: "",
  adviceWaitMs: 0,
  advice: "",
  isOfFunds: false,
  isWrongCvv: false,
  needsNewData: false,
  blockUntilPlace: -1,
  paymentPlace: -1,
  decidedPlace: -1,
  playerPlace: -1,
};

/** What the networks answer where they approve less than was asked for. */
export const partialCode = "10";

/** Declines of the amount and not of the card. */
const fundsCodes: ReadonlySet<string> = new Set(["51", "61"]);

function readView(label: Label, read: ReadMeaning, atMs: number): CardView {
  const { type, currency, wides } = label;
  const isApproval = type === "payment_approved";
  if ((!isApproval && type !== "payment_declined") || textOf(label, "kind") === "withdrawal") return nothing;
  const code = textOf(label, "code");
  const scheme = textOf(label, "scheme");
  const initiator = textOf(label, "initiator");
  const advice = isApproval ? "" : textOf(label, "advice");
  const outcome = textOf(label, "outcome");
  const places = {
    blockUntilPlace: wides.indexOf("block_until"),
    paymentPlace: wides.indexOf("payment"),
    decidedPlace: wides.indexOf("counted_at"),
    playerPlace: wides.indexOf("player"),
  };
  const group = initiator === "" ? undefined : groupOf(initiator);
  const known = { ...nothing, ...places, group, scheme, currency, code, advice };
  if (isApproval) return { ...known, type: "approval", isPartial: code === partialCode };
  const fields = code === "" ? [] : read(answerOf(label, code, advice), atMs).fields;
  return {
    ...known,
    type: "decline",
    isCounted: code !== "" || !unseen.has(outcome),
    block: textOf(label, "block") as CardView["block"],
    adviceWaitMs: advice === "" ? 0 : readAdviceWait(label, code, advice, read, atMs),
    isOfFunds: fundsCodes.has(code),
    isWrongCvv: code === "N7" || (code === "82" && scheme === "visa") || fields.includes("cvv"),
    // Advice 01 says that there is new data of the card as a whole.
    needsNewData: fields.includes("expiry") || (advice === "01" && fields.includes("card")),
  };
}

/** Classes of attempts that no network saw, where the answer has no code of a network. */
const unseen: ReadonlySet<string> = new Set(["TECH_NOT_PROCESSED", "AUTH_FAILED", "ABANDONED"]);

export function groupOf(initiator: string): InitiatorGroup {
  return initiator === "MIT" ? "MIT" : "CIT";
}

function textOf({ values }: Label, name: string): string {
  const value = values.get(name);
  return typeof value === "string" ? value : "";
}

/** An advice code that says nothing of waiting leaves the wait of the code alone, which is for the plan and no rule of the network. */
function readAdviceWait(label: Label, code: string, advice: string, read: ReadMeaning, atMs: number): number {
  const whole = read(answerOf(label, code, advice), atMs).waitMs;
  const alone = read(answerOf(label, "", advice), atMs).waitMs;
  const without = read(answerOf(label, code, ""), atMs).waitMs;
  return alone > 0 || whole !== without ? whole : 0;
}

function answerOf(label: Label, code: string, advice: string): PspAnswer {
  const scheme = textOf(label, "scheme");
  return {
    psp: textOf(label, "psp"),
    scheme: scheme === "" ? undefined : scheme,
    code: code === "" ? undefined : code,
    pspCode: undefined,
    adviceCode: advice === "" ? undefined : advice,
    failure: undefined,
    threeDs: undefined,
    inScaZone: false,
  };
}
