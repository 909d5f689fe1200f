import { createHash } from "node:crypto";
import type { Contender } from "./contender.ts";
import type { Switchyard } from "./switchyard.ts";

/** Throws unless the contender finds for the first `sample` payments just the rules that ours finds. */
export async function assertSameAnswers(ours: Switchyard, other: Contender, sample: number): Promise<void> {
  for (let payment = 0; payment < sample; payment++) {
    const wanted = ours.matchNaively(payment).join();
    const found = [...(await other.match(payment))].sort((a, b) => a - b).join();
    if (found !== wanted) {
      throw new Error(`payment ${payment}: ${other.name} finds [${found}], ours one by one [${wanted}]`);
    }
  }
}

/** Hash of our answers to the first `sample` payments: listed rules, how they matched, how many more. And how many matched on average. */
export function hashAnswers(
  ours: Switchyard,
  sample: number,
): { readonly hash: string; readonly matchesMean: number } {
  const hash = createHash("sha256");
  let matches = 0;
  for (let payment = 0; payment < sample; payment++) {
    const { rules, flags, listed, rest } = ours.decide(payment);
    const lines = rules.slice(0, listed).map((rule, i) => `${rule.id} ${rule.reason} ${flags[i]}`);
    hash.update(`${payment}: ${lines.join(", ")} and ${rest} more\n`);
    matches += listed + rest;
  }
  return { hash: hash.digest("hex").slice(0, 16), matchesMean: matches / sample };
}
