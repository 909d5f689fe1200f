/** How long the gateway waits for the answer of a PSP that does not say it. */
export const defaultTimeoutMs = 60_000;

/** Over how long the declines of a player are counted where a retry policy does not say it. */
export const defaultPlayerWindowMs = 86_400_000;
