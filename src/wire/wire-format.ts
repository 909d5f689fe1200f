import { type DescField, type DescMessage, ScalarType } from "@bufbuild/protobuf";
import { WireType } from "@bufbuild/protobuf/wire";

/** A field as it must look on the wire. */
interface FieldShape {
  readonly wireType: WireType;
  /** Of one element, where the field may also come packed. */
  readonly packed?: WireType;
  /** Where the field is a message: its fields. A function, because messages may contain themselves. */
  readonly child?: () => MessageShape;
}

type MessageShape = ReadonlyMap<number, FieldShape>;

const DEPTH_MAX = 32;

/**
 * Checks that bytes are cut the way a message says, and gives what is wrong with them, or undefined.
 *
 * protobuf-es trusts two things that a hostile or broken caller may lie about, and then reads one field's bytes as
 * another's: that a nested length ends inside the message around it, and that a field has the wire type of its
 * declaration. Both are refused here, as are groups, which proto3 does not have, and fields that the message does not
 * know: what is not understood must not be ignored.
 *
 * Source: https://protobuf.dev/programming-guides/encoding
 */
export function findWireFault(desc: DescMessage, bytes: Uint8Array): string | undefined {
  const cursor: Cursor = { bytes, pos: 0 };
  return checkMessage(cursor, bytes.length, shapeOf(desc), 1);
}

interface Cursor {
  readonly bytes: Uint8Array;
  pos: number;
}

function checkMessage(cursor: Cursor, end: number, shape: MessageShape, depth: number): string | undefined {
  if (depth > DEPTH_MAX) return `nested deeper than ${DEPTH_MAX}`;
  while (cursor.pos < end) {
    const tag = readVarint(cursor, end);
    if (tag === BAD || tag > TAG_MAX) return "bad tag";
    const number = Math.floor(tag / 8);
    if (number === 0) return "field number 0";
    const fault = checkField(cursor, end, number, tag & 7, shape.get(number), depth);
    if (fault !== undefined) return fault;
  }
  return undefined;
}

function checkField(
  cursor: Cursor,
  end: number,
  number: number,
  wireType: number,
  field: FieldShape | undefined,
  depth: number,
): string | undefined {
  const isPacked = wireType === WireType.LengthDelimited && field?.packed !== undefined;
  if (field !== undefined && field.wireType !== wireType && !isPacked) {
    return `field ${number} has wire type ${wireType} instead of ${field.wireType}`;
  }
  if (!KNOWN_WIRE_TYPES.has(wireType)) return `field ${number} has no wire type of proto3`;
  if (field === undefined) return `field ${number} is unknown`;
  if (wireType !== WireType.LengthDelimited) {
    return skipScalar(cursor, end, wireType) ? undefined : `field ${number} is cut short`;
  }
  const length = readVarint(cursor, end);
  if (length === BAD || length > end - cursor.pos) return `field ${number} is longer than what is around it`;
  const fieldEnd = cursor.pos + length;
  if (isPacked) return checkPacked(cursor, fieldEnd, number, field.packed!);
  if (field.child !== undefined) return checkMessage(cursor, fieldEnd, field.child(), depth + 1);
  cursor.pos = fieldEnd;
  return undefined;
}

const KNOWN_WIRE_TYPES: ReadonlySet<number> = new Set([
  WireType.Varint,
  WireType.Bit64,
  WireType.LengthDelimited,
  WireType.Bit32,
]);

function checkPacked(cursor: Cursor, end: number, number: number, wireType: WireType): string | undefined {
  while (cursor.pos < end) {
    if (!skipScalar(cursor, end, wireType)) return `field ${number} is cut short`;
  }
  return undefined;
}

function skipScalar(cursor: Cursor, end: number, wireType: number): boolean {
  switch (wireType) {
    case WireType.Varint:
      return readVarint(cursor, end) !== BAD;
    case WireType.Bit32:
      cursor.pos += 4;
      return cursor.pos <= end;
    case WireType.Bit64:
      cursor.pos += 8;
      return cursor.pos <= end;
    default:
      return false;
  }
}

const BAD = -1;
const TAG_MAX = 2 ** 32 - 1;
const VARINT_BYTES_MAX = 10;

/** A varint as a number (exact below 2^53, which is all that tags and lengths need), or BAD. */
function readVarint(cursor: Cursor, end: number): number {
  const { bytes } = cursor;
  let value = 0;
  let scale = 1;
  for (let read = 0; read < VARINT_BYTES_MAX && cursor.pos < end; read++) {
    const byte = bytes[cursor.pos++]!;
    value += (byte & 0x7f) * scale;
    if (byte < 0x80) return value;
    scale *= 128;
  }
  return BAD;
}

const shapes = new WeakMap<DescMessage, MessageShape>();

function shapeOf(desc: DescMessage): MessageShape {
  const known = shapes.get(desc);
  if (known !== undefined) return known;
  const shape = new Map(desc.fields.map((field) => [field.number, shapeField(field)]));
  shapes.set(desc, shape);
  return shape;
}

function shapeField(field: DescField): FieldShape {
  switch (field.fieldKind) {
    case "scalar":
      return { wireType: wireTypeOf(field.scalar) };
    case "enum":
      return { wireType: WireType.Varint };
    case "message":
      return shapeChild(field.message);
    case "map":
      return shapeMap(field);
    case "list":
      return shapeList(field);
  }
}

function shapeList(field: DescField & { fieldKind: "list" }): FieldShape {
  if (field.listKind === "message") return shapeChild(field.message);
  const wireType = field.listKind === "enum" ? WireType.Varint : wireTypeOf(field.scalar);
  return wireType === WireType.LengthDelimited ? { wireType } : { wireType, packed: wireType };
}

function shapeMap(field: DescField & { fieldKind: "map" }): FieldShape {
  const entry: MessageShape = new Map([
    [1, { wireType: wireTypeOf(field.mapKey) }],
    [2, shapeMapValue(field)],
  ]);
  return { wireType: WireType.LengthDelimited, child: () => entry };
}

function shapeMapValue(field: DescField & { fieldKind: "map" }): FieldShape {
  switch (field.mapKind) {
    case "scalar":
      return { wireType: wireTypeOf(field.scalar) };
    case "enum":
      return { wireType: WireType.Varint };
    case "message":
      return shapeChild(field.message);
  }
}

function shapeChild(desc: DescMessage): FieldShape {
  return { wireType: WireType.LengthDelimited, child: () => shapeOf(desc) };
}

function wireTypeOf(scalar: ScalarType): WireType {
  switch (scalar) {
    case ScalarType.DOUBLE:
    case ScalarType.FIXED64:
    case ScalarType.SFIXED64:
      return WireType.Bit64;
    case ScalarType.FLOAT:
    case ScalarType.FIXED32:
    case ScalarType.SFIXED32:
      return WireType.Bit32;
    case ScalarType.STRING:
    case ScalarType.BYTES:
      return WireType.LengthDelimited;
    default:
      return WireType.Varint;
  }
}
