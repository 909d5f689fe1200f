import { type Logger, pino } from "pino";

export type { Logger };

/**
 * The app log: one JSON line per event with `ts`, `level`, `component`, `msg`, then fields. Never card numbers, tokens or personal data;
 * decisions have a log of their own.
 */
export function openLog(level: string): Logger {
  return pino({
    level,
    base: null,
    messageKey: "msg",
    timestamp: () => `,"ts":"${new Date().toISOString()}"`,
    formatters: { level: (label) => ({ level: label }) },
  });
}
