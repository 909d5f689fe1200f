import type { Label, Labels } from "../history/history.ts";

const unjudged = 255;

/** A small number for each label, found once. */
export type LabelCodes = {
  readonly of: (labels: Labels, label: number) => number;
};

/** Remembers what `judge` (0 to 254) says of each label, for as long as the labels are the same. */
export function createLabelCodes(judge: (label: Label) => number): LabelCodes {
  let known: Labels | undefined;
  let codes = new Uint8Array(0);
  return {
    of: (labels, label) => {
      if (labels !== known || label >= codes.length) {
        codes = new Uint8Array(Math.max(64, 2 * labels.count())).fill(unjudged);
        known = labels;
      }
      const code = codes[label]!;
      if (code !== unjudged) return code;
      const judged = judge(labels.get(label));
      codes[label] = judged;
      return judged;
    },
  };
}
