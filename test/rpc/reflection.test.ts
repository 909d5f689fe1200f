/** Asks both doors what they serve, with buf, as a newcomer would, and with a client, as the protocol says. */
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { fromBinary, type MessageInitShape } from "@bufbuild/protobuf";
import { FileDescriptorProtoSchema } from "@bufbuild/protobuf/wkt";
import { Code, createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  ServerReflection,
  type ServerReflectionRequestSchema,
  type ServerReflectionResponse,
} from "../../src/gen/grpc/reflection/v1/reflection_pb.js";
import { ServerReflection as ServerReflectionV1Alpha } from "../../src/gen/grpc/reflection/v1alpha/reflection_pb.js";
import { createHealth } from "../../src/rpc/health-service.ts";
import { createReflection } from "../../src/rpc/reflection.ts";
import { startAdminServer } from "../../src/wire/admin-server.ts";
import { startGrpcJsGateway } from "../../src/wire/grpc-js-gateway.ts";
import { implementService, type Listener } from "../../src/wire/transport.ts";
import { Echo } from "../helpers/echo-service.ts";

const buf = fileURLToPath(new URL("../../node_modules/.bin/buf", import.meta.url));

describe.each([
  { door: "gateway", start: startGrpcJsGateway },
  { door: "admin", start: startAdminServer },
])("reflection at the $door door", ({ start }) => {
  let listener: Listener;
  let baseUrl: string;
  beforeAll(async () => {
    const health = createHealth([]);
    health.setServing(true);
    const services = [health.service, implementService(Echo, { say: (request) => request })];
    const reflection = createReflection(services.map(({ service }) => service));
    listener = await start({
      port: 0,
      services: [...services, ...reflection],
      onError: () => expect.unreachable(),
    });
    baseUrl = `http://127.0.0.1:${listener.port}`;
  });
  afterAll(() => listener.stop(1000));

  async function runBuf(...args: string[]): Promise<string> {
    const all = ["curl", "--http2-prior-knowledge", "--protocol", "grpc", ...args];
    return (await promisify(execFile)(buf, all)).stdout;
  }

  test("lets buf list the methods", async () => {
    expect((await runBuf("--list-methods", baseUrl)).trim().split("\n")).toEqual([
      "grpc.health.v1.Health/Check",
      "grpc.health.v1.Health/List",
      "grpc.health.v1.Health/Watch",
      "grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
      "grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
      "test.echo.v1.Echo/Chat",
      "test.echo.v1.Echo/Count",
      "test.echo.v1.Echo/Join",
      "test.echo.v1.Echo/Say",
    ]);
  });

  test.each(["grpc-v1", "grpc-v1alpha"])("lets buf make a call by %s", async (version) => {
    const call = ["--reflect-protocol", version, "-d", "{}", `${baseUrl}/grpc.health.v1.Health/Check`];
    expect(JSON.parse(await runBuf(...call))).toEqual({ status: "SERVING" });
    const body = { text: "é", notes: { a: { mood: "MOOD_GOOD" } } };
    const echo = [
      "--reflect-protocol",
      version,
      "-d",
      JSON.stringify(body),
      `${baseUrl}/test.echo.v1.Echo/Say`,
    ];
    expect(JSON.parse(await runBuf(...echo))).toEqual(body);
  });

  type Question = NonNullable<MessageInitShape<typeof ServerReflectionRequestSchema>["messageRequest"]>;

  async function ask(...questions: Question[]): Promise<ServerReflectionResponse[]> {
    const client = createClient(ServerReflection, createGrpcTransport({ baseUrl }));
    async function* requests() {
      for (const messageRequest of questions) yield { host: "here", messageRequest };
    }
    return Array.fromAsync(client.serverReflectionInfo(requests()));
  }

  function listFiles({ messageResponse }: ServerReflectionResponse): readonly string[] {
    if (messageResponse.case !== "fileDescriptorResponse") return expect.unreachable();
    return messageResponse.value.fileDescriptorProto.map(
      (bytes) => fromBinary(FileDescriptorProtoSchema, bytes).name,
    );
  }

  const symbols = [
    "test.echo.v1.Echo",
    "test.echo.v1.Echo.Say",
    "test.echo.v1.Note",
    "test.echo.v1.Note.text",
    "test.echo.v1.Mood",
    "test.echo.v1.MOOD_GOOD",
  ];
  test.each(symbols)("finds the file of %s", async (value) => {
    const [answer] = await ask({ case: "fileContainingSymbol", value });
    expect(listFiles(answer!)).toEqual(["test/echo/v1/echo.proto"]);
  });

  test("finds a file by its name, and repeats host and question", async () => {
    const question: Question = { case: "fileByFilename", value: "grpc/health/v1/health.proto" };
    const [answer] = await ask(question);
    expect(listFiles(answer!)).toEqual(["grpc/health/v1/health.proto"]);
    expect(answer?.validHost).toBe("here");
    expect(answer?.originalRequest).toMatchObject({ host: "here", messageRequest: question });
  });

  const failing: { name: string; question: Question; code: Code }[] = [
    { name: "file", question: { case: "fileByFilename", value: "no.proto" }, code: Code.NotFound },
    { name: "symbol", question: { case: "fileContainingSymbol", value: "no.Such" }, code: Code.NotFound },
    {
      name: "extension",
      question: {
        case: "fileContainingExtension",
        value: { containingType: "test.echo.v1.Note", extensionNumber: 1 },
      },
      code: Code.NotFound,
    },
    { name: "type", question: { case: "allExtensionNumbersOfType", value: "no.Such" }, code: Code.NotFound },
    { name: "question", question: { case: undefined }, code: Code.InvalidArgument },
  ];
  test.each(failing)(
    "answers an unknown $name with an error, and the stream goes on",
    async ({ question, code }) => {
      const [error, next] = await ask(question, {
        case: "allExtensionNumbersOfType",
        value: "test.echo.v1.Note",
      });
      expect(error?.messageResponse).toMatchObject({ case: "errorResponse", value: { errorCode: code } });
      expect(next?.messageResponse).toMatchObject({
        case: "allExtensionNumbersResponse",
        value: { baseTypeName: "test.echo.v1.Note", extensionNumber: [] },
      });
    },
  );

  test("lists the same services in both versions", async () => {
    const [answer] = await ask({ case: "listServices", value: "" });
    const client = createClient(ServerReflectionV1Alpha, createGrpcTransport({ baseUrl }));
    async function* requests() {
      yield { messageRequest: { case: "listServices" as const, value: "*" } };
    }
    const [older] = await Array.fromAsync(client.serverReflectionInfo(requests()));
    const names = [
      "grpc.health.v1.Health",
      "grpc.reflection.v1.ServerReflection",
      "grpc.reflection.v1alpha.ServerReflection",
      "test.echo.v1.Echo",
    ];
    const list = { case: "listServicesResponse", value: { service: names.map((name) => ({ name })) } };
    expect(answer?.messageResponse).toMatchObject(list);
    expect(older?.messageResponse).toMatchObject(list);
  });
});
