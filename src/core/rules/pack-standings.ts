import type { PackInfo, RuleSnapshot } from "./snapshot.ts";

/** What a payment has to tell for a pack to apply: the player's country, as none is verified; a brand with its licence; an IP address there. */
export type PackDependence = "PLAYER_COUNTRY" | "LICENCE" | "IP_COUNTRY";

export type PackStanding = {
  readonly pack: PackInfo;
  /** Any of these is enough; empty where the pack applies to every payment. */
  readonly dependsOn: readonly PackDependence[];
  /** Declared brands with a licence of the pack's jurisdiction, sorted. */
  readonly brands: readonly string[];
};

/**
 * The packs in force under which payments of a player fall, or may fall (`SEMANTICS.md` 2.3), in order of id. Packs that apply to none of them are left
 * out: the player's country is verified and is another, no brand has a licence there, and the place of the player does not matter.
 *
 * `country` is the verified one; undefined where there is none.
 */
export function listPackStandings(
  { packs, licenceOfBrand }: Pick<RuleSnapshot, "packs" | "licenceOfBrand">,
  country: string | undefined,
  nowMs: number,
): readonly PackStanding[] {
  const standings: PackStanding[] = [];
  for (const pack of packs) {
    const { jurisdiction, physical, fromMs = nowMs, untilMs = Number.POSITIVE_INFINITY } = pack;
    if (nowMs < fromMs || nowMs >= untilMs) continue;
    const licensed = [...licenceOfBrand].filter(([, licence]) => licence === jurisdiction);
    const brands = licensed.map(([brand]) => brand).sort();
    const isAlways = country === jurisdiction;
    const dependsOn: PackDependence[] = [];
    if (country === undefined) dependsOn.push("PLAYER_COUNTRY");
    if (!isAlways && brands.length > 0) dependsOn.push("LICENCE");
    if (!isAlways && physical) dependsOn.push("IP_COUNTRY");
    if (isAlways || dependsOn.length > 0) standings.push({ pack, dependsOn, brands });
  }
  return standings.sort((a, b) => (a.pack.id < b.pack.id ? -1 : 1));
}
