/**
 * The types of events that every merchant has. A rule set may declare more, none of these.
 *
 * `docs/events.md` shows them in tables, and a test compares the two. Source: `DESIGN.md` 5, `SEGMENTS.md` 1A-1E.
 */

import { ownLimitPeriods } from "../player.ts";
import { outcomeClasses } from "../retry/outcome-class.ts";
import { exemptionKinds } from "../sca/sca-policy.ts";
import type { EventAttribute, EventTypeInfo } from "./event.ts";

/** Types that tell a stage of a payment (`SEMANTICS.md` 6.1). */
export const paymentFactTypes = [
  "payment_attempted",
  "payment_approved",
  "payment_declined",
  "payment_cleared",
  "payment_voided",
  "payment_refunded",
  "payment_charged_back",
  "withdrawal_requested",
  "withdrawal_cancelled",
  "withdrawal_paid",
  "withdrawal_returned",
] as const;

export type PaymentFactType = (typeof paymentFactTypes)[number];

/** Plain values of a payment fact, in the order of its label. */
export const factPlains = [
  "kind",
  "method",
  "psp",
  "mid",
  "brand",
  "scheme",
  "funding",
  "outcome",
  "code",
  "advice",
  "initiator",
  "sca",
  "block",
] as const;

/** Wide values of a payment fact, by place; after them stands one `in:XXX` for each currency that it was converted into. */
export const factWides = [
  "payment",
  "attempt",
  "counted_at",
  "card",
  "device",
  "ip",
  "bin",
  "player",
  "rates",
  "block_until",
] as const;

/** The type of a `player_alias` and others that the ingest corridor acts on, by name. */
export const actingTypes = {
  alias: "player_alias",
  reversed: "event_reversed",
  exclusionSet: "exclusion_set",
  exclusionEnded: "exclusion_ended",
  timeOutSet: "time_out_set",
  returned: "player_returned",
  score: "score_pushed",
  registered: "player_registered",
  kyc: "kyc_changed",
} as const;

function plain(name: string, doc: string, values: readonly string[] = []): EventAttribute {
  return { name, type: "STRING", storage: "plain", values, required: false, doc };
}

function flag(name: string, doc: string): EventAttribute {
  return { name, type: "BOOL", storage: "plain", values: [], required: false, doc };
}

function wide(name: string, doc: string, type: EventAttribute["type"] = "STRING"): EventAttribute {
  return { name, type, storage: "wide", values: [], required: false, doc };
}

function required(attribute: EventAttribute): EventAttribute {
  return { ...attribute, required: true };
}

function derived(attribute: EventAttribute): EventAttribute {
  return { ...attribute, derived: true };
}

const game = wide("game", "Id of the game.");
const session = wide("session", "Id of the session.");
const device = wide("device", "Id of the device.");
const ip = wide("ip", "IP address.");
const bonus = wide("bonus", "Id of the bonus.");
const campaign = wide("campaign", "Id of the campaign.");
const payment = derived(wide("payment", "The payment, from `payment_id`."));
const card = wide(
  "card",
  "The card: its fingerprint, or `fingerprint:...`, `token:...` or `bin:<bin>:<last four>`.",
);
const gameType = plain("game_type", "Kind of game, such as `slots`.");
const vertical = plain("vertical", "Such as `casino` or `sports`.");
const channel = plain("channel", "Such as `web`, `app` or `email`.");
const country = plain("country", "ISO 3166-1 alpha-2 country.");
const brand = plain("brand", "Brand inside the merchant.");
const method = plain("method", "Payment method.");
const period = plain("period", "The period of the limit.", ownLimitPeriods);
const measure = plain("measure", "What the limit measures.", ["GROSS", "NET"]);
const until = wide("until", "When it ends; absent where it has no end.", "TIMESTAMP");
const maxAge = wide("max_age_seconds", "After how many seconds the answer of the source is too old.", "INT");

const play = [game, gameType, vertical, channel, session, wide("round", "Id of the round or the slip.")];
const offer = [bonus, campaign, plain("bonus_type", "Kind of bonus, such as `free_spins`."), channel];
const ownLimit = [period, measure];

const factAttributes = [
  plain("kind", "By the type where absent.", ["deposit", "withdrawal"]),
  method,
  plain("psp", "PSP that processed it."),
  plain("mid", "Account at the PSP."),
  brand,
  plain("scheme", "Card scheme, lower case."),
  plain("funding", "Funding of the card, lower case."),
  plain("outcome", "Outcome class of a decline.", outcomeClasses),
  plain("code", "Response code of the network, of a decline."),
  plain("advice", "Advice code of the network."),
  plain("initiator", "Who started the payment.", ["CIT", "MIT", "MOTO"]),
  plain("sca", "Of an approval: how it was authenticated, or the exemption that was used.", [
    "authenticated",
    ...exemptionKinds,
  ]),
  derived(plain("block", "What the decline blocks.", ["card", "card_amount", "bin", "agreement"])),
  payment,
  derived(wide("attempt", "The attempt, from `attempt_id`.")),
  derived(wide("counted_at", "First `Decide` of the admitted revision.", "TIMESTAMP")),
  card,
  device,
  ip,
  wide("bin", "First 6 to 8 digits of the card."),
  derived(wide("player", "The player, from `player_id`.")),
  derived(wide("rates", "Version of the rule set whose rates converted the amount.", "INT")),
  derived(wide("block_until", "Until when the decline blocks; infinite for good.", "TIMESTAMP")),
];

type Amount = EventTypeInfo["amount"];

function describe(
  name: string,
  amount: Amount,
  doc: string,
  attributes: readonly EventAttribute[] = [],
): EventTypeInfo {
  return {
    name,
    amount,
    attributes: new Map(attributes.map((each) => [each.name, each])),
    isPaymentFact: false,
    doc,
  };
}

function describeFact(name: PaymentFactType, amount: Amount, doc: string): EventTypeInfo {
  return { ...describe(name, amount, doc, factAttributes), isPaymentFact: true };
}

const types: readonly EventTypeInfo[] = [
  describeFact("payment_attempted", "required", "An attempt of a payment was sent to a PSP."),
  describeFact("payment_approved", "required", "A payment was approved, possibly in part."),
  describeFact("payment_declined", "optional", "An attempt was declined; without `attempt_id` the payment."),
  describeFact("payment_cleared", "required", "The money of a payment moved."),
  describeFact("payment_voided", "optional", "An approval was voided before the player was credited."),
  describeFact("payment_refunded", "required", "A payment was refunded, possibly in part."),
  describeFact("payment_charged_back", "required", "A payment was charged back, possibly in part."),
  describeFact("withdrawal_requested", "required", "The player asked for a withdrawal."),
  describeFact("withdrawal_cancelled", "optional", "A withdrawal was cancelled or reversed by the player."),
  describeFact("withdrawal_paid", "required", "A withdrawal was paid out."),
  describeFact("withdrawal_returned", "required", "A payout came back."),

  describe("bet", "required", "The player staked money.", play),
  describe("win", "required", "The player won money.", play),
  describe("session_start", "none", "A session began.", [session, channel, country, device, ip]),
  describe("session_end", "none", "A session ended.", [
    session,
    channel,
    wide("duration_seconds", "Its length in seconds.", "INT"),
  ]),
  describe("game_open", "none", "The player opened a game.", [game, session, gameType, vertical, channel]),
  describe("game_close", "none", "The player left a game.", [game, session, gameType, vertical, channel]),

  describe("bonus_offered", "optional", "A bonus was offered.", offer),
  describe("bonus_accepted", "optional", "The player took a bonus.", offer),
  describe("bonus_skipped", "optional", "The player declined a bonus or let it pass.", offer),
  describe("bonus_requested", "optional", "The player asked for a bonus.", offer),
  describe("bonus_progressed", "optional", "Wagering of a bonus went on; the amount was wagered.", [
    ...offer,
    wide("progress", "Share of the wagering that is done, 0 to 1.", "DOUBLE"),
  ]),
  describe("bonus_completed", "optional", "The wagering of a bonus was completed.", offer),

  describe("deposit_limit_set", "required", "The player set a first deposit limit.", ownLimit),
  describe("deposit_limit_raised", "required", "The player asked for a higher deposit limit.", ownLimit),
  describe("deposit_limit_lowered", "required", "The player lowered a deposit limit.", ownLimit),
  describe("deposit_limit_removed", "none", "The player asked for a deposit limit to end.", ownLimit),
  describe(
    "limit_off_attempted",
    "none",
    "The player tried to switch a limit or a protection off.",
    ownLimit,
  ),
  describe("limit_reached", "optional", "A limit of the operator stopped the player.", [
    wide("limit", "Id of the limit."),
    ...ownLimit,
  ]),

  describe("exclusion_set", "none", "The player is excluded: a restriction by this source.", [
    plain("kind", "SELF_EXCLUSION where absent.", [
      "SELF_EXCLUSION",
      "COURT_ORDER",
      "SANCTION",
      "OPERATOR_BLOCK",
    ]),
    until,
    maxAge,
  ]),
  describe("exclusion_ended", "none", "The source says that no exclusion holds any more.", [
    plain("kind", "SELF_EXCLUSION where absent.", [
      "SELF_EXCLUSION",
      "TIME_OUT",
      "COURT_ORDER",
      "SANCTION",
      "OPERATOR_BLOCK",
    ]),
    maxAge,
  ]),
  describe("time_out_set", "none", "The player took a time-out.", [required(until), maxAge]),
  describe("player_returned", "none", "The player returned explicitly after exclusions or time-outs ended."),
  describe("kyc_changed", "none", "The state of identification changed.", [
    plain("status", "Such as `verified` or `failed`."),
    plain("level", "Level that was reached."),
    plain("country", "Verified country: sets `player.kyc_country`."),
  ]),
  describe("affordability_checked", "optional", "A check of means was done; the amount is its threshold.", [
    plain("check", "Such as `vulnerability` or `affordability`."),
    plain("result", "How it came out.", ["passed", "failed", "referred"]),
  ]),
  describe("harm_reviewed", "none", "A person looked at a player's signs of harm.", [
    plain("result", "How it came out.", ["none", "watch", "contact", "restrict"]),
    wide("reviewer", "Who looked."),
  ]),

  describe("crm_contacted", "none", "The player was contacted.", [campaign, channel]),
  describe("crm_clicked", "none", "The player followed a contact.", [campaign, channel]),
  describe("consent_changed", "none", "The player allowed or refused contacts.", [
    channel,
    required(flag("granted", "Whether contacts are allowed.")),
  ]),
  describe("customer_contact", "none", "The player contacted the operator.", [
    channel,
    plain("topic", "What about, such as `complaint`."),
  ]),
  describe("checkout_step", "optional", "The player reached a step of the checkout.", [
    required(plain("step", "Such as `opened`, `method_chosen`, `submitted` or `abandoned`.")),
    method,
    channel,
    wide("checkout", "Id of the visit to the checkout."),
    session,
    payment,
  ]),
  describe(
    "score_pushed",
    "none",
    "A score from outside: sets the player attribute `score` where declared.",
    [
      required(plain("score", "Name of the score.")),
      required(wide("value", "Its value.", "DOUBLE")),
      plain("model", "Id of the model."),
      plain("version", "Version of the model."),
      wide("ttl_seconds", "After how many seconds it is unknown again; absent means never.", "INT"),
    ],
  ),
  describe("risk_signal", "none", "A fraud tool raised a signal.", [
    required(plain("signal", "Name of the signal.")),
    device,
    ip,
  ]),
  describe("fraud_reported", "optional", "A fraud was reported, by an issuer or a person.", [
    plain("report", "Kind of report, such as `tc40`."),
    card,
    device,
    payment,
  ]),
  describe("review_outcome", "none", "A reviewer came to a result.", [
    required(plain("result", "How it came out.", ["approved", "rejected"])),
    plain("reason", "Why it was reviewed."),
    wide("case", "Id of the case."),
    wide("reviewer", "Who looked."),
    payment,
  ]),

  describe("player_registered", "none", "The player registered: sets `player.registered_at`.", [
    country,
    channel,
    brand,
    campaign,
    device,
    ip,
  ]),
  describe(
    "player_alias",
    "none",
    "`alias` is the same person: everything of it is kept under `player_id`.",
    [required(wide("alias", "The other player id."))],
  ),
  describe("tier_changed", "none", "The VIP tier changed.", [required(plain("tier", "The new tier."))]),
  describe("account_closed", "none", "The account was closed.", [plain("reason", "Why.")]),
  describe("account_reopened", "none", "The account was opened again."),
  describe("login_failed", "none", "Somebody failed to log in.", [channel, country, device, ip]),
  describe("method_block_requested", "none", "The player asked for a payment method to be blocked.", [
    method,
  ]),
  describe("high_deposit_requested", "optional", "The player asked to deposit more than usual.", [method]),
  describe("event_reversed", "none", "The event `reverses` never was: it is taken back.", [
    plain(
      "reversed_type",
      "With `payment_id`: type of the payment fact that is taken back.",
      paymentFactTypes,
    ),
    card,
    device,
    ip,
    wide("bin", "First 6 to 8 digits of the card."),
    plain("psp", "PSP that processed it."),
    plain("mid", "Account at the PSP."),
    brand,
    payment,
  ]),
];

/** By name, in the order of `docs/events.md`. */
export const eventTypes: ReadonlyMap<string, EventTypeInfo> = new Map(types.map((type) => [type.name, type]));
