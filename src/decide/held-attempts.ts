/** What a payment holds of its card's attempts against the caps of the schemes (`SEMANTICS.md` 4.6, docs/decisions/0015). */
import { type BinTable, lookUpBin } from "../core/bin/bin-table.ts";
import type { HeldAttempts, Hold } from "../core/limits/limit.ts";
import { identifyInstrument } from "../core/limits/subjects.ts";
import type { Payment } from "../core/payment.ts";
import { type Attempt, isOpen } from "../core/retry/attempts.ts";
import { groupOf } from "../core/retry/card-views.ts";
import { isCardPayment } from "../core/routing/routing-case.ts";
import type { EarlierRevision } from "../ports/payment-store.ts";

/** A payment with the revisions of which attempts may still be heard. */
export type HeldPayment = {
  readonly payment: Payment;
  readonly revision: number;
  readonly earlier?: readonly EarlierRevision[] | undefined;
  readonly bins: BinTable;
};

/**
 * The hold with the attempts that it holds now: `planned` of the latest revision, and whatever is open. The same object where that is what it holds
 * already. Undefined stays undefined.
 */
export function holdAttempts(
  hold: Hold | undefined,
  held: HeldPayment,
  attempts: readonly Attempt[],
  planned: number,
): Hold | undefined {
  if (hold === undefined) return undefined;
  const listed = listHeld(held, attempts, planned);
  if (listed.length === 0) return hold.attempts === undefined ? hold : withoutAttempts(hold);
  const [first] = listed;
  const [known] = hold.attempts ?? [];
  const isSame = listed.length === 1 && hold.attempts?.length === 1 && holdsTheSame(known!, first!);
  return isSame ? hold : { ...hold, attempts: listed };
}

/** Attempts that the plan of a revision may send without another word. */
export function plannedOf(hold: Hold | undefined, revision: number): number {
  return hold?.attempts?.find((each) => each.revision === revision)?.planned ?? 0;
}

function withoutAttempts({ attempts: _, ...hold }: Hold): Hold {
  return hold;
}

function holdsTheSame(known: HeldAttempts, now: HeldAttempts): boolean {
  return (
    known.revision === now.revision &&
    known.planned === now.planned &&
    known.open === now.open &&
    known.openAtMs === now.openAtMs
  );
}

function listHeld(
  { payment, revision, earlier = [], bins }: HeldPayment,
  attempts: readonly Attempt[],
  planned: number,
): readonly HeldAttempts[] {
  const open = attempts.filter(isOpen);
  const held: HeldAttempts[] = [];
  const add = (of: number, asked: Payment, count: number): void => {
    const ofRevision = open.length === 0 ? open : open.filter((each) => each.revision === of);
    if (count === 0 && ofRevision.length === 0) return;
    const { card } = asked;
    if (card === undefined || asked.kind !== "deposit" || !isCardPayment(asked)) return;
    const id = identifyInstrument(card);
    if (id === "") return;
    const table = card.scheme === undefined && card.bin !== undefined ? lookUpBin(bins, card.bin) : undefined;
    held.push({
      revision: of,
      card: id,
      scheme: card.scheme ?? table?.scheme ?? "",
      group: groupOf(asked.initiator),
      amountMinor: asked.amountMinor ?? 0,
      currency: asked.currency,
      planned: count,
      open: ofRevision.length,
      openAtMs: ofRevision.reduce((latest, { atMs }) => Math.max(latest, atMs), 0),
    });
  };
  add(revision, payment, planned);
  if (open.length > 0) for (const each of earlier) add(each.revision, each.payment, 0);
  return held;
}
