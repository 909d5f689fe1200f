import type { Frame } from "../../cel/expr.ts";
import type { IndexImage } from "./image.ts";
import { CALLS_MAX, FALSE, lookUp, TRUE, UNKNOWN } from "./truth.ts";

/** The tests of segments and lists that survivors still have to pass; each is made at most once per call. */
export class Checks {
  readonly #starts: Int32Array;
  readonly #checks: Int32Array;
  readonly #tests: Int32Array;
  /** Truth of each test, valid where its stamp is that of the call. */
  readonly #truths: Uint8Array;
  readonly #stamps: Int32Array;
  #call = 0;

  constructor(image: IndexImage) {
    this.#starts = image.checkStarts;
    this.#checks = image.checks;
    this.#tests = image.tests;
    this.#truths = new Uint8Array(image.tests.length / 2);
    this.#stamps = new Int32Array(image.tests.length / 2);
  }

  /** Forgets what the call before found. */
  start(): void {
    this.#call++;
    if (this.#call === CALLS_MAX) {
      this.#stamps.fill(0);
      this.#call = 1;
    }
  }

  /** Kleene conjunction of the checks of one position. */
  judge(frame: Frame, position: number): number {
    const end = this.#starts[position + 1]!;
    let result = TRUE;
    for (let i = this.#starts[position]!; i < end; i++) {
      const check = this.#checks[i]!;
      const truth = this.#test(frame, check >>> 1);
      if (truth === UNKNOWN) {
        result = UNKNOWN;
      } else if (truth !== (check & 1)) {
        return FALSE;
      }
    }
    return result;
  }

  #test(frame: Frame, test: number): number {
    if (this.#stamps[test] !== this.#call) {
      const slot = this.#tests[2 * test]!;
      const target = this.#tests[2 * test + 1]!;
      this.#truths[test] = slot === -1 ? frame.segments[target]! : lookUp(frame, slot, target);
      this.#stamps[test] = this.#call;
    }
    return this.#truths[test]!;
  }
}
