import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { formatMoney } from "../money.ts";
import { challengeIndicators } from "./challenge.ts";
import { houseScaPolicy } from "./default-policy.ts";
import { eciTable } from "./liability.ts";
import { threeDsReasons } from "./three-ds-reasons.ts";
import { resultTable } from "./three-ds-result.ts";

const page = readFileSync(new URL("../../../docs/sca.md", import.meta.url), "utf8");

/** The rows below the head of a table, cells trimmed. */
function readTable(head: string): readonly (readonly string[])[] {
  const at = page.indexOf(`\n| ${head} |\n`);
  if (at < 0) throw new Error(`no table ${head}`);
  const lines = page.slice(at + 1).split("\n");
  const rows = lines.slice(
    2,
    lines.findIndex((line) => !line.startsWith("|")),
  );
  return rows.map((row) =>
    row
      .split("|")
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
}

const dayOf = (ms: number | undefined): string =>
  ms === undefined ? "always" : new Date(ms).toISOString().slice(0, 10);
const { zones, lowValue, tra, mandates, exemptionOrder, highRiskScore } = houseScaPolicy;

describe("docs/sca.md", () => {
  test.each<[string, readonly (readonly string[])[]]>([
    ["Reason | Means", threeDsReasons.map(({ code, meaning }) => [`\`${code}\``, meaning])],
    [
      "Zone | Countries | From | Source",
      zones.map(({ id, countries, fromMs, origin }) => [id, countries.join(" "), dayOf(fromMs), origin]),
    ],
    [
      "Zone | Amount | Sum | Count | From | Source",
      lowValue.map(({ zone, amount, cumulative, count, fromMs, origin }) => [
        zone,
        formatMoney(amount),
        formatMoney(cumulative),
        String(count),
        dayOf(fromMs),
        origin,
      ]),
    ],
    [
      "Zone | Fraud rate, bp | Amount | From | Source",
      tra.map(({ zone, fraudRateBps, amount, fromMs, origin }) => [
        zone,
        String(fraudRateBps),
        formatMoney(amount),
        dayOf(fromMs),
        origin,
      ]),
    ],
    [
      "Issuer | Fundings | Acquirer | From | Source",
      mandates.map(({ country, fundings, domesticOnly, fromMs, origin }) => [
        country,
        fundings.join(", ") || "all",
        domesticOnly ? "there too" : "anywhere",
        dayOf(fromMs),
        origin,
      ]),
    ],
    [
      "Indicator | Means | Since | Before",
      challengeIndicators.map(({ code, meaning, since, before }) => [
        `\`${code}\``,
        meaning,
        since,
        `\`${before}\``,
      ]),
    ],
    [
      "transStatus | Means | Then",
      Object.entries(resultTable).map(([status, { meaning, next }]) => [
        `\`${status}\``,
        meaning,
        `\`${next}\``,
      ]),
    ],
    [
      "Schemes | ECI | Means | Shift | Source",
      eciTable.map(({ schemes, eci, meaning, shifts, origin }) => [
        schemes.join(", "),
        `\`${eci}\``,
        meaning,
        shifts ? "yes" : "no",
        origin,
      ]),
    ],
  ])("has the table %s as the data has it", (head, rows) => {
    expect(readTable(head)).toEqual(rows);
  });

  test("names the order of exemptions and the score from which on there are none", () => {
    expect(page).toContain(exemptionOrder.map((kind) => `\`${kind}\``).join(", "));
    expect(page).toContain(`From the risk score ${highRiskScore} on none is used.`);
  });
});
