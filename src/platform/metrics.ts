import { monitorEventLoopDelay } from "node:perf_hooks";
import { Counter, Gauge, Histogram, Registry } from "prom-client";

/** Bounds of the latency histogram in seconds: from 5 us, because a decision takes microseconds. */
const latencyBuckets = [
  0.000_005, 0.000_01, 0.000_025, 0.000_05, 0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025,
  0.1, 1,
];
const loopDelayResolutionMs = 10;

/** `part` is psp, method or three_ds; `method` is empty but for the second. */
export type BreakerLabels = { merchant: string; psp: string; part: string; method: string };

/** What Prometheus reads at /metrics. Labels are closed sets, never ids of players or payments. */
export class Metrics {
  readonly registry = new Registry();
  readonly #loopDelay = monitorEventLoopDelay({ resolution: loopDelayResolutionMs });
  readonly #decisions: Counter<"merchant" | "verdict" | "mode" | "replayed">;
  readonly #events: Counter<"merchant" | "verdict">;
  readonly #outcomes: Counter<"merchant" | "result" | "verdict">;
  readonly #alerts: Counter<"merchant" | "code">;
  readonly #failures: Counter<"method" | "code">;
  readonly #breakerTransitions: Counter<"merchant" | "psp" | "part" | "method" | "to">;
  readonly #probes: Counter<"merchant" | "psp" | "fate">;
  readonly #seconds: Histogram<"door">;
  readonly #ruleSetVersion: Gauge<"merchant">;

  constructor() {
    const registers = [this.registry];
    this.#decisions = new Counter({
      name: "switchyard_decisions_total",
      help: "Decisions by merchant, verdict and mode; replayed ones are stored answers that were given again.",
      labelNames: ["merchant", "verdict", "mode", "replayed"],
      registers,
    });
    this.#events = new Counter({
      name: "switchyard_events_total",
      help: "Events, by what became of them.",
      labelNames: ["merchant", "verdict"],
      registers,
    });
    this.#outcomes = new Counter({
      name: "switchyard_outcomes_total",
      help: "Reported outcomes, by result and by what became of the report.",
      labelNames: ["merchant", "result", "verdict"],
      registers,
    });
    this.#alerts = new Counter({
      name: "switchyard_outcome_alerts_total",
      help: "Alerts in answers to reported outcomes, repeats included, by code.",
      labelNames: ["merchant", "code"],
      registers,
    });
    this.#failures = new Counter({
      name: "switchyard_errors_total",
      help: "Calls that their handler refused or failed, by method and gRPC code; refused payments are answers.",
      labelNames: ["method", "code"],
      registers,
    });
    this.#breakerTransitions = new Counter({
      name: "switchyard_psp_breaker_transitions_total",
      help: "Changes of breakers, by the state that they changed to.",
      labelNames: ["merchant", "psp", "part", "method", "to"],
      registers,
    });
    this.#probes = new Counter({
      name: "switchyard_psp_probes_total",
      help: "Probes of half-open breakers: leased ones, and what became of them.",
      labelNames: ["merchant", "psp", "fate"],
      registers,
    });
    this.#seconds = new Histogram({
      name: "switchyard_decide_duration_seconds",
      help: "Time from a decoded request to an encoded answer, the write to the store included.",
      labelNames: ["door"],
      buckets: latencyBuckets,
      registers,
    });
    this.#ruleSetVersion = new Gauge({
      name: "switchyard_rule_set_version",
      help: "Active version of the rule set; 0 where there is none.",
      labelNames: ["merchant"],
      registers,
    });
    this.#loopDelay.enable();
    this.#addLoopDelay();
    this.#addMemory();
  }

  countDecision(labels: { merchant: string; verdict: string; mode: string; replayed: boolean }): void {
    this.#decisions.inc({ ...labels, replayed: String(labels.replayed) });
  }

  countEvents(merchant: string, verdicts: ReadonlyMap<string, number>): void {
    for (const [verdict, count] of verdicts) this.#events.inc({ merchant, verdict }, count);
  }

  countOutcome(labels: { merchant: string; result: string; verdict: string }): void {
    this.#outcomes.inc(labels);
  }

  countAlert(labels: { merchant: string; code: string }): void {
    this.#alerts.inc(labels);
  }

  countBreakerTransition(labels: BreakerLabels & { to: string }): void {
    this.#breakerTransitions.inc(labels);
  }

  countProbe(labels: { merchant: string; psp: string; fate: string }): void {
    this.#probes.inc(labels);
  }

  /** Registers the states of breakers, which are read when Prometheus asks: PSPs that left the rule set are gone at once. */
  addBreakerStates(read: () => Iterable<{ readonly labels: BreakerLabels; readonly value: number }>): void {
    const gauge: Gauge<"merchant" | "psp" | "part" | "method"> = new Gauge({
      name: "switchyard_psp_breaker_state",
      help: "State of each breaker of a PSP, a method or its 3DS: 0 closed, 1 half-open, 2 open.",
      labelNames: ["merchant", "psp", "part", "method"],
      registers: [this.registry],
      collect: () => {
        gauge.reset();
        for (const { labels, value } of read()) gauge.set(labels, value);
      },
    });
  }

  countFailure(method: string, code: string): void {
    this.#failures.inc({ method, code });
  }

  observeDecide(door: string, seconds: number): void {
    this.#seconds.observe({ door }, seconds);
  }

  setRuleSetVersion(merchant: string, version: number): void {
    this.#ruleSetVersion.set({ merchant }, version);
  }

  /** Registers a gauge that is read when Prometheus asks. */
  addGauge(name: string, help: string, read: () => number): void {
    const gauge: Gauge = new Gauge({
      name,
      help,
      registers: [this.registry],
      collect: () => gauge.set(read()),
    });
  }

  /** The page at /metrics. */
  render(): Promise<string> {
    return this.registry.metrics();
  }

  close(): void {
    this.#loopDelay.disable();
  }

  /** Delay of the event loop since the last scrape, beyond the sampling interval itself. */
  #addLoopDelay(): void {
    const delay = this.#loopDelay;
    const gauge: Gauge<"quantile"> = new Gauge({
      name: "switchyard_event_loop_delay_seconds",
      help: "Delay of the event loop since the last scrape.",
      labelNames: ["quantile"],
      registers: [this.registry],
      collect: () => {
        const seconds = (nanoseconds: number): number =>
          Math.max(0, nanoseconds / 1e9 - loopDelayResolutionMs / 1e3);
        gauge.set({ quantile: "0.5" }, seconds(delay.percentile(50)));
        gauge.set({ quantile: "0.99" }, seconds(delay.percentile(99)));
        gauge.set({ quantile: "1" }, seconds(delay.max));
        delay.reset();
      },
    });
  }

  #addMemory(): void {
    this.addGauge("process_resident_memory_bytes", "Resident memory.", () => process.memoryUsage.rss());
    this.addGauge("nodejs_heap_size_used_bytes", "Used heap.", () => process.memoryUsage().heapUsed);
  }
}
