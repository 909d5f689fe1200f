import type { DescEnum, DescExtension, DescFile, DescMessage, DescService } from "@bufbuild/protobuf";
import { toBinary } from "@bufbuild/protobuf";
import { FileDescriptorProtoSchema } from "@bufbuild/protobuf/wkt";

/** Everything that is declared in the files behind some services, found by name. */
export interface DescriptorIndex {
  /** A file by its name, such as "switchyard/v1/decision.proto". */
  fileByName(name: string): DescFile | undefined;
  /** The file that declares a service, method, message, field, enum, enum value or extension, by its full name. */
  fileBySymbol(symbol: string): DescFile | undefined;
  fileByExtension(extendee: string, number: number): DescFile | undefined;
  /** The numbers of a message's extensions, ascending; undefined where the message is unknown. */
  extensionNumbers(extendee: string): readonly number[] | undefined;
  /** A file and all that it imports, transitively, itself first; each serialised once and kept. */
  serialiseWithImports(file: DescFile): readonly Uint8Array[];
}

/** Indexes the files of some services and what they import. Descriptors come out of the generated code: no artefact. */
export function indexDescriptors(services: readonly DescService[]): DescriptorIndex {
  const files = collectFiles(services.map((service) => service.file));
  const bySymbol = new Map<string, DescFile>();
  const messages = new Set<string>();
  const extensions = new Map<string, Map<number, DescFile>>();

  function addMessage(file: DescFile, message: DescMessage): void {
    bySymbol.set(message.typeName, file);
    messages.add(message.typeName);
    for (const { name } of [...message.fields, ...message.oneofs])
      bySymbol.set(`${message.typeName}.${name}`, file);
    for (const nested of message.nestedMessages) addMessage(file, nested);
    for (const nested of message.nestedEnums) addEnum(file, nested);
    for (const nested of message.nestedExtensions) addExtension(file, nested);
  }

  function addEnum(file: DescFile, desc: DescEnum): void {
    bySymbol.set(desc.typeName, file);
    // Values live beside their enum, not in it.
    const scope = desc.parent?.typeName ?? file.proto.package;
    for (const { name } of desc.values) bySymbol.set(scope === "" ? name : `${scope}.${name}`, file);
  }

  function addExtension(file: DescFile, extension: DescExtension): void {
    bySymbol.set(extension.typeName, file);
    const extendee = extension.extendee.typeName;
    const numbers = extensions.get(extendee) ?? new Map<number, DescFile>();
    extensions.set(extendee, numbers.set(extension.number, file));
  }

  for (const file of files) {
    for (const message of file.messages) addMessage(file, message);
    for (const desc of file.enums) addEnum(file, desc);
    for (const extension of file.extensions) addExtension(file, extension);
    for (const service of file.services) {
      bySymbol.set(service.typeName, file);
      for (const { name } of service.methods) bySymbol.set(`${service.typeName}.${name}`, file);
    }
  }

  const byName = new Map(files.map((file) => [file.proto.name, file]));
  const serialised = new Map<DescFile, Uint8Array>();
  function serialise(file: DescFile): Uint8Array {
    const bytes = serialised.get(file) ?? toBinary(FileDescriptorProtoSchema, file.proto);
    serialised.set(file, bytes);
    return bytes;
  }

  return {
    fileByName: (name) => byName.get(name),
    fileBySymbol: (symbol) => bySymbol.get(symbol),
    fileByExtension: (extendee, number) => extensions.get(extendee)?.get(number),
    extensionNumbers(extendee) {
      if (!messages.has(extendee)) return undefined;
      return [...(extensions.get(extendee)?.keys() ?? [])].sort((a, b) => a - b);
    },
    serialiseWithImports: (file) => collectFiles([file]).map(serialise),
  };
}

/** Files and all that they import, each once, in the order in which they are first met. */
function collectFiles(roots: readonly DescFile[]): readonly DescFile[] {
  const met = new Set<DescFile>();
  const visit = (file: DescFile) => {
    if (met.has(file)) return;
    met.add(file);
    file.dependencies.forEach(visit);
  };
  roots.forEach(visit);
  return [...met];
}
