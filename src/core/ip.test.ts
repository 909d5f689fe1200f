import { BlockList, isIP } from "node:net";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isInPrefix, parseIp, parseIpPrefix } from "./ip.ts";

const octet = fc.oneof(fc.constantFrom(0, 1, 10, 127, 128, 255), fc.nat({ max: 255 }));
const ipv4 = fc.array(octet, { minLength: 4, maxLength: 4 }).map((parts) => parts.join("."));
const group = fc.oneof(
  fc.constantFrom("0", "0000", "ffff", "FFFF", "2001", "db8", "1"),
  fc.nat({ max: 65_535 }).map((value) => value.toString(16)),
);
const groups = (min: number, max: number): fc.Arbitrary<string> =>
  fc.array(group, { minLength: min, maxLength: max }).map((parts) => parts.join(":"));
const ipv6 = fc.oneof(
  groups(8, 8),
  fc.tuple(groups(0, 4), groups(0, 4)).map(([head, tail]) => `${head}::${tail}`),
  ipv4.map((address) => `::ffff:${address}`),
  fc.tuple(groups(6, 6), ipv4).map((parts) => parts.join(":")),
);
const noise = fc.string({ unit: fc.constantFrom(..."0123456789abfF:::..%/ [x"), maxLength: 24 });

describe("parseIp", () => {
  it("takes what the platform takes for an address, and nothing else", () => {
    fc.assert(
      fc.property(fc.oneof(ipv4, ipv6, noise), (text) => {
        // A zone id is an address for the platform, but names an interface, not a place in the network.
        expect(parseIp(text) !== undefined).toBe(isIP(text) !== 0 && !text.includes("%"));
      }),
      { numRuns: 20_000 },
    );
  });

  it.each([
    ["a leading zero, which some read as octal", "010.0.0.1"],
    ["three parts", "10.0.1"],
    ["a part of 256", "10.0.0.256"],
    ["an empty part", "10..0.1"],
    ["a blank around", " 10.0.0.1"],
    ["a port", "10.0.0.1:80"],
    ["a zone", "fe80::1%eth0"],
    ["brackets", "[::1]"],
    ["two gaps", "1::2::3"],
    ["nine groups", "1:2:3:4:5:6:7:8:9"],
    ["a gap for nothing", "1:2:3:4::5:6:7:8"],
    ["five digits in a group", "12345::"],
    ["a dotted part in the middle", "::10.0.0.1:1"],
    ["nothing", ""],
    ["text without end", "1:".repeat(1000)],
  ])("refuses %s", (_name, text) => {
    expect(parseIp(text)).toBeUndefined();
  });
});

describe("isInPrefix", () => {
  it("agrees with the platform on both families", () => {
    const network = fc.oneof(
      fc.tuple(ipv4, fc.nat({ max: 32 })),
      fc.tuple(
        ipv6.filter((text) => isIP(text) === 6 && parseIp(text)?.family === 6),
        fc.nat({ max: 128 }),
      ),
    );
    const address = fc.oneof(ipv4, ipv6).filter((text) => isIP(text) !== 0);
    fc.assert(
      fc.property(network, address, fc.boolean(), ([base, length], other, takesBase) => {
        const text = takesBase ? base : other;
        const list = new BlockList();
        const family = (ip: string): "ipv4" | "ipv6" => (isIP(ip) === 4 ? "ipv4" : "ipv6");
        list.addSubnet(base, length, family(base));
        const prefix = parseIpPrefix(`${base}/${length}`)!;
        const ip = parseIp(text)!;
        // Here a mapped address is the IPv4 address and lies in no IPv6 network, such as ::/0.
        const want = prefix.ip.family === 6 && ip.family === 4 ? false : list.check(text, family(text));
        expect(isInPrefix(ip, prefix)).toBe(want);
      }),
      { numRuns: 5_000 },
    );
  });

  it.each([
    ["the first address", "10.0.0.0", "10.0.0.0/8", true],
    ["the last address", "10.255.255.255", "10.0.0.0/8", true],
    ["one below", "9.255.255.255", "10.0.0.0/8", false],
    ["one above", "11.0.0.0", "10.0.0.0/8", false],
    ["an address above 2^31", "192.168.1.1", "192.168.0.0/16", true],
    ["a network with bits beyond its length", "10.9.9.9", "10.1.2.3/8", true],
    ["length 0", "203.0.113.9", "0.0.0.0/0", true],
    ["a mapped address in an IPv4 network", "::ffff:10.1.2.3", "10.0.0.0/8", true],
    ["a mapped address in hex", "::ffff:a01:203", "10.0.0.0/8", true],
    ["a mapped network", "10.1.2.3", "::ffff:10.0.0.0/104", true],
    ["outside a mapped network", "11.1.2.3", "::ffff:10.0.0.0/104", false],
    ["IPv4 in ::/0", "10.1.2.3", "::/0", false],
    ["IPv6 in ::/0", "2001:db8::1", "::/0", true],
    ["IPv6 in 0.0.0.0/0", "2001:db8::1", "0.0.0.0/0", false],
    ["a length across a word", "2001:db8:8000::1", "2001:db8:8000::/33", true],
    ["outside a length across a word", "2001:db8:7fff::1", "2001:db8:8000::/33", false],
    ["the one address of /128", "::1", "::1/128", true],
    ["another than the one of /128", "::2", "::1/128", false],
  ])("judges %s", (_name, ip, prefix, want) => {
    expect(isInPrefix(parseIp(ip)!, parseIpPrefix(prefix)!)).toBe(want);
  });
});

describe("parseIpPrefix", () => {
  it.each([
    "10.0.0.0",
    "10.0.0.0/",
    "10.0.0.0/33",
    "10.0.0.0/08",
    "10.0.0.0/-1",
    "::/129",
    "::ffff:10.0.0.0/129",
    "/8",
    "x/8",
  ])("refuses %s", (text) => {
    expect(parseIpPrefix(text)).toBeUndefined();
  });
});
