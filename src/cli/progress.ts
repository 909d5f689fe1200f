import type { Terminal } from "./io.ts";

const redrawMs = 100;
const barMax = 40;

/** A bar that says how far a long piece of work is. */
export type Progress = {
  readonly show: (done: number) => void;
  /** Takes the bar away. */
  readonly clear: () => void;
};

/**
 * A progress bar on the last line of a terminal, drawn at most ten times a second; on anything that is no terminal it draws nothing.
 *
 * Units: nowMs is any clock in ms that only goes forward.
 */
export function openProgress(
  terminal: Terminal,
  work: { readonly total: number; readonly unit: string; readonly nowMs: () => number },
): Progress {
  if (!terminal.isTty) return { show: () => {}, clear: () => {} };
  const startedMs = work.nowMs();
  let drawnMs = Number.NEGATIVE_INFINITY;
  return {
    show(done) {
      const nowMs = work.nowMs();
      if (nowMs - drawnMs < redrawMs && done < work.total) return;
      drawnMs = nowMs;
      const line = formatProgress({ ...work, done, elapsedMs: nowMs - startedMs, columns: terminal.columns });
      terminal.write(`\r\u001b[K${line}`);
    },
    clear() {
      if (drawnMs !== Number.NEGATIVE_INFINITY) terminal.write("\r\u001b[K");
    },
  };
}

function formatProgress(state: {
  readonly done: number;
  readonly total: number;
  readonly unit: string;
  readonly elapsedMs: number;
  readonly columns: number;
}): string {
  const { done, total, unit, elapsedMs, columns } = state;
  const share = total === 0 ? 1 : done / total;
  const perSecond = elapsedMs > 0 ? (done * 1000) / elapsedMs : 0;
  const left = perSecond > 0 ? `, ${Math.ceil((total - done) / perSecond)} s left` : "";
  const text = ` ${Math.floor(share * 100)}% ${done}/${total} ${unit}, ${Math.round(perSecond)}/s${left}`;
  const width = Math.max(0, Math.min(barMax, columns - text.length - 3));
  const full = Math.round(width * share);
  return `[${"#".repeat(full)}${"-".repeat(width - full)}]${text}`.slice(0, Math.max(1, columns - 1));
}
