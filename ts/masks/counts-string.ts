/**
 * COCO's text form of runs. Each run is a number, from the fourth on its difference to the run two before, in groups of five
 * bits, lowest first, one character a group: 48 + bits, plus 32 if another group follows. The last group's highest bit is the sign.
 */
import { invalidMask, MOST_PIXELS } from "./rle.js";

const FIRST_CODE = 48;
const CONTINUES = 32;
const SIGN = 16;
/** The bits that no character has, less the first. */
const FOREIGN = ~63;
/** For 32 bits. */
const MOST_GROUPS = 7;

/** Nearly all numbers have one or two groups. By two characters: 4 * number + how many of them it takes; 0 if more than two. */
const shortNumbers = Int16Array.from({ length: 64 * 64 }, (_, pair) => {
  const [first, second] = [pair >> 6, pair & 63];
  if ((first & CONTINUES) === 0) return 4 * signed(first, 5) + 1;
  if ((second & CONTINUES) === 0) return 4 * signed((first & 31) | (second << 5), 10) + 2;
  return 0;
});

/** A number whose highest bit is its sign. */
function signed(value: number, bits: number): number {
  return (value << (32 - bits)) >> (32 - bits);
}

export function encodeCounts(counts: Uint32Array): string {
  const codes: number[] = [];
  counts.forEach((count, run) => {
    let rest = run > 2 ? count - (counts[run - 2] as number) : count;
    let continues = true;
    while (continues) {
      const group = rest & 31;
      rest >>= 5;
      continues = rest !== ((group & SIGN) === 0 ? 0 : -1);
      codes.push(FIRST_CODE + group + (continues ? CONTINUES : 0));
    }
  });
  return Buffer.from(codes).toString("latin1");
}

/** ANNOTATIONS_INVALID for a foreign character, a number that is cut off, too long or below 0. */
export function decodeCounts(text: string): Uint32Array {
  const bytes = Buffer.from(text);
  const end = bytes.length;
  const counts = new Uint32Array(end);
  let runs = 0;
  let at = 0;
  while (at < end) {
    const first = (bytes[at] as number) - FIRST_CODE;
    const second = at + 1 < end ? (bytes[at + 1] as number) - FIRST_CODE : 0;
    if (((first | second) & FOREIGN) !== 0) throw foreignByte(bytes, end, first & FOREIGN ? at : at + 1);
    const short = shortNumbers[(first << 6) | second] as number;
    const groups = short === 0 ? groupsOfLongNumber(bytes, end, at) : short & 3;
    let count = short === 0 ? longNumber(bytes, at, groups) : short >> 2;
    at += groups;
    if (runs > 2) count += counts[runs - 2] as number;
    if (count < 0 || count > MOST_PIXELS)
      throw invalidCounts(bytes, end, `its run at position ${runs} is ${count} px long`);
    counts[runs++] = count;
  }
  if (at > end) throw invalidCounts(bytes, end, "it is cut off");
  return counts.slice(0, runs);
}

function groupsOfLongNumber(bytes: Uint8Array, end: number, start: number): number {
  for (let at = start; at < end; at++) {
    const code = (bytes[at] as number) - FIRST_CODE;
    if ((code & FOREIGN) !== 0) throw foreignByte(bytes, end, at);
    if (at - start === MOST_GROUPS)
      throw invalidCounts(bytes, end, `the number from byte ${start} has more than 32 bits`);
    if ((code & CONTINUES) === 0) return at + 1 - start;
  }
  throw invalidCounts(bytes, end, "it is cut off");
}

function longNumber(bytes: Uint8Array, start: number, groups: number): number {
  let value = 0;
  for (let group = 0; group < groups; group++) {
    value |= (((bytes[start + group] as number) - FIRST_CODE) & 31) << (5 * group);
  }
  return groups === MOST_GROUPS ? value : signed(value, 5 * groups);
}

function foreignByte(bytes: Uint8Array, end: number, at: number): Error {
  return invalidCounts(bytes, end, `its byte ${at} is not one of 0 to o`);
}

function invalidCounts(bytes: Uint8Array, end: number, what: string): Error {
  const text = Buffer.from(bytes.subarray(0, Math.min(end, 40))).toString() + (end > 40 ? "..." : "");
  return invalidMask(`The counts ${JSON.stringify(text)} cannot be read: ${what}.`, "Write them as pycocotools does.");
}
