import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { countRuns } from "../../../../test/helpers/property-runs.ts";
import { StoreUnavailable } from "../store-unavailable.ts";
import { type JournalFiles, nodeFiles } from "./files.ts";
import { recordKinds, segmentHeaderBytes } from "./format.ts";
import { Journal } from "./journal.ts";

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "switchyard-journal-"));
});
afterEach(() => rmSync(directory, { recursive: true }));

type Opened = {
  readonly journal: Journal;
  readonly replayed: readonly string[];
  readonly errors: readonly string[];
};

function open(
  options: {
    readonly files?: JournalFiles;
    readonly segmentBytesMax?: number;
    readonly sequenceMin?: number;
    readonly at?: string;
  } = {},
): Opened {
  const replayed: string[] = [];
  const errors: string[] = [];
  const journal = new Journal({
    directory: options.at ?? directory,
    files: options.files ?? nodeFiles,
    segmentBytesMax: options.segmentBytesMax ?? 1e9,
    sequenceMin: options.sequenceMin ?? 0,
    replay: ({ sequence, kind, key, value }) => {
      if (kind !== recordKinds.trial) replayed.push(`${sequence} ${key}=${value}`);
    },
    onError: (error) => errors.push(String(error)),
  });
  return { journal, replayed, errors };
}

const nothing = (): (() => void) => () => {};
const put = (journal: Journal, key: string, value: string): Promise<void> =>
  journal.append(recordKinds.player, Buffer.from(key), Buffer.from(value), nothing);

/** Writes `1 k=v1`, `2 k=v2`, ... and returns what a replay must give. */
async function fill(count: number, segmentBytesMax?: number): Promise<string[]> {
  const { journal } = open(segmentBytesMax === undefined ? {} : { segmentBytesMax });
  const written: string[] = [];
  for (let at = 1; at <= count; at++) {
    await put(journal, "k", `value ${at}`);
    written.push(`${at} k=value ${at}`);
  }
  await journal.close();
  return written;
}

const segmentPaths = (): string[] =>
  readdirSync(directory)
    .sort()
    .map((name) => join(directory, name));

describe("a journal", () => {
  it("replays what was appended, in order, and goes on behind it", async () => {
    const written = await fill(3);
    const second = open();
    expect(second.replayed).toEqual(written);
    await put(second.journal, "k", "more");
    expect(second.journal.sequence()).toBe(4);
    await second.journal.close();
    expect(open().replayed).toEqual([...written, "4 k=more"]);
  });

  it("writes all appends of a turn at once, before any of them resolves", async () => {
    const writes: number[] = [];
    const files: JournalFiles = {
      ...nodeFiles,
      write: (...args) => {
        writes.push(args[3]);
        return nodeFiles.write(...args);
      },
    };
    const { journal } = open({ files });
    writes.length = 0;
    let resolved = 0;
    const all = ["a", "b", "c"].map((key) => put(journal, key, "v").then(() => resolved++));
    await Promise.resolve();
    expect([writes, resolved]).toEqual([[], 0]);
    await Promise.all(all);
    expect(writes).toHaveLength(1);
    await journal.close();
  });

  it("goes on where the system writes less than asked", async () => {
    const files: JournalFiles = {
      ...nodeFiles,
      write: (fd, bytes, offset, length, position) =>
        nodeFiles.write(fd, bytes, offset, Math.min(7, length), position),
    };
    const { journal } = open({ files });
    await Promise.all([put(journal, "a", "first"), put(journal, "b", "second")]);
    await journal.close();
    expect(open().replayed).toEqual(["1 a=first", "2 b=second"]);
  });

  it("rotates by size, and deletes only what somebody else has", async () => {
    const written = await fill(20, 100);
    const paths = segmentPaths();
    expect(paths.length).toBeGreaterThan(3);
    const { journal, replayed } = open({ segmentBytesMax: 100 });
    expect(replayed).toEqual(written);
    expect(journal.stats().segments).toBe(paths.length);
    const firstOfThird = Number.parseInt(basename(paths[2]!), 10);
    await journal.dropThrough(firstOfThird - 2);
    expect(segmentPaths()).toEqual(paths.slice(1));
    await journal.dropThrough(firstOfThird - 1);
    expect(segmentPaths()).toEqual(paths.slice(2));
    await journal.dropThrough(1_000);
    expect(segmentPaths()).toEqual(paths.slice(-1));
    await journal.close();
    expect(open({ sequenceMin: 20 }).journal.sequence()).toBe(20);
  });

  it("does not mind missing segments of which somebody else has everything", async () => {
    const written = await fill(20, 100);
    const paths = segmentPaths();
    const firstOfThird = Number.parseInt(basename(paths[2]!), 10);
    rmSync(paths[1]!);
    expect(() => open({ sequenceMin: firstOfThird - 2 })).toThrow(/records \d+ to \d+ are missing/);
    const { journal, replayed } = open({ sequenceMin: firstOfThird - 1 });
    expect(replayed.slice(-(20 - firstOfThird + 1))).toEqual(written.slice(firstOfThird - 1));
    expect(journal.sequence()).toBe(20);
    await journal.close();
  });

  it("goes on behind what somebody else has, where that is more", async () => {
    await fill(3);
    const { journal } = open({ sequenceMin: 7 });
    await put(journal, "k", "eighth");
    await journal.close();
    expect(open({ sequenceMin: 7 }).replayed).toEqual(["8 k=eighth"]);
  });

  it("refuses a record that is too long, and goes on", async () => {
    const { journal } = open();
    const long = Buffer.alloc(8 * 1024 * 1024 + 1);
    await expect(journal.append(recordKinds.player, long, long, nothing)).rejects.toThrow(RangeError);
    await put(journal, "k", "v");
    expect(journal.sequence()).toBe(1);
    await journal.close();
  });
});

describe("the tail of a journal", () => {
  it("cut off at any byte leaves a prefix of whole records, and the journal goes on", async () => {
    const written = await fill(4);
    const [path] = segmentPaths();
    const whole = readFileSync(path!);
    for (let length = 0; length <= whole.length; length++) {
      const cut = join(directory, `cut-${length}`);
      mkdirSync(cut);
      writeFileSync(join(cut, basename(path!)), whole.subarray(0, length));
      const { journal, replayed } = open({ at: cut });
      expect(replayed).toEqual(written.slice(0, replayed.length));
      expect(replayed.length).toBe(Math.max(0, Math.floor((length - segmentHeaderBytes) / 25)));
      await put(journal, "k", "after");
      await journal.close();
      const again = open({ at: cut });
      expect(again.replayed).toEqual([...replayed, `${replayed.length + 1} k=after`]);
      expect(again.journal.bytesCut).toBe(0);
      await again.journal.close();
    }
  });

  it("cut at any byte of many segments of any records gives a prefix", async () => {
    const texts = fc.array(fc.string({ unit: "binary", maxLength: 60 }), { minLength: 1, maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(
        texts,
        fc.integer({ min: 30, max: 300 }),
        fc.nat(),
        async (values, segmentBytesMax, where) => {
          const at = mkdtempSync(join(directory, "run-"));
          const { journal } = open({ at, segmentBytesMax });
          for (const value of values) await put(journal, "k", value);
          await journal.close();
          const last = readdirSync(at).sort().at(-1)!;
          const bytes = readFileSync(join(at, last));
          writeFileSync(join(at, last), bytes.subarray(0, where % (bytes.length + 1)));
          const { journal: cut, replayed } = open({ at, segmentBytesMax });
          await cut.close();
          const wanted = values.map((value, index) => `${index + 1} k=${Buffer.from(value)}`);
          expect(replayed).toEqual(wanted.slice(0, replayed.length));
        },
      ),
      { numRuns: countRuns(60) },
    );
  });

  it.each([
    ["zeros, as a power cut leaves them", Buffer.alloc(4_096)],
    ["ones", Buffer.alloc(333, 0xff)],
  ])("that is %s is cut off", async (_, tail) => {
    const written = await fill(3);
    const [path] = segmentPaths();
    writeFileSync(path!, tail, { flag: "a" });
    const { journal, replayed } = open();
    expect(replayed).toEqual(written);
    expect(journal.bytesCut).toBe(tail.length);
    await journal.close();
  });

  it("may hold bytes of another journal's records: they are cut off too", async () => {
    const written = await fill(2);
    const [path] = segmentPaths();
    const other = join(directory, "other");
    mkdirSync(other);
    const { journal } = open({ at: other, sequenceMin: 2 });
    await put(journal, "k", "foreign");
    await journal.close();
    const [foreign] = readdirSync(other);
    const records = readFileSync(join(other, foreign!)).subarray(segmentHeaderBytes);
    writeFileSync(path!, records, { flag: "a" });
    expect(open().replayed).toEqual(written);
  });
});

describe("a damaged journal", () => {
  it("is refused with file and offset, whichever byte before the last record is damaged", async () => {
    await fill(3);
    const [path] = segmentPaths();
    const whole = readFileSync(path!);
    const recordBytes = 25;
    for (let at = 0; at < whole.length - recordBytes; at++) {
      const damaged = Buffer.from(whole);
      damaged[at] = damaged[at]! ^ 0x55;
      writeFileSync(path!, damaged);
      const record = Math.floor((at - segmentHeaderBytes) / recordBytes);
      const offset = at < segmentHeaderBytes ? 0 : segmentHeaderBytes + record * recordBytes;
      expect(() => open(), `byte ${at}`).toThrow(`the journal is damaged: ${path} at offset ${offset}: `);
      expect(readFileSync(path!).equals(damaged)).toBe(true);
    }
  });

  it("is refused where a segment in the middle is missing, cut short or out of place", async () => {
    await fill(10, 100);
    const paths = segmentPaths();
    const middle = readFileSync(paths[1]!);
    rmSync(paths[1]!);
    expect(() => open()).toThrow(/records \d+ to \d+ are missing/);
    writeFileSync(paths[1]!, middle.subarray(0, -1));
    expect(() => open()).toThrow(`${paths[1]} at offset `);
    writeFileSync(paths[1]!, middle);
    copyFileSync(paths[0]!, paths[1]!);
    expect(() => open()).toThrow(/its name and its header differ/);
    writeFileSync(paths[1]!, middle);
    rmSync(paths[0]!);
    expect(() => open()).toThrow(/records 1 to \d+ are missing/);
  });

  it("is refused where a newer build wrote it", async () => {
    await fill(1);
    const [path] = segmentPaths();
    const bytes = readFileSync(path!);
    bytes[7] = 9;
    writeFileSync(path!, bytes);
    expect(() => open()).toThrow(/damaged/);
  });
});

/** A disk that does as it is told: `fault` is thrown by the next writes or syncs; `spare` bytes are written before. */
function createFailingFiles(): { files: JournalFiles; disk: { write?: Error; sync?: Error; spare: number } } {
  const disk: { write?: Error; sync?: Error; spare: number } = { spare: 0 };
  const files: JournalFiles = {
    ...nodeFiles,
    write: (fd, bytes, offset, length, position) => {
      if (disk.write === undefined) return nodeFiles.write(fd, bytes, offset, length, position);
      if (disk.spare <= 0) throw disk.write;
      const written = nodeFiles.write(fd, bytes, offset, Math.min(disk.spare, length), position);
      disk.spare -= written;
      return written;
    },
    sync: (fd) => (disk.sync === undefined ? nodeFiles.sync(fd) : Promise.reject(disk.sync)),
  };
  return { files, disk };
}

describe("a journal on a disk that fails", () => {
  it.each([
    ["at once", 0],
    ["after the first of two records and a half", 40],
  ])("refuses the whole turn and takes it back, when the write fails %s", async (_, spare) => {
    const { files, disk } = createFailingFiles();
    const { journal, errors } = open({ files });
    await put(journal, "k", "before");
    disk.write = new Error("ENOSPC: no space left on device");
    disk.spare = spare;
    const undone: string[] = [];
    const append = (name: string): Promise<void> =>
      journal.append(recordKinds.player, Buffer.from("k"), Buffer.from(name), () => () => undone.push(name));
    const turn = [append("one"), append("two"), append("three")];
    for (const each of turn) await expect(each).rejects.toThrow(StoreUnavailable);
    expect(undone).toEqual(["three", "two", "one"]);
    expect(journal.failure()).toMatch(/ENOSPC/);
    expect(errors).toHaveLength(1);
    expect(journal.sequence()).toBe(1);
    await expect(append("four")).rejects.toMatchObject({ code: "STORE_UNAVAILABLE", retryAfterMs: 1_000 });
    expect(undone).toHaveLength(3);
    delete disk.write;
    await journal.close();
    expect(open().replayed).toEqual(["1 k=before"]);
  });

  it("goes on by itself once the disk takes writes again", async () => {
    const { files, disk } = createFailingFiles();
    const { journal } = open({ files });
    disk.write = new Error("ENOSPC");
    await expect(put(journal, "k", "lost")).rejects.toThrow(/ENOSPC/);
    delete disk.write;
    await expect.poll(() => journal.failure(), { timeout: 10_000 }).toBeUndefined();
    await put(journal, "k", "kept");
    await journal.close();
    // The trial of the disk has a sequence of its own.
    expect(open().replayed).toEqual(["2 k=kept"]);
  });

  it("stays refused for good when the disk did not keep what was written", async () => {
    const { files, disk } = createFailingFiles();
    const { journal } = open({ files });
    disk.sync = new Error("EIO: i/o error");
    await put(journal, "k", "v");
    await expect.poll(() => journal.failure(), { timeout: 10_000 }).toMatch(/EIO.*restart/);
    await expect(put(journal, "k", "w")).rejects.toThrow(StoreUnavailable);
    await expect(journal.close()).rejects.toThrow(/EIO/);
  });
});
