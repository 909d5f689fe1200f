import { expect, test } from "vitest";
import { findKnownSince, keepKnownSince } from "./known-since.ts";
import { mergePlayers } from "./merge-players.ts";
import type { Player } from "./player.ts";

const nobody: Player = { playerId: "p", attributes: new Map(), restrictions: [] };

function withTier(value: string, setAtMs: number, playerId = "p"): Player {
  return { ...nobody, playerId, attributes: new Map([["tier", { value, setAtMs, source: "crm" }]]) };
}

test("a player is known since the first value, also when it was replaced", () => {
  expect(findKnownSince(nobody)).toBe(Infinity);
  const gold = keepKnownSince(nobody, withTier("gold", 20));
  expect(gold).toEqual(withTier("gold", 20));
  const platinum = keepKnownSince(gold, withTier("platinum", 30));
  expect(findKnownSince(platinum)).toBe(20);
  expect(findKnownSince(keepKnownSince(platinum, { ...platinum, ...withTier("silver", 40) }))).toBe(20);
  // What comes late may be of an earlier instant.
  const early = new Map([...platinum.attributes, ...withTier("x", 5).attributes]);
  expect(findKnownSince(keepKnownSince(platinum, { ...platinum, attributes: early }))).toBe(5);
});

test("two ids of one person are known since the earlier of both", () => {
  const some = keepKnownSince(withTier("gold", 10), withTier("platinum", 30));
  const more = keepKnownSince(withTier("gold", 7, "q"), withTier("platinum", 40, "q"));
  expect(findKnownSince(mergePlayers(some, more, undefined))).toBe(7);
  expect(findKnownSince(mergePlayers(more, some, undefined))).toBe(7);
});
