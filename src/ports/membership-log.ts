/** A player entered or left a segment. Instants are ms since the epoch. */
export type MembershipChange = {
  readonly playerId: string;
  readonly segment: string;
  readonly kind: "ENTER" | "EXIT" | "CORRECTION_ENTER" | "CORRECTION_EXIT";
  readonly atMs: number;
  /** Public code of what forbids to contact the player; empty where nothing does. */
  readonly suppressedBy: string;
  readonly ruleSetVersion: number;
};

export type NumberedChange = MembershipChange & { readonly sequence: number };

/** What is remembered of a player between two looks: which segments they are in, and up to when that was told. */
export type MembershipState = {
  /** Hash of the rule set that told it. */
  readonly ruleSetHash: string;
  /** Ids of segments with the instant of entry. */
  readonly memberSince: ReadonlyMap<string, number>;
  readonly toldUpToMs: number;
  /** Rows of the player's history when it was told: another number after a restart tells of events that were taken in and not looked at. */
  readonly rowsSeen: number;
  /** Public code of what forbade to contact the player when it was told last; empty where nothing did. */
  readonly suppressedBy: string;
  /** When to look again if no event comes; Infinity where never. */
  readonly nextLookMs: number;
};

/** Where membership changes and states are kept. Every key begins with the merchant. */
export type MembershipLog = {
  /** Keeps changes and the state after them in one step; numbers them. */
  readonly append: (
    merchantId: string,
    playerId: string,
    changes: readonly MembershipChange[],
    state: MembershipState,
  ) => { readonly sequences: readonly number[]; readonly durable: Promise<void> };
  readonly state: (merchantId: string, playerId: string) => MembershipState | undefined;
  /** Every player's state, for the wheel, after a restart; yields in slices. Of one that is appended meanwhile it may be the state before. */
  readonly forEachState: (
    merchantId: string,
    visit: (playerId: string, state: MembershipState) => void,
  ) => Promise<void>;
  /** Changes after a sequence, oldest first, at most `max`; undefined where they are no longer kept. */
  readonly read: (
    merchantId: string,
    afterSequence: number,
    max: number,
  ) => readonly NumberedChange[] | undefined;
  readonly newestSequence: (merchantId: string) => number;
  readonly remove: (merchantId: string, playerId: string) => Promise<void>;
};
