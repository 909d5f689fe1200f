import { create } from "@bufbuild/protobuf";
import { type RuleSet, type Segment, SegmentSchema } from "../../gen/switchyard/v1/rule_set_pb.js";
import { compareCodePoints } from "../cel/code-points.ts";
import { toMs } from "./names.ts";

/** A segment of the section, or the one that a state of a lifecycle is. */
export type ListedSegment = {
  /** For a state without description, exit and lists. */
  readonly segment: Segment;
  /** Place of the entry in the document, such as `segments[3]`. */
  readonly path: string;
  /** For a state: the earlier states of its lifecycle, which it excludes. */
  readonly earlier: readonly string[];
  readonly isState: boolean;
  readonly hasMemory: boolean;
};

/** All segments of a rule set with the states of its lifecycles as `lifecycle.state`, in order of id; of equal ids the last. */
export function listSegments({
  segments,
  lifecycles,
}: Pick<RuleSet, "segments" | "lifecycles">): readonly ListedSegment[] {
  const listed = new Map<string, ListedSegment>();
  for (const [index, { id, states, purposes }] of lifecycles.entries()) {
    const hasMemory = states.some(({ dwellMin }) => dwellMin !== undefined && toMs(dwellMin) > 0);
    for (const [place, state] of states.entries()) {
      const { when, dwellMin } = state;
      const stateId = nameState(id, state.id);
      const segment = create(SegmentSchema, { id: stateId, when, purposes, ...(dwellMin && { dwellMin }) });
      const path = `lifecycles[${index}].states[${place}]`;
      const earlier = states.slice(0, place).map((one) => nameState(id, one.id));
      listed.set(stateId, { segment, path, earlier, isState: true, hasMemory });
    }
  }
  for (const [index, segment] of segments.entries()) {
    const { id, exitWhen, dwellMin } = segment;
    const hasMemory = exitWhen !== "" || (dwellMin !== undefined && toMs(dwellMin) > 0);
    listed.set(id, { segment, path: `segments[${index}]`, earlier: [], isState: false, hasMemory });
  }
  return [...listed.values()].sort((a, b) => compareCodePoints(a.segment.id, b.segment.id));
}

/** The id of the segment that a state is. */
export function nameState(lifecycle: string, state: string): string {
  return `${lifecycle}.${state}`;
}
