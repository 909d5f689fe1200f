import { create, createFileRegistry, fromBinary } from "@bufbuild/protobuf";
import {
  FieldDescriptorProto_Label,
  FieldDescriptorProto_Type,
  FileDescriptorProtoSchema,
  FileDescriptorSetSchema,
  file_google_protobuf_descriptor,
} from "@bufbuild/protobuf/wkt";
import { describe, expect, test } from "vitest";
import { indexDescriptors } from "./descriptor-index.ts";

const { MESSAGE, STRING } = FieldDescriptorProto_Type;
const { OPTIONAL } = FieldDescriptorProto_Label;

/** a.proto imports b.proto and descriptor.proto, b.proto imports descriptor.proto and extends its options. */
const registry = createFileRegistry(
  create(FileDescriptorSetSchema, {
    file: [
      file_google_protobuf_descriptor.proto,
      {
        name: "b.proto",
        package: "b",
        syntax: "proto3",
        dependency: ["google/protobuf/descriptor.proto"],
        messageType: [{ name: "Inner" }],
        extension: [70_001, 70_000].map((number) => ({
          name: `unit_${number}`,
          jsonName: `unit${number}`,
          number,
          type: STRING,
          label: OPTIONAL,
          extendee: ".google.protobuf.FieldOptions",
        })),
      },
      {
        name: "a.proto",
        package: "a",
        syntax: "proto3",
        dependency: ["b.proto", "google/protobuf/descriptor.proto"],
        messageType: [
          {
            name: "Outer",
            field: [
              { name: "in", jsonName: "in", number: 1, type: MESSAGE, label: OPTIONAL, typeName: ".b.Inner" },
            ],
          },
        ],
        service: [{ name: "Serve", method: [{ name: "Do", inputType: ".a.Outer", outputType: ".b.Inner" }] }],
      },
    ],
  }),
);
const index = indexDescriptors([registry.getService("a.Serve")!]);

describe("an index of descriptors", () => {
  test("gives a file and all that it imports, itself first and each once", () => {
    const files = index.serialiseWithImports(index.fileByName("a.proto")!);
    const names = files.map((bytes) => fromBinary(FileDescriptorProtoSchema, bytes).name);
    expect(names).toEqual(["a.proto", "b.proto", "google/protobuf/descriptor.proto"]);
  });

  test("finds what imported files declare", () => {
    expect(index.fileBySymbol("b.Inner")?.proto.name).toBe("b.proto");
    expect(index.fileBySymbol("b.unit_70000")?.proto.name).toBe("b.proto");
    const enumValue = "google.protobuf.FieldDescriptorProto.TYPE_DOUBLE";
    expect(index.fileBySymbol(enumValue)?.proto.name).toBe("google/protobuf/descriptor.proto");
    expect(index.fileBySymbol("a.Serve.Do")?.proto.name).toBe("a.proto");
    expect(index.fileBySymbol("a.Serve.Undo")).toBeUndefined();
  });

  test("finds extensions by number, and lists the numbers in order", () => {
    expect(index.fileByExtension("google.protobuf.FieldOptions", 70_001)?.proto.name).toBe("b.proto");
    expect(index.fileByExtension("google.protobuf.FieldOptions", 1)).toBeUndefined();
    expect(index.extensionNumbers("google.protobuf.FieldOptions")).toEqual([70_000, 70_001]);
    expect(index.extensionNumbers("a.Outer")).toEqual([]);
    expect(index.extensionNumbers("a.Nothing")).toBeUndefined();
  });
});
