import { markers as definitions } from "../features/markers.ts";

/** Ready-made features by the name of their marker, as protobuf JSON of `Feature`; the last one is the marker itself. */
export const markers: ReadonlyMap<string, readonly object[]> = new Map(
  [...definitions].map(([id, { features }]) => [id, features]),
);
