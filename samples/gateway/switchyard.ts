/** Switchyard as a gateway sees it: two calls over gRPC, both idempotent, so that what got no answer is simply asked again. */
import { setTimeout as sleep } from "node:timers/promises";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { createGrpcTransport, Http2SessionManager } from "@connectrpc/connect-node";
import {
  type DecideRequestSchema,
  type DecideResponse,
  DecisionService,
  type ReportOutcomeRequestSchema,
  type ReportOutcomeResponse,
} from "../../src/gen/switchyard/v1/decision_pb.js";

export type DecideInit = MessageInitShape<typeof DecideRequestSchema>;
export type ReportInit = MessageInitShape<typeof ReportOutcomeRequestSchema>;

export type Switchyard = {
  readonly decide: (request: DecideInit) => Promise<DecideResponse>;
  readonly report: (request: ReportInit) => Promise<ReportOutcomeResponse>;
  readonly close: () => void;
};

const timeoutMs = 5_000;
const triesMax = 8;
const gapMs = 100;
const transient: ReadonlySet<Code> = new Set([Code.Unavailable, Code.DeadlineExceeded]);

/** `url` is that of the gateway listener, such as http://127.0.0.1:50051. */
export function openSwitchyard(url: string): Switchyard {
  const sessionManager = new Http2SessionManager(url);
  const transport = createGrpcTransport({ baseUrl: url, defaultTimeoutMs: timeoutMs, sessionManager });
  const client = createClient(DecisionService, transport);
  return {
    decide: (request) => insist(() => client.decide(request)),
    report: (request) => insist(() => client.reportOutcome(request)),
    close: () => sessionManager.abort(),
  };
}

async function insist<T>(call: () => Promise<T>): Promise<T> {
  for (let tried = 1; ; tried++) {
    try {
      return await call();
    } catch (error) {
      if (!transient.has(ConnectError.from(error).code) || tried === triesMax) throw error;
      await sleep(gapMs * 2 ** tried * Math.random());
    }
  }
}
