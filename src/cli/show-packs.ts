import {
  type GetPlayerResponse,
  type PackStanding,
  PackStanding_Dependence,
} from "../gen/switchyard/v1/player_pb.js";
import type { Paint } from "./io.ts";
import { type Cell, formatTable } from "./table.ts";

/** Packs as a table; empty where there are none. */
export function formatPacks(packs: readonly PackStanding[], paint: Paint): string {
  if (packs.length === 0) return "";
  const columns = [{ title: "Policy pack" }, { title: "Law of" }, { title: "Holds for" }];
  const rows = packs.map((standing): Cell[] => [
    standing.pack,
    standing.jurisdiction,
    describePayments(standing),
  ]);
  return formatTable(columns, rows, paint.bold);
}

/** Which payments of a player fall under a policy pack, such as `payments at polar (licence SE)`. */
function describePayments({ jurisdiction, dependsOn, brands }: PackStanding): string {
  if (dependsOn.length === 0) return `all payments (verified ${jurisdiction})`;
  const ways = dependsOn.map((dependence) => {
    switch (dependence) {
      case PackStanding_Dependence.PLAYER_COUNTRY:
        return `with player country ${jurisdiction} (none is verified)`;
      case PackStanding_Dependence.LICENCE:
        return `at ${brands.join(", ")} (licence ${jurisdiction})`;
      case PackStanding_Dependence.IP_COUNTRY:
        return `from an IP address in ${jurisdiction}`;
      default:
        return "";
    }
  });
  return `payments ${ways.filter((way) => way !== "").join(", or ")}`;
}

/** The same of each limit by its id: of those of packs, and of those that hold at some brands only. */
export function listPaymentsByLimit({
  packs,
  limitScopes,
}: Pick<GetPlayerResponse, "packs" | "limitScopes">): ReadonlyMap<string, string> {
  const ofScopes = limitScopes.map(({ limitId, brands, withoutBrand }) => {
    const named = [...brands, ...(withoutBrand ? ["no brand"] : [])];
    return [limitId, `payments at ${named.join(", ")}`] as const;
  });
  const ofPacks = packs.flatMap((standing) =>
    standing.limitIds.map((id) => [id, describePayments(standing)] as const),
  );
  return new Map([...ofScopes, ...ofPacks]);
}
