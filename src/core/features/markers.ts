/**
 * Markers of harm, ready made: what a rule set gets by `marker: chasing_losses`. `docs/features.md` shows them, and a test compares the two.
 *
 * Source: `SEGMENTS.md` 1E.
 */

/** A feature as protobuf JSON of the message `Feature`; `derived` names the features before it as `feature.id`. */
export type MarkerFeature = { readonly id: string } & (
  | { readonly aggregate: Readonly<Record<string, unknown>> }
  | { readonly derived: string }
);

/** A marker is true, false, or unknown where the player's amounts have no rate. */
export type MarkerDefinition = {
  readonly id: string;
  readonly doc: string;
  /** The last one is the marker itself, a bool. */
  readonly features: readonly MarkerFeature[];
};

/** Amounts are compared with amounts of the same player only, so any currency will do that all others convert to. */
const currency = "EUR";
/** Markers know no zone of the player's: this one is right or an hour off in most of Europe. */
const zone = "Europe/Berlin";

const minute = 60;
const hour = 60 * minute;
const day = 24 * hour;

const deposit = 'event.kind == "deposit"';
const depositTypes = ["payment_attempted", "payment_approved"];

function seconds(count: number): string {
  return `${count}s`;
}

function rolling(spanSeconds: number, offsetSeconds = 0): object {
  return { rolling: seconds(spanSeconds), ...(offsetSeconds > 0 && { offset: seconds(offsetSeconds) }) };
}

function aggregate(id: string, fields: Readonly<Record<string, unknown>>): MarkerFeature {
  return { id, aggregate: fields };
}

function count(id: string, events: readonly string[], window: object, where?: string): MarkerFeature {
  return aggregate(id, { function: "COUNT", events, window, ...(where !== undefined && { where }) });
}

function sum(id: string, event: string, window: object, where?: string): MarkerFeature {
  return aggregate(id, {
    function: "SUM",
    events: [event],
    currency,
    window,
    ...(where !== undefined && { where }),
  });
}

/** How many events were followed within so many seconds. */
function followed(
  id: string,
  fields: Readonly<Record<string, unknown>>,
  withinSeconds: number,
): MarkerFeature {
  return aggregate(id, { function: "FOLLOWED", ...fields, answer_within: seconds(withinSeconds) });
}

/** What was staked less what was won in the last 24 hours. */
const loss: readonly MarkerFeature[] = [
  sum("stakes", "bet", rolling(day)),
  sum("wins", "win", rolling(day)),
  { id: "loss", derived: "feature.stakes - feature.wins" },
];

function marker(id: string, doc: string, parts: readonly MarkerFeature[], derived: string): MarkerDefinition {
  return { id, doc, features: [...parts, { id, derived }] };
}

const definitions: readonly MarkerDefinition[] = [
  marker(
    "deposit_spike",
    "Deposits of the last 7 days, by number or by sum, at least twice the weekly mean of the 4 weeks before, in which there were at least 4.",
    [
      count("deposits", ["payment_approved"], rolling(7 * day), deposit),
      count("deposits_before", ["payment_approved"], rolling(28 * day, 7 * day), deposit),
      sum("amount", "payment_approved", rolling(7 * day), deposit),
      sum("amount_before", "payment_approved", rolling(28 * day, 7 * day), deposit),
    ],
    "feature.deposits_before >= 4 && (2 * feature.deposits >= feature.deposits_before || 2 * feature.amount >= feature.amount_before)",
  ),
  marker(
    "chasing_losses",
    "In 24 hours at least 3 declined deposits were tried again within 10 minutes, or a deposit came within 10 minutes of a bet while the loss of the 24 hours is at least 3 times the daily mean of the 4 weeks before.",
    [
      followed(
        "after_decline",
        {
          events: ["payment_declined"],
          where: deposit,
          answers: depositTypes,
          hit: deposit,
          window: rolling(day),
        },
        10 * minute,
      ),
      followed(
        "after_bet",
        { events: ["bet"], answers: depositTypes, hit: deposit, window: rolling(day) },
        10 * minute,
      ),
      ...loss,
      sum("stakes_before", "bet", rolling(28 * day, day)),
      sum("wins_before", "win", rolling(28 * day, day)),
      {
        id: "big_loss",
        derived: "feature.loss > 0 && 28 * feature.loss >= 3 * (feature.stakes_before - feature.wins_before)",
      },
    ],
    "feature.after_decline >= 3 || (feature.after_bet >= 1 && feature.big_loss)",
  ),
  marker(
    "repeated_declines",
    "At least 5 declined deposits in 24 hours.",
    [count("declines", ["payment_declined"], rolling(day), deposit)],
    "feature.declines >= 5",
  ),
  marker(
    "more_methods",
    "At least 3 methods of deposits in 7 days, more than in the 4 weeks before.",
    [
      aggregate("methods", {
        function: "DISTINCT",
        events: depositTypes,
        where: deposit,
        of: "method",
        window: rolling(7 * day),
      }),
      aggregate("methods_before", {
        function: "DISTINCT",
        events: depositTypes,
        where: deposit,
        of: "method",
        window: rolling(28 * day, 7 * day),
      }),
    ],
    "feature.methods >= 3 && feature.methods > feature.methods_before",
  ),
  marker(
    "cancelled_withdrawals",
    "At least 2 cancelled withdrawals in 7 days.",
    [count("cancelled", ["withdrawal_cancelled"], rolling(7 * day))],
    "feature.cancelled >= 2",
  ),
  marker(
    "limits_loosened",
    "At least 2 attempts in 30 days to raise a limit, to remove it or to switch it off.",
    [
      count(
        "attempts",
        ["deposit_limit_raised", "deposit_limit_removed", "limit_off_attempted"],
        rolling(30 * day),
      ),
    ],
    "feature.attempts >= 2",
  ),
  marker(
    "night_play",
    "At least half of 20 or more bets, deposits and sessions in 14 days between 0 and 6 o'clock (Europe/Berlin).",
    [
      aggregate("share", {
        function: "RATIO",
        events: ["bet", "payment_attempted", "session_start"],
        hit: `local_hour(event.at, "${zone}") < 6`,
        min_samples: 20,
        window: rolling(14 * day),
      }),
    ],
    "has(feature.share) && feature.share >= 0.5",
  ),
  marker(
    "long_session",
    "A session of at least 4 hours that ended in the last 24 hours, or is still open.",
    [
      aggregate("longest", {
        function: "LONGEST_SESSION",
        events: ["session_start"],
        window: rolling(day),
      }),
    ],
    `has(feature.longest) && feature.longest >= ${4 * hour * 1000}`,
  ),
  marker(
    "stake_escalation",
    "At a loss in the last 24 hours, the mean of 5 or more stakes in the last hour is at least twice that of the 7 days before.",
    [
      ...loss,
      count("bets", ["bet"], rolling(hour)),
      aggregate("stake", { function: "AVG", events: ["bet"], currency, window: rolling(hour) }),
      aggregate("stake_before", {
        function: "AVG",
        events: ["bet"],
        currency,
        window: rolling(7 * day, hour),
      }),
    ],
    "feature.bets >= 5 && feature.loss > 0 && has(feature.stake_before) && feature.stake >= 2.0 * feature.stake_before",
  ),
  marker(
    "repeated_time_outs",
    "At least 2 time-outs in 90 days.",
    [count("time_outs", ["time_out_set"], rolling(90 * day))],
    "feature.time_outs >= 2",
  ),
  marker(
    "bonus_after_loss",
    "At a loss in the last 24 hours, a bonus was asked for within 30 minutes of a bet.",
    [
      ...loss,
      followed("asked", { events: ["bet"], answers: ["bonus_requested"], window: rolling(day) }, 30 * minute),
    ],
    "feature.asked >= 1 && feature.loss > 0",
  ),
  marker(
    "deposit_after_failed_check",
    "In 30 days, a deposit within an hour of a failed check of means.",
    [
      followed(
        "deposited",
        {
          events: ["affordability_checked"],
          where: 'event.result == "failed"',
          answers: depositTypes,
          hit: deposit,
          window: rolling(30 * day),
        },
        hour,
      ),
    ],
    "feature.deposited >= 1",
  ),
  marker(
    "deposit_at_limit_reset",
    "At least 2 times in 30 days, a limit was reached and within 24 hours a deposit came between 0 and 1 o'clock (Europe/Berlin), when limits of the day begin anew.",
    [
      followed(
        "returned",
        {
          events: ["limit_reached"],
          answers: depositTypes,
          hit: `${deposit} && local_hour(event.at, "${zone}") == 0`,
          window: rolling(30 * day),
        },
        day,
      ),
    ],
    "feature.returned >= 2",
  ),
];

/** By id, in the order of `docs/features.md`. */
export const markers: ReadonlyMap<string, MarkerDefinition> = new Map(
  definitions.map((definition) => [definition.id, definition]),
);
