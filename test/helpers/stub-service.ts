import { create, type DescMessage, type JsonValue, type Message, toJson } from "@bufbuild/protobuf";
import { DecisionService } from "../../src/gen/switchyard/v1/decision_pb.js";
import { OverrideService } from "../../src/gen/switchyard/v1/override_pb.js";
import { PlayerService } from "../../src/gen/switchyard/v1/player_pb.js";
import { PspService } from "../../src/gen/switchyard/v1/psp_pb.js";
import { RuleSetService } from "../../src/gen/switchyard/v1/rule_set_service_pb.js";
import { adminLimits } from "../../src/rpc/listeners.ts";
import { startAdminServer } from "../../src/wire/admin-server.ts";
import { startGrpcJsGateway } from "../../src/wire/grpc-js-gateway.ts";
import { type CallInfo, implementService, type ServiceImplementation } from "../../src/wire/transport.ts";

/** A call that the stub was sent, in the JSON mapping of protobuf. */
type StubCall = {
  readonly door: CallInfo["door"];
  readonly method: string;
  readonly request: JsonValue;
};

/** Makes the answer of a method, or throws the error of the call. */
type Answer = (request: Message) => Message;

/** Both doors of a service that keeps what it is asked, and answers what it is told to; an empty message by default. */
export type StubService = {
  readonly admin: string;
  readonly gateway: string;
  readonly calls: StubCall[];
  readonly answers: Map<string, Answer>;
  readonly stop: () => Promise<void>;
};

const services = [DecisionService, RuleSetService, OverrideService, PspService, PlayerService];

export async function startStubService(): Promise<StubService> {
  const calls: StubCall[] = [];
  const answers = new Map<string, Answer>();
  const implementations = services.map((service): ServiceImplementation => {
    const handlers = service.methods.map((method) => {
      const handle = (request: Message, call: CallInfo): Message => {
        calls.push({
          door: call.door,
          method: method.name,
          request: toJson(method.input as DescMessage, request),
        });
        return answers.get(method.name)?.(request) ?? create(method.output as DescMessage);
      };
      const isStream = method.methodKind === "server_streaming";
      return [method.localName, isStream ? makeStream(handle) : handle] as const;
    });
    return implementService(service, Object.fromEntries(handlers));
  });
  const onError = (): void => {};
  const admin = await startAdminServer({
    port: 0,
    services: implementations,
    onError,
    limits: adminLimits,
  });
  const gateway = await startGrpcJsGateway({ port: 0, services: implementations.slice(0, 1), onError });
  return {
    admin: `http://127.0.0.1:${admin.port}`,
    gateway: `127.0.0.1:${gateway.port}`,
    calls,
    answers,
    stop: async () => void (await Promise.all([admin.stop(1_000), gateway.stop(1_000)])),
  };
}

function makeStream(handle: (request: Message, call: CallInfo) => Message) {
  return async function* (request: Message, call: CallInfo): AsyncGenerator<Message> {
    yield handle(request, call);
  };
}
