import { type CountryGroup, countryCodes, isCountry, isInCountryGroup } from "../iso3166.ts";

const groups: readonly CountryGroup[] = ["EU", "EEA", "UK"];

/** Whether the text is a country or one of the groups EU, EEA and UK. */
export function isRegion(text: string): boolean {
  return isCountry(text) || groups.some((group) => group === text);
}

/** Countries, with those of groups as they stand at an instant (ms since the epoch); each once, sorted. */
export function resolveRegions(regions: readonly string[], atMs: number): readonly string[] {
  const countries = regions.flatMap((region) => {
    const group = groups.find((name) => name === region);
    return group === undefined
      ? [region]
      : countryCodes.filter((country) => isInCountryGroup({ country, group, atMs }));
  });
  return [...new Set(countries)].sort();
}
