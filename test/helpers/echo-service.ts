/** A service that only tests know, with one method of each kind and a message with one field of each shape. */

import type { MessageInitShape } from "@bufbuild/protobuf";
import { create, createFileRegistry, type Message } from "@bufbuild/protobuf";
import type { GenMessage, GenService } from "@bufbuild/protobuf/codegenv2";
import {
  FieldDescriptorProto_Label,
  FieldDescriptorProto_Type,
  type FieldDescriptorProtoSchema,
  FileDescriptorProtoSchema,
} from "@bufbuild/protobuf/wkt";

const { STRING, MESSAGE, INT32, INT64, ENUM, FIXED32, BYTES } = FieldDescriptorProto_Type;
const { OPTIONAL, REPEATED } = FieldDescriptorProto_Label;

type Field = MessageInitShape<typeof FieldDescriptorProtoSchema>;

function field(name: string, number: number, type: FieldDescriptorProto_Type, more: Field = {}): Field {
  return { name, jsonName: name, number, type, label: OPTIONAL, ...more };
}

const NOTE = ".test.echo.v1.Note";

/**
 * ```proto
 * message Note {
 *   string text = 1;      Note child = 2;                 repeated int32 numbers = 3;
 *   map<string, Note> notes = 4;  repeated string tags = 5;  Mood mood = 6;
 *   fixed32 stamp = 7;    bytes blob = 8;                 int64 amount = 9;
 * }
 * ```
 */
const file = create(FileDescriptorProtoSchema, {
  name: "test/echo/v1/echo.proto",
  package: "test.echo.v1",
  syntax: "proto3",
  enumType: [
    {
      name: "Mood",
      value: [
        { name: "MOOD_UNSPECIFIED", number: 0 },
        { name: "MOOD_GOOD", number: 1 },
      ],
    },
  ],
  messageType: [
    {
      name: "Note",
      field: [
        field("text", 1, STRING),
        field("child", 2, MESSAGE, { typeName: NOTE }),
        field("numbers", 3, INT32, { label: REPEATED }),
        field("notes", 4, MESSAGE, { label: REPEATED, typeName: `${NOTE}.NotesEntry` }),
        field("tags", 5, STRING, { label: REPEATED }),
        field("mood", 6, ENUM, { typeName: ".test.echo.v1.Mood" }),
        field("stamp", 7, FIXED32),
        field("blob", 8, BYTES),
        field("amount", 9, INT64),
      ],
      nestedType: [
        {
          name: "NotesEntry",
          options: { mapEntry: true },
          field: [field("key", 1, STRING), field("value", 2, MESSAGE, { typeName: NOTE })],
        },
      ],
    },
  ],
  service: [
    {
      name: "Echo",
      method: [
        { name: "Say", inputType: NOTE, outputType: NOTE },
        { name: "Count", inputType: NOTE, outputType: NOTE, serverStreaming: true },
        { name: "Join", inputType: NOTE, outputType: NOTE, clientStreaming: true },
        { name: "Chat", inputType: NOTE, outputType: NOTE, clientStreaming: true, serverStreaming: true },
      ],
    },
  ],
});

const registry = createFileRegistry(file, () => undefined);

/** A note as its fields read; the descriptor is made at run time, so the compiler must be told. */
export interface Note extends Message<"test.echo.v1.Note"> {
  text: string;
  child?: Note;
  numbers: number[];
  notes: { [key: string]: Note };
  tags: string[];
  mood: number;
  stamp: number;
  blob: Uint8Array;
  amount: bigint;
}

export const NoteSchema = registry.getMessage("test.echo.v1.Note") as GenMessage<Note>;

type Method<K extends string> = { methodKind: K; input: GenMessage<Note>; output: GenMessage<Note> };

export const Echo = registry.getService("test.echo.v1.Echo") as unknown as GenService<{
  say: Method<"unary">;
  count: Method<"server_streaming">;
  join: Method<"client_streaming">;
  chat: Method<"bidi_streaming">;
}>;

export function makeNote(init: MessageInitShape<GenMessage<Note>>): Note {
  return create(NoteSchema, init);
}
