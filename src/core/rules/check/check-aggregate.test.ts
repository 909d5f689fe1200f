import { describe, expect, test } from "vitest";
import { sha256, testNowMs } from "../../../../test/helpers/compile.ts";
import { judgeDocument } from "../compile/compile.ts";

const head = `psps: [{ id: a, methods: [card] }]
event_types:
  - { name: spin, attributes: [{ name: campaign, type: INT }, { name: hot, type: BOOL }] }
`;

/** `path rule` of each fault of an aggregate, paths relative to it. */
function findFaults(aggregate: string): readonly string[] {
  const document = new TextEncoder().encode(`${head}features: [{ id: f, aggregate: { ${aggregate} } }]`);
  const { compilation } = judgeDocument({ document, format: "YAML", nowMs: testNowMs, sha256 });
  return compilation.faults.map(({ path, rule }) => `${path.replace("features[0].aggregate.", "")} ${rule}`);
}

const unanswered = "function: UNANSWERED, events: [crm_contacted], answers: [crm_clicked], answer_within: 1d";
const bets = "function: COUNT, events: [bet]";

describe("an aggregate", () => {
  test.each([
    ["", ["function missing", "events missing"]],
    ["function: COUNT, events: []", ["events missing"]],
    ["function: COUNT, events: [bet, bet]", ["events[1] duplicate"]],
    [`${bets}, of: game`, ["of not-for-function"]],
    [`${bets}, currency: EUR`, ["currency not-for-function"]],
    [`${bets}, zone: Europe/Berlin`, ["zone not-for-function"]],
    [`${bets}, min_samples: 3`, ["min_samples not-for-function"]],
    [`${bets}, percent: 3`, ["percent not-for-function"]],
    [`${bets}, half_life: 3d`, ["half_life not-for-function"]],
    [`${bets}, answers: [win]`, ["answers not-for-function"]],
    [`${bets}, answer_within: 1d`, ["answer_within not-for-function"]],
    ["function: AVG, events: [bet], of: at", ["of not-for-function"]],
    ["function: SUM, events: [bet], of: local_day", ["of not-for-function"]],
    ["function: DISTINCT, events: [bet], of: local_day, zone: Mars/Olympus", ["zone bad-zone"]],
    ["function: SUM, events: [bet], currency: XXY", ["currency currency"]],
    ["function: MIN, events: [spin], of: hot", ["of not-for-function"]],
    ["function: LAST, events: [payment_approved], of: card", ["of not-for-function"]],
    ["function: MODE, events: [payment_approved], of: card", ["of not-for-function"]],
    ["function: PERCENTILE, events: [bet], currency: EUR", ["percent missing"]],
    ["function: PERCENTILE, events: [bet], currency: EUR, percent: 101", ["percent out-of-range"]],
    [
      'function: RATIO, events: [bet], hit: event.currency == "EUR", min_samples: -1',
      ["min_samples out-of-range"],
    ],
    ["function: DECAYED_SUM, events: [bet], currency: EUR", ["half_life missing"]],
    ["function: DECAYED_SUM, events: [bet], currency: EUR, half_life: 0s", ["half_life out-of-range"]],
    ["function: STREAK, events: [bet]", ["hit missing"]],
    ["function: UNANSWERED, events: [crm_contacted]", ["answers missing", "answer_within missing"]],
    [`${unanswered}, answer_key: round`, ["answer_key unknown-attribute"]],
    [`${unanswered.replace("crm_clicked", "spin")}, answer_key: campaign`, ["answer_key attribute-conflict"]],
    ["function: FOLLOWED, events: [bet], answers: [win]", ["answer_within missing"]],
    ["function: LONGEST_SESSION, events: [bet]", ["events not-for-function"]],
  ])("of %s has these faults", (aggregate, wanted) => {
    expect(findFaults(aggregate).toSorted()).toEqual(wanted.toSorted());
  });

  test("is right with all that its function takes", () => {
    expect(findFaults(`${unanswered}, answer_key: campaign`)).toEqual([]);
    expect(findFaults("function: LONGEST_SESSION, events: [session_start]")).toEqual([]);
    expect(findFaults("function: COUNT, events: [payment_attempted], include_current: true")).toEqual([]);
  });
});

describe("a window", () => {
  test.each([
    ["{}", ["window missing"]],
    ["{ rolling: 0s }", ["window.rolling out-of-range"]],
    ["{ rolling: 3654d }", ["window.rolling out-of-range"]],
    ["{ rolling: 1d, offset: 3654d }", ["window.offset out-of-range"]],
    ["{ last: 0 }", ["window.last out-of-range"]],
    ["{ last: 1001 }", ["window.last out-of-range"]],
    ["{ session: false }", ["window.session out-of-range"]],
    ["{ last: 5, offset: 1d }", ["window.offset not-for-window"]],
    ["{ calendar: {} }", ["window.calendar.period missing"]],
    ["{ calendar: { period: DAY, zone: Mars/Olympus } }", ["window.calendar.zone bad-zone"]],
    ["{ calendar: { period: MONTH, week_start: SUN } }", ["window.calendar.week_start not-for-window"]],
    ["{ calendar: { period: DAY, back: 121 } }", ["window.calendar.back out-of-range"]],
    ["{ calendar: { period: DAY, back: -1 } }", ["window.calendar.back out-of-range"]],
    ["{ calendar: { period: DAY, anchor: '2026-01-01' } }", ["window.calendar.anchor not-for-window"]],
    ["{ calendar: { period: FOUR_WEEKS } }", ["window.calendar.anchor missing"]],
    ["{ calendar: { period: FOUR_WEEKS, anchor: '2026-1-1' } }", ["window.calendar.anchor bad-day"]],
  ])("%s has these faults", (window, wanted) => {
    expect(findFaults(`${bets}, window: ${window}`)).toEqual(wanted);
  });

  test.each([
    "{ rolling: 1ms }",
    "{ rolling: 3653d, offset: 1h }",
    "{ calendar: { period: WEEK, zone: Europe/Berlin, week_start: SUN, back: 120 } }",
    "{ calendar: { period: FOUR_WEEKS, anchor: '2024-02-29' } }",
    "{ last: 1000 }",
    "{ session: true }",
    "{ lifetime: true }",
  ])("%s is right", (window) => {
    expect(findFaults(`${bets}, window: ${window}`)).toEqual([]);
  });
});
