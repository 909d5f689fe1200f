import { create, type DescFile, type DescService } from "@bufbuild/protobuf";
import { Code } from "@connectrpc/connect";
import {
  type ServerReflectionRequest,
  ServerReflectionResponseSchema,
  ServerReflection as ServerReflectionV1,
} from "../gen/grpc/reflection/v1/reflection_pb.js";
import {
  ServerReflectionResponseSchema as ServerReflectionResponseV1AlphaSchema,
  ServerReflection as ServerReflectionV1Alpha,
} from "../gen/grpc/reflection/v1alpha/reflection_pb.js";
import { implementService, type ServiceImplementation } from "../wire/transport.ts";
import { type DescriptorIndex, indexDescriptors } from "./descriptor-index.ts";

/**
 * The standard reflection service for the services of one door, in both versions that clients speak, v1 and v1alpha.
 * It lists the given services and itself.
 *
 * Fails: what is not found, or not asked properly, is an error response inside the stream, which goes on.
 * Source: proto/grpc/reflection
 */
export function createReflection(services: readonly DescService[]): readonly ServiceImplementation[] {
  const listed = [...services, ServerReflectionV1, ServerReflectionV1Alpha];
  const index = indexDescriptors(listed);
  const names = listed.map((service) => service.typeName).sort();
  return [
    implementService(ServerReflectionV1, {
      async *serverReflectionInfo(requests) {
        for await (const request of requests) {
          const messageResponse = answerRequest(request.messageRequest, index, names);
          const { host: validHost } = request;
          yield create(ServerReflectionResponseSchema, {
            validHost,
            originalRequest: request,
            messageResponse,
          });
        }
      },
    }),
    implementService(ServerReflectionV1Alpha, {
      async *serverReflectionInfo(requests) {
        for await (const request of requests) {
          const messageResponse = answerRequest(request.messageRequest, index, names);
          const { host: validHost } = request;
          yield create(ServerReflectionResponseV1AlphaSchema, {
            validHost,
            originalRequest: request,
            messageResponse,
          });
        }
      },
    }),
  ];
}

/** What is asked, without the message types, which are all that the two versions differ in. */
type Question =
  | Exclude<ServerReflectionRequest["messageRequest"], { case: "fileContainingExtension" }>
  | {
      case: "fileContainingExtension";
      value: { readonly containingType: string; readonly extensionNumber: number };
    };

function answerRequest(question: Question, index: DescriptorIndex, serviceNames: readonly string[]) {
  switch (question.case) {
    case "fileByFilename":
      return answerFile(index, index.fileByName(question.value), "file");
    case "fileContainingSymbol":
      return answerFile(index, index.fileBySymbol(question.value), "symbol");
    case "fileContainingExtension": {
      const { containingType, extensionNumber } = question.value;
      return answerFile(index, index.fileByExtension(containingType, extensionNumber), "extension");
    }
    case "allExtensionNumbersOfType":
      return answerExtensionNumbers(index, question.value);
    case "listServices":
      return {
        case: "listServicesResponse" as const,
        value: { service: serviceNames.map((name) => ({ name })) },
      };
    case undefined:
      return answerError(Code.InvalidArgument, "message_request is missing");
  }
}

function answerFile(index: DescriptorIndex, file: DescFile | undefined, what: string) {
  if (file === undefined) return answerError(Code.NotFound, `unknown ${what}`);
  const fileDescriptorProto = [...index.serialiseWithImports(file)];
  return { case: "fileDescriptorResponse" as const, value: { fileDescriptorProto } };
}

function answerExtensionNumbers(index: DescriptorIndex, baseTypeName: string) {
  const numbers = index.extensionNumbers(baseTypeName);
  if (numbers === undefined) return answerError(Code.NotFound, "unknown type");
  const value = { baseTypeName, extensionNumber: [...numbers] };
  return { case: "allExtensionNumbersResponse" as const, value };
}

function answerError(errorCode: Code, errorMessage: string) {
  return { case: "errorResponse" as const, value: { errorCode, errorMessage } };
}
