/** What a journal says when it is opened: every whole record in order, and where the next one goes. */
import { join } from "node:path";
import type { JournalFiles } from "./files.ts";
import {
  countRecordBytes,
  decodeSegmentHeader,
  findLaterRecord,
  type JournalRecord,
  readRecord,
  segmentHeaderBytes,
} from "./format.ts";

const namePattern = /^(\d{16})\.journal$/;

export type Segment = {
  readonly path: string;
  readonly firstSequence: number;
  /** That hold the header and whole records. */
  readonly bytes: number;
};

export type Recovered = {
  /** Oldest first; the last is the one to go on with. Empty where there is no journal yet. */
  readonly segments: readonly Segment[];
  readonly lastSequence: number;
  readonly lastSalt: number;
  /** Bytes that a crash had left half written, and that were cut off. */
  readonly bytesCut: number;
};

export function nameSegment(firstSequence: number): string {
  return `${String(firstSequence).padStart(16, "0")}.journal`;
}

/**
 * Reads the journal, hands each record to `replay` in order of sequence, and cuts a torn tail off.
 *
 * A record that is not whole ends the journal, if nothing whole follows: a crash tore it, and it was never acknowledged. If something follows, the
 * middle of the journal is damaged and what was acknowledged is lost.
 *
 * `sequenceMin` is the last sequence that need not be here, because LMDB has all up to it.
 *
 * Fails: throws an Error naming file and offset where a record in the middle, a header or a whole segment is damaged or missing.
 */
export function recoverJournal(
  directory: string,
  files: JournalFiles,
  sequenceMin: number,
  replay: (record: JournalRecord) => void,
): Recovered {
  const segments = listSegments(directory, files);
  let lastSequence = 0;
  let lastSalt = 0;
  let bytesCut = 0;
  const kept: Segment[] = [];
  for (const [at, segment] of segments.entries()) {
    const bytes = files.read(segment.path);
    const isLast = at === segments.length - 1;
    const header = decodeSegmentHeader(bytes);
    if (typeof header === "string") {
      // Created but not yet written when the process died.
      if (!isLast || bytes.length > segmentHeaderBytes) throw damage(segment.path, 0, header);
      files.remove(segment.path);
      bytesCut += bytes.length;
      break;
    }
    if (header.firstSequence !== segment.firstSequence) {
      throw damage(segment.path, 0, `its name and its header differ (${header.firstSequence})`);
    }
    // Up to sequenceMin segments are deleted in any order, and a power cut may bring some of them back.
    const expected = Math.max(lastSequence, sequenceMin) + 1;
    if (header.firstSequence > expected) {
      throw damage(segment.path, 0, `records ${expected} to ${header.firstSequence - 1} are missing`);
    }
    if (kept.length > 0 && header.firstSequence <= lastSequence) {
      throw damage(segment.path, 0, `it begins with record ${header.firstSequence}, which stood before it`);
    }
    lastSequence = header.firstSequence - 1;
    let end = segmentHeaderBytes;
    for (;;) {
      const record = readRecord(bytes, end, header.salt, lastSequence + 1);
      if (record === undefined) break;
      replay(record);
      lastSequence = record.sequence;
      end += countRecordBytes(record.key, record.value);
    }
    kept.push({ ...segment, bytes: end });
    lastSalt = header.salt;
    if (end < bytes.length) {
      const isTorn = segments
        .slice(at + 1)
        .every(({ path }) => files.read(path).length <= segmentHeaderBytes);
      const later = findLaterRecord(bytes, end, header.salt, lastSequence);
      if (!isTorn || later !== undefined) {
        const where = later === undefined ? "segments follow" : `a whole record follows at ${later}`;
        throw damage(segment.path, end, `record ${lastSequence + 1} is damaged, and ${where}`);
      }
      for (const { path } of segments.slice(at + 1)) files.remove(path);
      cutOff(segment.path, end, files);
      bytesCut += bytes.length - end;
      break;
    }
  }
  return { segments: kept, lastSequence, lastSalt, bytesCut };
}

function listSegments(directory: string, files: JournalFiles): Segment[] {
  return files
    .list(directory)
    .flatMap((name) => {
      const digits = namePattern.exec(name)?.[1];
      return digits === undefined
        ? []
        : [{ path: join(directory, name), firstSequence: Number(digits), bytes: 0 }];
    })
    .sort((a, b) => a.firstSequence - b.firstSequence);
}

function cutOff(path: string, length: number, files: JournalFiles): void {
  const fd = files.open(path, "existing");
  try {
    files.truncate(fd, length);
  } finally {
    files.close(fd);
  }
}

function damage(path: string, offset: number, why: string): Error {
  return new Error(
    `the journal is damaged: ${path} at offset ${offset}: ${why}. Nothing was changed. Restore the directory from a copy, or move it away to start empty.`,
  );
}
