/** What a gateway hears of a PSP. Every call ends with an answer: what went wrong on the way is one too, told as exactly as it is known. */
import { Agent, request } from "node:http";
import { Failure } from "../../src/gen/switchyard/v1/payment_pb.js";

export type ThreeDsAnswer = { readonly transStatus: "Y" | "A" | "N" | "U"; readonly eci: string };

/** Codes are as the PSP sent them; absent ones were not sent. */
type Codes = {
  readonly code?: string;
  readonly adviceCode?: string;
  readonly pspCode?: string;
  readonly threeDs?: ThreeDsAnswer;
};

export type PspAnswer =
  | ({ readonly kind: "approved"; readonly approvedMinor: number } & Codes)
  | ({ readonly kind: "declined" } & Codes)
  | { readonly kind: "pending" }
  /** The player left the challenge. */
  | { readonly kind: "abandoned" }
  /** 3DS could not be run, so nothing was authorised. */
  | { readonly kind: "three_ds_failed" }
  | { readonly kind: "voided" }
  /** The PSP does not know the key: not yet, or never. */
  | { readonly kind: "not_found" }
  /** The PSP does not do what it was asked, as the charge is in another state. */
  | { readonly kind: "refused" }
  /** The call failed: of the attempt it says something only where it was the attempt itself. */
  | { readonly kind: "failed"; readonly failure: Failure };

/** A charge as the PSP settles it. */
export type Settled = { readonly key: string; readonly payment: string; readonly approvedMinor: number };

export type PspClient = {
  /** `timeoutMs` is how long to wait for the answer; never longer than the client waits for anything. */
  readonly authorise: (key: string, body: unknown, timeoutMs?: number) => Promise<PspAnswer>;
  readonly getStatus: (key: string) => Promise<PspAnswer>;
  readonly void: (key: string) => Promise<PspAnswer>;
  readonly listSettled: () => Promise<readonly Settled[]>;
  readonly close: () => void;
};

/** `timeoutMaxMs` is the longest that the client waits. */
export function openPspClient(url: string, timeoutMaxMs: number): PspClient {
  const agent = new Agent({ keepAlive: true });
  const ask = (
    method: "GET" | "POST",
    path: string,
    { key = "", body, timeoutMs = timeoutMaxMs }: Partial<Asked> = {},
  ): Promise<PspAnswer> =>
    call(new URL(path, url), { method, key, body, timeoutMs, agent }).then(readReply, readFailure);
  return {
    authorise: (key, body, timeoutMs = timeoutMaxMs) =>
      ask("POST", "/authorisations", { key, body, timeoutMs: Math.min(timeoutMs, timeoutMaxMs) }),
    getStatus: (key) => ask("GET", `/authorisations/${key}`),
    void: (key) => ask("POST", `/authorisations/${key}/void`),
    listSettled: async () => {
      const asked = { method: "GET", key: "", body: undefined, timeoutMs: 60_000, agent } as const;
      return (await call(new URL("/settled", url), asked)).body as readonly Settled[];
    },
    close: () => agent.destroy(),
  };
}

type Reply = { readonly status: number; readonly body: unknown };
type Asked = {
  readonly method: "GET" | "POST";
  readonly key: string;
  readonly body: unknown;
  readonly timeoutMs: number;
  readonly agent: Agent;
};

function call(url: URL, { method, key, body, timeoutMs, agent }: Asked): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const sent = request(url, {
      method,
      agent,
      headers: { "content-type": "application/json", ...(key === "" ? {} : { "idempotency-key": key }) },
    });
    const timer = setTimeout(() => sent.destroy(new NoAnswer()), timeoutMs);
    sent.on("close", () => clearTimeout(timer));
    sent.on("error", reject);
    sent.on("response", (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("error", reject);
      response.on("end", () => {
        try {
          const text = Buffer.concat(chunks).toString("utf8");
          resolve({ status: response.statusCode ?? 0, body: JSON.parse(text) as unknown });
        } catch (error) {
          reject(error);
        }
      });
    });
    sent.end(body === undefined ? undefined : JSON.stringify(body));
  });
}

class NoAnswer extends Error {}

/** An error on the way: only where the connection was never made is it certain that nothing was processed. */
function readFailure(error: NodeJS.ErrnoException): PspAnswer {
  if (error.syscall === "connect" || error.syscall === "getaddrinfo")
    return { kind: "failed", failure: Failure.CONNECT };
  return { kind: "failed", failure: error instanceof NoAnswer ? Failure.TIMEOUT : Failure.SERVER };
}

function readReply({ status, body }: Reply): PspAnswer {
  const told = body as {
    readonly status?: string;
    readonly processed?: boolean;
    approvedMinor?: number;
  } & Codes;
  if (status === 404) return { kind: "not_found" };
  if (status === 409) return { kind: told.status === "cancelled" ? "voided" : "refused" };
  if (status === 429) return { kind: "failed", failure: Failure.THROTTLED };
  if (status >= 500) {
    const isCertain = told.processed === false;
    return { kind: "failed", failure: isCertain ? Failure.NOT_PROCESSED : Failure.SERVER };
  }
  const { status: word, processed: _, ...codes } = told;
  switch (word) {
    case "approved":
      return { ...codes, kind: "approved", approvedMinor: codes.approvedMinor ?? 0 };
    case "declined":
      return { ...codes, kind: "declined" };
    case "pending":
    case "abandoned":
    case "voided":
      return { kind: word };
    case "three_ds_unavailable":
      return { kind: "three_ds_failed" };
    default:
      // An answer that nobody can read says nothing of what was processed.
      return { kind: "failed", failure: Failure.SERVER };
  }
}
