/**
 * Countries of ISO 3166-1 and the groups of them that payment law speaks of.
 *
 * Names are English short names for people to read, not for matching. User-assigned codes (XK) and reserved ones (UK, EU) are no countries here.
 *
 * Source: ISO 3166-1 as of 2026-02.
 */
const countryLines = `
AD Andorra
AE United Arab Emirates
AF Afghanistan
AG Antigua and Barbuda
AI Anguilla
AL Albania
AM Armenia
AO Angola
AQ Antarctica
AR Argentina
AS American Samoa
AT Austria
AU Australia
AW Aruba
AX Åland Islands
AZ Azerbaijan
BA Bosnia and Herzegovina
BB Barbados
BD Bangladesh
BE Belgium
BF Burkina Faso
BG Bulgaria
BH Bahrain
BI Burundi
BJ Benin
BL Saint Barthélemy
BM Bermuda
BN Brunei
BO Bolivia
BQ Bonaire, Sint Eustatius and Saba
BR Brazil
BS Bahamas
BT Bhutan
BV Bouvet Island
BW Botswana
BY Belarus
BZ Belize
CA Canada
CC Cocos (Keeling) Islands
CD Congo (Democratic Republic)
CF Central African Republic
CG Congo (Republic)
CH Switzerland
CI Côte d'Ivoire
CK Cook Islands
CL Chile
CM Cameroon
CN China
CO Colombia
CR Costa Rica
CU Cuba
CV Cabo Verde
CW Curaçao
CX Christmas Island
CY Cyprus
CZ Czechia
DE Germany
DJ Djibouti
DK Denmark
DM Dominica
DO Dominican Republic
DZ Algeria
EC Ecuador
EE Estonia
EG Egypt
EH Western Sahara
ER Eritrea
ES Spain
ET Ethiopia
FI Finland
FJ Fiji
FK Falkland Islands
FM Micronesia
FO Faroe Islands
FR France
GA Gabon
GB United Kingdom
GD Grenada
GE Georgia
GF French Guiana
GG Guernsey
GH Ghana
GI Gibraltar
GL Greenland
GM Gambia
GN Guinea
GP Guadeloupe
GQ Equatorial Guinea
GR Greece
GS South Georgia and the South Sandwich Islands
GT Guatemala
GU Guam
GW Guinea-Bissau
GY Guyana
HK Hong Kong
HM Heard Island and McDonald Islands
HN Honduras
HR Croatia
HT Haiti
HU Hungary
ID Indonesia
IE Ireland
IL Israel
IM Isle of Man
IN India
IO British Indian Ocean Territory
IQ Iraq
IR Iran
IS Iceland
IT Italy
JE Jersey
JM Jamaica
JO Jordan
JP Japan
KE Kenya
KG Kyrgyzstan
KH Cambodia
KI Kiribati
KM Comoros
KN Saint Kitts and Nevis
KP North Korea
KR South Korea
KW Kuwait
KY Cayman Islands
KZ Kazakhstan
LA Laos
LB Lebanon
LC Saint Lucia
LI Liechtenstein
LK Sri Lanka
LR Liberia
LS Lesotho
LT Lithuania
LU Luxembourg
LV Latvia
LY Libya
MA Morocco
MC Monaco
MD Moldova
ME Montenegro
MF Saint Martin (French part)
MG Madagascar
MH Marshall Islands
MK North Macedonia
ML Mali
MM Myanmar
MN Mongolia
MO Macao
MP Northern Mariana Islands
MQ Martinique
MR Mauritania
MS Montserrat
MT Malta
MU Mauritius
MV Maldives
MW Malawi
MX Mexico
MY Malaysia
MZ Mozambique
NA Namibia
NC New Caledonia
NE Niger
NF Norfolk Island
NG Nigeria
NI Nicaragua
NL Netherlands
NO Norway
NP Nepal
NR Nauru
NU Niue
NZ New Zealand
OM Oman
PA Panama
PE Peru
PF French Polynesia
PG Papua New Guinea
PH Philippines
PK Pakistan
PL Poland
PM Saint Pierre and Miquelon
PN Pitcairn
PR Puerto Rico
PS Palestine
PT Portugal
PW Palau
PY Paraguay
QA Qatar
RE Réunion
RO Romania
RS Serbia
RU Russia
RW Rwanda
SA Saudi Arabia
SB Solomon Islands
SC Seychelles
SD Sudan
SE Sweden
SG Singapore
SH Saint Helena, Ascension and Tristan da Cunha
SI Slovenia
SJ Svalbard and Jan Mayen
SK Slovakia
SL Sierra Leone
SM San Marino
SN Senegal
SO Somalia
SR Suriname
SS South Sudan
ST Sao Tome and Principe
SV El Salvador
SX Sint Maarten (Dutch part)
SY Syria
SZ Eswatini
TC Turks and Caicos Islands
TD Chad
TF French Southern Territories
TG Togo
TH Thailand
TJ Tajikistan
TK Tokelau
TL Timor-Leste
TM Turkmenistan
TN Tunisia
TO Tonga
TR Türkiye
TT Trinidad and Tobago
TV Tuvalu
TW Taiwan
TZ Tanzania
UA Ukraine
UG Uganda
UM United States Minor Outlying Islands
US United States
UY Uruguay
UZ Uzbekistan
VA Vatican City
VC Saint Vincent and the Grenadines
VE Venezuela
VG British Virgin Islands
VI United States Virgin Islands
VN Vietnam
VU Vanuatu
WF Wallis and Futuna
WS Samoa
YE Yemen
YT Mayotte
ZA South Africa
ZM Zambia
ZW Zimbabwe
`;

const names: ReadonlyMap<string, string> = new Map(
  countryLines
    .trim()
    .split("\n")
    .map((line) => [line.slice(0, 2), line.slice(3)] as const),
);

/** Every alpha-2 code, in alphabetical order. */
export const countryCodes: readonly string[] = [...names.keys()];

/** Whether the text is a current alpha-2 code (two capitals). */
export function isCountry(code: string): boolean {
  return names.has(code);
}

/** English name of a country; undefined where the code is none. */
export function countryName(code: string): string | undefined {
  return names.get(code);
}

/**
 * `EU` and `EEA` with the territories in which EU law (so PSD2) applies but which have codes of their own; `UK` the United Kingdom alone, without
 * Gibraltar, Guernsey, Jersey and the Isle of Man. Wider zones (SCA with Monaco or Switzerland) are configuration: their readings differ.
 */
export type CountryGroup = "EU" | "EEA" | "UK";

/** A stretch of membership: from the start of a UTC day to the start of another, which is no longer in it. */
type Membership = {
  readonly group: CountryGroup;
  readonly countries: string;
  readonly from: string;
  readonly until?: string;
};

/**
 * Who is in which group since when.
 *
 * The United Kingdom left on 2020-01-31, yet EU law went on to apply there until the end of the transition on 2020-12-31 (Withdrawal
 * Agreement, Article 126), so its membership ends there. Norway's Svalbard (SJ) is outside the EEA (Protocol 40). AX, GF, GP, MF, MQ, RE and YT are
 * EU territory (TFEU, Articles 349 and 355); YT since 2014-01-01 (Decision 2012/419/EU).
 * Source: treaties of accession, EEA Agreement and its enlargements of 2004, 2007 and 2014; read 2026-11-22.
 */
const memberships: readonly Membership[] = [
  { group: "EU", countries: "BE DE FR IT LU NL GF GP MF MQ RE", from: "1958-01-01" },
  { group: "EU", countries: "DK IE", from: "1973-01-01" },
  { group: "EU", countries: "GB", from: "1973-01-01", until: "2021-01-01" },
  { group: "EU", countries: "GR", from: "1981-01-01" },
  { group: "EU", countries: "ES PT", from: "1986-01-01" },
  { group: "EU", countries: "AT FI SE AX", from: "1995-01-01" },
  { group: "EU", countries: "CY CZ EE HU LT LV MT PL SI SK", from: "2004-05-01" },
  { group: "EU", countries: "BG RO", from: "2007-01-01" },
  { group: "EU", countries: "HR", from: "2013-07-01" },
  { group: "EU", countries: "YT", from: "2014-01-01" },
  {
    group: "EEA",
    countries: "AT AX BE DE DK ES FI FR GF GP GR IE IS IT LU MF MQ NL NO PT RE SE",
    from: "1994-01-01",
  },
  { group: "EEA", countries: "GB", from: "1994-01-01", until: "2021-01-01" },
  { group: "EEA", countries: "LI", from: "1995-05-01" },
  { group: "EEA", countries: "CY CZ EE HU LT LV MT PL SI SK", from: "2004-05-01" },
  { group: "EEA", countries: "BG RO", from: "2007-08-01" },
  { group: "EEA", countries: "YT", from: "2014-01-01" },
  { group: "EEA", countries: "HR", from: "2014-04-12" },
  { group: "UK", countries: "GB", from: "1958-01-01" },
];

type Stretch = { readonly fromMs: number; readonly untilMs: number };

const stretches: ReadonlyMap<string, readonly Stretch[]> = indexMemberships();

/**
 * Whether the country is in the group at an instant.
 *
 * Units: `atMs` in ms since the epoch, UTC; changes act at the start of a UTC day. False for a code that is no country.
 */
export function isInCountryGroup(asked: {
  readonly country: string;
  readonly group: CountryGroup;
  readonly atMs: number;
}): boolean {
  const found = stretches.get(`${asked.group} ${asked.country}`);
  if (found === undefined) return false;
  return found.some(({ fromMs, untilMs }) => fromMs <= asked.atMs && asked.atMs < untilMs);
}

function indexMemberships(): Map<string, Stretch[]> {
  const index = new Map<string, Stretch[]>();
  for (const { group, countries, from, until } of memberships) {
    const stretch = {
      fromMs: Date.parse(from),
      untilMs: until === undefined ? Number.POSITIVE_INFINITY : Date.parse(until),
    };
    for (const country of countries.split(" ")) {
      const key = `${group} ${country}`;
      index.set(key, [...(index.get(key) ?? []), stretch]);
    }
  }
  return index;
}
