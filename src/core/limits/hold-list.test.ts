import { expect, it } from "vitest";
import { makeHold } from "../../../test/helpers/limit-cases.ts";
import { HoldList } from "./hold-list.ts";
import type { Hold } from "./limit.ts";

const [one, two, three] = ["one", "two", "three"].map((paymentId) => makeHold({ paymentId })) as [
  Hold,
  Hold,
  Hold,
];

it("keeps holds in the order in which they came, and tells what comes and goes while somebody watches", () => {
  const list = new HoldList();
  const told: string[] = [];
  const watcher = {
    holdAdded: ({ paymentId }: Hold) => void told.push(`+${paymentId}`),
    holdRemoved: ({ paymentId }: Hold) => void told.push(`-${paymentId}`),
  };
  list.add(one);
  list.watch(watcher);
  list.add(two);
  list.add(three);
  list.take(two);
  list.take(two);
  expect([...list]).toEqual([one, three]);
  list.unwatch(watcher);
  list.take(one);
  expect([...list]).toEqual([three]);
  expect(told).toEqual(["+two", "+three", "-two"]);
});

it("gives plain lists to who filters it, of which nobody is told", () => {
  const list = new HoldList();
  list.add(one);
  expect(list.filter(() => true)).not.toBeInstanceOf(HoldList);
});
