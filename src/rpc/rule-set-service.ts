import { create, type MessageInitShape } from "@bufbuild/protobuf";
import type { DocumentFault } from "../core/rules/compilation.ts";
import type { DocumentFaultSchema } from "../gen/switchyard/v1/fault_pb.js";
import {
  ActivateRequestSchema,
  ActivateResponseSchema,
  DiffRequestSchema,
  DiffResponseSchema,
  type Document,
  GetRequestSchema,
  GetResponseSchema,
  ListRequestSchema,
  ListResponseSchema,
  PushRequestSchema,
  PushResponseSchema,
  RollbackRequestSchema,
  RuleSetService,
  SimulateRequestSchema,
  SimulateResponseSchema,
  ValidateRequestSchema,
  ValidateResponseSchema,
  WatchActiveRequestSchema,
  type WatchActiveResponse,
  WatchActiveResponseSchema,
} from "../gen/switchyard/v1/rule_set_service_pb.js";
import type { ActiveRules } from "../manage/active-rules.ts";
import type { Merchants } from "../manage/merchants.ts";
import type { Activated, DocumentInput, RuleSets } from "../manage/rule-sets.ts";
import type { CallInfo, ServiceImplementation } from "../wire/transport.ts";
import { implementService } from "../wire/transport.ts";
import {
  decodeFormat,
  encodeChange,
  encodeDocumentFault,
  encodeFormat,
  encodeVersion,
} from "./codec/encode-rule-sets.ts";
import type { FieldChecks } from "./codec/field-checks.ts";
import { encodeInstant } from "./codec/time.ts";
import { checkRequest, decodeVersion, resolveMerchant, unwrap } from "./request-fields.ts";
import type { Simulate } from "./simulate.ts";

const documentBytesMax = 32 * 1024 * 1024;
const faultsMax = 200;
const pageSizeDefault = 100;
const pageSizeMax = 1_000;
const differencesMax = 1_000;
const differenceFieldsMax = 100;
const simulatedPaymentsMax = 1_000;
const commentMax = 1_024;

export type RuleSetServiceDeps = {
  readonly merchants: Merchants;
  readonly ruleSets: RuleSets;
  readonly active: ActiveRules;
  readonly simulate: Simulate;
};

/** The life of rule sets, for admins. */
export function makeRuleSetService(deps: RuleSetServiceDeps): ServiceImplementation {
  const { merchants, ruleSets } = deps;
  return implementService(RuleSetService, {
    async validate(request) {
      const merchantId = resolveMerchant(merchants, request.merchantId);
      const document = checkRequest(ValidateRequestSchema, request, (checks) =>
        decodeDocument(checks, request.document),
      );
      const { faults, faultsOmitted, hash, ruleCount } = await ruleSets.validate(merchantId, document);
      return create(ValidateResponseSchema, {
        valid: hash !== "",
        faults: encodeFaults(faults),
        faultsOmitted,
        hash,
        ruleCount,
      });
    },

    async push(request) {
      const merchantId = resolveMerchant(merchants, request.merchantId);
      const input = checkRequest(PushRequestSchema, request, (checks) => ({
        ...decodeDocument(checks, request.document),
        baseVersion:
          request.baseVersion === undefined
            ? undefined
            : decodeVersion(checks, "base_version", request.baseVersion),
        author: checks.required("author", request.author),
        comment: checks.prose("comment", request.comment, commentMax),
      }));
      const { activate, confirmLoosening, allowOrphans } = request;
      const pushed = unwrap(
        await ruleSets.push({ merchantId, ...input, activate, confirmLoosening, allowOrphans }),
      );
      return create(PushResponseSchema, {
        version: encodeVersion(pushed.ruleSet, ruleSets.activeVersion(merchantId)),
        warnings: encodeFaults(pushed.compilation.faults),
      });
    },

    list(request) {
      const merchantId = resolveMerchant(merchants, request.merchantId);
      const { pageSize, before } = checkRequest(ListRequestSchema, request, (checks) => ({
        pageSize: decodePageSize(checks, request.pageSize),
        before: decodeVersion(checks, "before_version", request.beforeVersion) || Infinity,
      }));
      const activeVersion = ruleSets.activeVersion(merchantId);
      const all = ruleSets.list(merchantId);
      const page = all.filter(({ version }) => version < before).slice(0, pageSize);
      return create(ListResponseSchema, {
        versions: page.map((ruleSet) => encodeVersion(ruleSet, activeVersion)),
        newestVersion: BigInt(all[0]?.version ?? 0),
        activeVersion: BigInt(activeVersion),
      });
    },

    get(request) {
      const merchantId = resolveMerchant(merchants, request.merchantId);
      const version = checkRequest(GetRequestSchema, request, (checks) =>
        decodeVersion(checks, "version", request.version),
      );
      const { ruleSet, document, format } = unwrap(ruleSets.get(merchantId, version));
      return create(GetResponseSchema, {
        version: encodeVersion(ruleSet, ruleSets.activeVersion(merchantId)),
        document: { content: document, format: encodeFormat(format) },
      });
    },

    async diff(request) {
      const merchantId = resolveMerchant(merchants, request.merchantId);
      const { from, target } = checkRequest(DiffRequestSchema, request, (checks) => ({
        from: decodeVersion(checks, "from_version", request.fromVersion),
        target:
          request.document === undefined
            ? { version: decodeVersion(checks, "to_version", request.toVersion) }
            : decodeDocument(checks, request.document),
      }));
      const { changes, fromVersion, toVersion } = unwrap(await ruleSets.diff(merchantId, from, target));
      const listed = changes.slice(0, differencesMax).map((change) => ({
        ...change,
        fields: change.fields.slice(0, differenceFieldsMax),
      }));
      return create(DiffResponseSchema, {
        differences: listed.map(encodeChange),
        omitted: changes.length - listed.length,
        fromVersion: BigInt(fromVersion),
        toVersion: BigInt(toVersion),
      });
    },

    async activate(request) {
      const merchantId = resolveMerchant(merchants, request.merchantId);
      const input = checkRequest(ActivateRequestSchema, request, (checks) => ({
        version: decodeVersion(checks, "version", request.version),
        ...decodeChange(checks, request),
      }));
      return encodeActivated(unwrap(await ruleSets.activate({ merchantId, ...input })));
    },

    async rollback(request) {
      const merchantId = resolveMerchant(merchants, request.merchantId);
      const input = checkRequest(RollbackRequestSchema, request, (checks) => decodeChange(checks, request));
      return encodeActivated(unwrap(await ruleSets.rollback({ merchantId, ...input })));
    },

    async simulate(request, call) {
      const merchantId = resolveMerchant(merchants, request.merchantId);
      const target = checkRequest(SimulateRequestSchema, request, (checks) => {
        if (request.payments.length === 0)
          checks.note("payments", "required", "payments must hold at least one payment");
        checks.count("payments", request.payments.length, simulatedPaymentsMax);
        if (request.document !== undefined) return decodeDocument(checks, request.document);
        const version = decodeVersion(checks, "version", request.version);
        if (version === 0) checks.note("document", "required", "a document or a version is required");
        return { version };
      });
      const draft = unwrap(await ruleSets.draft(merchantId, target));
      const results = await deps.simulate({ merchantId, draft, payments: request.payments, door: call.door });
      const changed = results.filter(
        (result) => result.changed !== undefined && result.changed.length > 0,
      ).length;
      return create(SimulateResponseSchema, { results: [...results], changed });
    },

    watchActive(request, call) {
      const merchantId = resolveMerchant(merchants, request.merchantId);
      checkRequest(WatchActiveRequestSchema, request, () => undefined);
      return watchActive(deps, merchantId, call);
    },
  });
}

/** Tells the active version at once, then every other one. Versions that pass while the caller is slow are skipped: the newest is told. */
async function* watchActive(
  { active, ruleSets }: RuleSetServiceDeps,
  merchantId: string,
  call: CallInfo,
): AsyncGenerator<WatchActiveResponse> {
  const signal = call.signal();
  let wake = (): void => {};
  let told: number | undefined;
  const stopWatching = active.watch(merchantId, () => wake());
  const onAbort = (): void => wake();
  signal.addEventListener("abort", onAbort);
  try {
    while (!signal.aborted) {
      const current = active.current(merchantId);
      const version = current?.snapshot.version ?? 0;
      if (version !== told) {
        told = version;
        yield encodeActive();
        continue;
      }
      await new Promise<void>((resolve) => {
        wake = resolve;
        if (signal.aborted) resolve();
      });
    }
  } finally {
    stopWatching();
    signal.removeEventListener("abort", onAbort);
  }

  function encodeActive(): WatchActiveResponse {
    const current = active.current(merchantId);
    if (current === undefined) return create(WatchActiveResponseSchema);
    const { version } = current.snapshot;
    const { ruleSet } = unwrap(ruleSets.get(merchantId, version));
    return create(WatchActiveResponseSchema, {
      version: encodeVersion(ruleSet, version),
      activeSince: encodeInstant(current.activeSinceMs),
    });
  }
}

function decodeDocument(checks: FieldChecks, document: Document | undefined): DocumentInput {
  const content = document?.content ?? new Uint8Array();
  if (content.length === 0) checks.note("document.content", "required", "document.content is required");
  if (content.length > documentBytesMax) {
    checks.note(
      "document.content",
      "too-long",
      `document.content has ${content.length} bytes, at most ${documentBytesMax} are allowed`,
    );
  }
  const format = document === undefined ? "YAML" : decodeFormat(document.format);
  if (format === undefined)
    checks.note("document.format", "unknown-enum-value", `document.format has no value ${document?.format}`);
  return { document: content, format: format ?? "YAML" };
}

function decodePageSize(checks: FieldChecks, pageSize: number): number {
  if (pageSize >= 0 && pageSize <= pageSizeMax) return pageSize || pageSizeDefault;
  checks.note("page_size", "out-of-range", `page_size must be between 1 and ${pageSizeMax}`);
  return pageSizeDefault;
}

function decodeChange(
  checks: FieldChecks,
  request: {
    readonly expectedActiveVersion?: bigint | undefined;
    readonly author: string;
    readonly confirmLoosening: boolean;
    readonly allowOrphans: boolean;
  },
) {
  const { expectedActiveVersion: expected, confirmLoosening, allowOrphans } = request;
  return {
    expectedActiveVersion:
      expected === undefined ? undefined : decodeVersion(checks, "expected_active_version", expected),
    author: checks.required("author", request.author),
    confirmLoosening,
    allowOrphans,
  };
}

function encodeActivated({ ruleSet, previousVersion, orphanedOverrides }: Activated) {
  return create(ActivateResponseSchema, {
    version: encodeVersion(ruleSet, ruleSet.version),
    previousVersion: BigInt(previousVersion),
    orphanedOverrides: [...orphanedOverrides],
  });
}

function encodeFaults(faults: readonly DocumentFault[]): MessageInitShape<typeof DocumentFaultSchema>[] {
  return faults.slice(0, faultsMax).map(encodeDocumentFault);
}
