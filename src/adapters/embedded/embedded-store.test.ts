import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe } from "vitest";
import { testAuditLog } from "../../../test/contract/audit-log.ts";
import { testHistoryStore } from "../../../test/contract/history-store.ts";
import { testLimitStore } from "../../../test/contract/limit-store.ts";
import { testMembershipLog } from "../../../test/contract/membership-log.ts";
import { type OpenPort, startMs } from "../../../test/contract/opened-port.ts";
import { testOverrideStore } from "../../../test/contract/override-store.ts";
import { testPaymentStore } from "../../../test/contract/payment-store.ts";
import { testPlayerStore } from "../../../test/contract/player-store.ts";
import { testPspStateStore } from "../../../test/contract/psp-state-store.ts";
import { testRuleSetStore } from "../../../test/contract/rule-set-store.ts";
import { type EmbeddedStore, openEmbeddedStore, type StoreLimits } from "./embedded-store.ts";

/** A factory for the contracts: a new directory per test. */
function openPart<T>(part: (store: EmbeddedStore) => T, limits: Partial<StoreLimits>): OpenPort<T> {
  return async () => {
    const directory = mkdtempSync(join(tmpdir(), "switchyard-store-"));
    let nowMs = startMs;
    const open = (): Promise<EmbeddedStore> =>
      openEmbeddedStore({
        directory,
        clock: { nowMs: () => nowMs },
        onError: (error) => {
          throw error;
        },
        limits,
      });
    let store = await open();
    return {
      store: () => part(store),
      setNowMs: (ms) => {
        nowMs = ms;
      },
      settle: () => store.checkpoint(),
      reopen: async () => {
        await store.close();
        store = await open();
      },
      close: async () => {
        await store.close();
        rmSync(directory, { recursive: true });
      },
    };
  };
}

describe.each([
  ["with room", {}],
  [
    "with caches of two and segments of 4 KiB",
    {
      hotPlayersMax: 2,
      hotPaymentsMax: 2,
      hotMembershipsMax: 2,
      hotRowsMax: 2,
      rowsBehindBytesWanted: 100,
      segmentBytesMax: 4096,
    },
  ],
])("the embedded store %s", (_, limits) => {
  testPlayerStore(openPart(({ players }) => players, limits));
  testPaymentStore(openPart(({ payments }) => payments, limits));
  testHistoryStore(openPart(({ histories }) => histories, limits));
  testMembershipLog(openPart(({ memberships }) => memberships, limits));
});

describe("the embedded store", () => {
  testLimitStore(openPart(({ limits }) => limits, {}));
  testRuleSetStore(openPart(({ ruleSets }) => ruleSets, {}));
  testOverrideStore(openPart(({ overrides }) => overrides, {}));
  testPspStateStore(openPart(({ pspStates }) => pspStates, {}));
  testAuditLog(openPart(({ audit }) => audit, {}));
});
