import { describe, expect, it } from "vitest";
import { encodeHistoryKey } from "./history-keys.ts";
import { type JournalRecord, recordKinds } from "./journal/format.ts";
import { ReplayBacklog } from "./replay-backlog.ts";

/** As the journal has it: key and value one after the other in the bytes of a segment. */
function makeRecord(segment: Buffer, at: number, id: string, sequence: number): JournalRecord {
  const key = encodeHistoryKey("m", { kind: "player", id });
  const value = Buffer.from(`${id} ${sequence}`, "utf8");
  key.copy(segment, at);
  value.copy(segment, at + key.length);
  return {
    sequence,
    kind: recordKinds.row,
    key: segment.subarray(at, at + key.length),
    value: segment.subarray(at + key.length, at + key.length + value.length),
  };
}

const spell = ({ key, value, sequence }: JournalRecord): string =>
  `${sequence} ${key.toString("hex")} ${value.toString("utf8")}`;

describe("ReplayBacklog", () => {
  it("gives the records of thousands of histories back as a map of lists would, each once", () => {
    const backlog = new ReplayBacklog();
    const plain = new Map<string, string[]>();
    let sequence = 0;
    for (let part = 0; part < 3; part++) {
      const segment = Buffer.alloc(20_000 * 64);
      for (let at = 0; at < 20_000; at++) {
        const id = `é${(at * 7_919) % 5_003}`;
        const record = makeRecord(segment, at * 64, id, ++sequence);
        const known = backlog.find(record.key);
        expect(known >= 0).toBe(plain.has(id));
        // LMDB has the first records of some.
        const number = known >= 0 ? known : backlog.open(record, at % 3 === 0 ? 15_000 : 0);
        backlog.add(number, record);
        const list = plain.get(id) ?? plain.set(id, []).get(id)!;
        if (known < 0 && at % 3 === 0) list.push("from 15000");
        if (list[0] !== "from 15000" || sequence > 15_000) list.push(spell(record));
      }
    }
    expect(backlog.size()).toBe(plain.size);
    for (const [id, list] of plain) {
      const key = encodeHistoryKey("m", { kind: "player", id });
      expect(backlog.take(key).map(spell)).toEqual(list.filter((each) => each !== "from 15000"));
      expect(backlog.take(key)).toEqual([]);
      expect(backlog.find(key)).toBe(-1);
    }
    expect(backlog.size()).toBe(0);
  });

  it("goes through what waits in the order in which it was opened, and past what was taken meanwhile", () => {
    const backlog = new ReplayBacklog();
    const segment = Buffer.alloc(64 * 4);
    const records = ["a", "b", "c", "d"].map((id, at) => makeRecord(segment, at * 64, id, at + 1));
    // Of the last one LMDB has everything.
    for (const [at, record] of records.entries()) backlog.add(backlog.open(record, at === 3 ? 9 : 0), record);
    backlog.end();
    const walk = (): string[] => {
      const keys: string[] = [];
      for (let number = backlog.next(0); number >= 0; number = backlog.next(number + 1)) {
        keys.push(backlog.keyOf(number).toString("latin1").at(-1)!);
      }
      return keys;
    };
    expect(walk()).toEqual(["a", "b", "c"]);
    expect(backlog.take(records[1]!.key).map(spell)).toEqual([spell(records[1]!)]);
    expect(walk()).toEqual(["a", "c"]);
    // It came into memory, and went again before the journal was through.
    backlog.add(backlog.open(records[1]!, 0), records[1]!);
    expect(walk()).toEqual(["a", "b", "c"]);
    expect(backlog.size()).toBe(3);
  });
});
