/**
 * An address as four 32-bit words, most significant first. IPv4 uses only `low`; an IPv4-mapped IPv6 address (`::ffff:10.0.0.1`) *is*
 * the IPv4 address, so that a rule on `10.0.0.0/8` cannot be passed by writing the address in another way.
 */
export type Ip = {
  readonly family: 4 | 6;
  readonly words: readonly [number, number, number, number];
};

/** A network: all addresses of one family whose first `length` bits are those of `words`. */
export type IpPrefix = { readonly ip: Ip; readonly length: number };

/** The longest text of an address: a full IPv6 with dotted last part. */
const ipTextMax = 45;

/**
 * Reads an IPv4 or IPv6 address. Strict: no leading zeros in IPv4 parts (some read them as octal), no zone id, no brackets, no blanks.
 * Gives undefined where the text is no address.
 */
export function parseIp(text: string): Ip | undefined {
  if (text.length > ipTextMax) {
    return undefined;
  }
  if (!text.includes(":")) {
    const word = parseIpv4Word(text);
    return word === undefined ? undefined : { family: 4, words: [0, 0, 0, word] };
  }
  const groups = parseIpv6Groups(text);
  return groups === undefined ? undefined : makeIpv6(groups);
}

/** Reads `10.0.0.0/8` or `2001:db8::/32`; bits beyond the length are ignored. Undefined where the text is no prefix. */
export function parseIpPrefix(text: string): IpPrefix | undefined {
  const slash = text.indexOf("/");
  const lengthText = text.slice(slash + 1);
  if (slash < 0 || !/^(0|[1-9]\d{0,2})$/.test(lengthText)) {
    return undefined;
  }
  const address = text.slice(0, slash);
  const ip = parseIp(address);
  if (ip === undefined) {
    return undefined;
  }
  const length = Number(lengthText);
  if (ip.family === 4 && address.includes(":")) {
    return widenMapped(ip, length);
  }
  return length <= (ip.family === 4 ? 32 : 128) ? { ip, length } : undefined;
}

/** Whether the address lies in the network. Addresses of the other family never do. */
export function isInPrefix(ip: Ip, prefix: IpPrefix): boolean {
  if (ip.family !== prefix.ip.family) {
    return false;
  }
  let bits = prefix.length;
  for (let index = ip.family === 4 ? 3 : 0; bits > 0; index++, bits -= 32) {
    const shift = bits >= 32 ? 0 : 32 - bits;
    if ((ip.words[index]! ^ prefix.ip.words[index]!) >>> shift !== 0) {
      return false;
    }
  }
  return true;
}

/** A prefix written over mapped addresses: `::ffff:10.0.0.0/104` is `10.0.0.0/8`; a shorter one is an IPv6 network. */
function widenMapped(ip: Ip, length: number): IpPrefix | undefined {
  if (length > 128) {
    return undefined;
  }
  return length >= 96
    ? { ip, length: length - 96 }
    : { ip: { family: 6, words: [0, 0, 0xffff, ip.words[3]] }, length };
}

/** Four decimal parts as one unsigned word. */
function parseIpv4Word(text: string): number | undefined {
  let word = 0;
  let part = -1;
  let parts = 0;
  for (let index = 0; index <= text.length; index++) {
    const code = index < text.length ? text.charCodeAt(index) : 46;
    if (code === 46) {
      if (part < 0) {
        return undefined;
      }
      word = word * 256 + part;
      parts++;
      part = -1;
      continue;
    }
    const digit = code - 48;
    if (digit < 0 || digit > 9 || part === 0) {
      return undefined;
    }
    part = part < 0 ? digit : part * 10 + digit;
    if (part > 255) {
      return undefined;
    }
  }
  return parts === 4 ? word : undefined;
}

/** The eight 16-bit groups, with `::` filled in and a dotted tail read as two groups. */
function parseIpv6Groups(text: string): number[] | undefined {
  const gap = text.indexOf("::");
  if (gap < 0) {
    const groups = parseGroupList(text);
    return groups?.length === 8 ? groups : undefined;
  }
  const headText = text.slice(0, gap);
  const tailText = text.slice(gap + 2);
  const head = headText === "" ? [] : parseGroupList(headText);
  const tail = tailText === "" ? [] : parseGroupList(tailText);
  if (head === undefined || tail === undefined || headText.includes(".") || head.length + tail.length > 7) {
    return undefined;
  }
  return [...head, ...new Array<number>(8 - head.length - tail.length).fill(0), ...tail];
}

function parseGroupList(text: string): number[] | undefined {
  const parts = text.split(":");
  const groups: number[] = [];
  for (const [index, part] of parts.entries()) {
    if (part.includes(".") && index === parts.length - 1) {
      const word = parseIpv4Word(part);
      if (word === undefined) {
        return undefined;
      }
      groups.push(Math.floor(word / 65_536), word % 65_536);
    } else if (/^[0-9a-fA-F]{1,4}$/.test(part)) {
      groups.push(Number.parseInt(part, 16));
    } else {
      return undefined;
    }
  }
  return groups;
}

function makeIpv6(groups: readonly number[]): Ip {
  const word = (index: number): number => groups[index]! * 65_536 + groups[index + 1]!;
  const words: Ip["words"] = [word(0), word(2), word(4), word(6)];
  const isMapped = words[0] === 0 && words[1] === 0 && words[2] === 0xffff;
  return isMapped ? { family: 4, words: [0, 0, 0, words[3]] } : { family: 6, words };
}
