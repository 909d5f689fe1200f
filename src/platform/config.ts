import { z } from "zod";

/** Where a listener binds. Port 0 asks for a free one. */
export type Address = { readonly host: string; readonly port: number };

/** How this process is set up: from the environment alone, frozen. Rules are the business's and change while running; this changes with a deploy. */
export type Config = {
  readonly gateway: Address;
  readonly admin: Address;
  readonly dataDirectory: string;
  readonly merchantsFile: string;
  /** CSV of BIN ranges; undefined: no table, so what the caller leaves out stays unknown. */
  readonly binFile: string | undefined;
  readonly logLevel: "debug" | "info" | "warn" | "error" | "silent";
  /** How long an ordered stop may take before what is left is cut. */
  readonly stopGraceMs: number;
};

export type ConfigResult =
  | { readonly ok: true; readonly config: Config }
  | { readonly ok: false; readonly faults: readonly string[] };

const graceMsMax = 600_000;
const loopbackHosts: ReadonlySet<string> = new Set(["127.0.0.1", "::1", "localhost"]);

/** Every setting with its default and meaning: what the README's table is made of. */
export const settings = {
  SWITCHYARD_GATEWAY_ADDRESS: {
    default: "127.0.0.1:50051",
    meaning: "Where the gateway listener binds (gRPC).",
  },
  SWITCHYARD_ADMIN_ADDRESS: {
    default: "127.0.0.1:8080",
    meaning:
      "Where the admin listener binds (Connect, gRPC, gRPC-Web, JSON, /metrics, /healthz, /readyz). Loopback only.",
  },
  SWITCHYARD_DATA_DIR: { default: "./data", meaning: "Folder of the embedded store." },
  SWITCHYARD_MERCHANTS_FILE: { default: "samples/merchants.yaml", meaning: "Merchants of this process." },
  SWITCHYARD_BIN_FILE: {
    default: "samples/bin-ranges.csv",
    meaning: "CSV of BIN ranges (yours come from your acquirers); `none` fills nothing in.",
  },
  SWITCHYARD_LOG_LEVEL: { default: "info", meaning: "debug, info, warn, error or silent." },
  SWITCHYARD_STOP_GRACE_MS: {
    default: "10000",
    meaning: "How long a stop waits for calls in flight, in ms.",
  },
} as const;

/**
 * Reads the configuration from the environment.
 *
 * Fails: with all faults, each naming its variable. A variable that begins with SWITCHYARD_ and is not known is a fault, so that a
 * misspelt one is not ignored.
 */
export function loadConfig(env: Readonly<Record<string, string | undefined>>): ConfigResult {
  const given: Record<string, string> = {};
  const faults: string[] = [];
  for (const [name, value] of Object.entries(env)) {
    if (!name.startsWith("SWITCHYARD_") || value === undefined || value === "") continue;
    if (Object.hasOwn(settings, name)) given[name] = value;
    else if (!foreignPrefixes.some((prefix) => name.startsWith(prefix)))
      faults.push(`${name}: no such setting`);
  }
  const parsed = schema.safeParse(given);
  if (!parsed.success) {
    faults.push(...parsed.error.issues.map(({ path, message }) => `${path.join(".")}: ${message}`));
    return { ok: false, faults: faults.sort() };
  }
  const { data } = parsed;
  if (faults.length > 0) return { ok: false, faults };
  const config: Config = {
    gateway: data.SWITCHYARD_GATEWAY_ADDRESS,
    admin: data.SWITCHYARD_ADMIN_ADDRESS,
    dataDirectory: data.SWITCHYARD_DATA_DIR,
    merchantsFile: data.SWITCHYARD_MERCHANTS_FILE,
    binFile: data.SWITCHYARD_BIN_FILE === "none" ? undefined : data.SWITCHYARD_BIN_FILE,
    logLevel: data.SWITCHYARD_LOG_LEVEL,
    stopGraceMs: data.SWITCHYARD_STOP_GRACE_MS,
  };
  return { ok: true, config: Object.freeze(config) };
}

/** Variables of the tools around the service, which share its prefix. */
const foreignPrefixes = ["SWITCHYARD_TEST_", "SWITCHYARD_BREAKING_", "SWITCHYARD_CLI_"];

const address = z.string().transform((text, context): Address => {
  const match = /^(?:\[([0-9a-fA-F:]+)\]|([^:[\]\s]+)):(\d{1,5})$/.exec(text);
  const port = Number(match?.[3]);
  if (match === null || port > 65_535) {
    context.addIssue({ code: "custom", message: "must be HOST:PORT, such as 127.0.0.1:8080 or [::1]:8080" });
    return z.NEVER;
  }
  return { host: match[1] ?? match[2]!, port };
});

const loopbackAddress = address.refine(
  ({ host }) => loopbackHosts.has(host),
  "must be a loopback address, because no credentials can be configured yet",
);

/** Whole milliseconds within ten minutes. */
const graceMs = z
  .string()
  .regex(/^\d{1,6}$/, `must be whole ms from 0 to ${graceMsMax}`)
  .transform(Number)
  .refine((ms) => ms <= graceMsMax, `must be whole ms from 0 to ${graceMsMax}`);

const schema = z.object({
  SWITCHYARD_GATEWAY_ADDRESS: address.prefault(settings.SWITCHYARD_GATEWAY_ADDRESS.default),
  SWITCHYARD_ADMIN_ADDRESS: loopbackAddress.prefault(settings.SWITCHYARD_ADMIN_ADDRESS.default),
  SWITCHYARD_DATA_DIR: z.string().default(settings.SWITCHYARD_DATA_DIR.default),
  SWITCHYARD_MERCHANTS_FILE: z.string().default(settings.SWITCHYARD_MERCHANTS_FILE.default),
  SWITCHYARD_BIN_FILE: z.string().default(settings.SWITCHYARD_BIN_FILE.default),
  SWITCHYARD_LOG_LEVEL: z
    .enum(["debug", "info", "warn", "error", "silent"])
    .default(settings.SWITCHYARD_LOG_LEVEL.default),
  SWITCHYARD_STOP_GRACE_MS: graceMs.prefault(settings.SWITCHYARD_STOP_GRACE_MS.default),
});
