/**
 * COCO's text form of runs. Each run is a number, from the fourth on its difference to the run two before, in groups of five
 * bits, lowest first, one character a group: 48 + bits, plus 32 if another group follows. The last group's highest bit is the sign.
 */
import { reusedMemory } from "./memory.js";
import { invalidMask } from "./rle.js";

const FIRST_CODE = 48;
const CONTINUES = 32;
const SIGN = 16;
/** The bits that none of the 64 characters has, less the first. */
const FOREIGN = ~63;
/** 32 bits take seven groups. */
const LAST_SHIFT = 30;

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
  const counts = memory(bytes.length);
  return new Uint32Array(counts.subarray(0, readCounts(bytes, counts)));
}

const memory = reusedMemory();

/** The same from the bytes of a text, written into `counts`, which must have room for one a byte. Returns how many there are. */
export function readCounts(bytes: Uint8Array, counts: Int32Array): number {
  let runs = 0;
  for (let at = 0; at < bytes.length; at++) {
    let code = (bytes[at] as number) - FIRST_CODE;
    let value = code & 31;
    let shift = 0;
    while ((code & CONTINUES) !== 0 && (code & FOREIGN) === 0) {
      shift += 5;
      if (++at === bytes.length) throw invalidCounts(bytes, "it is cut off");
      if (shift > LAST_SHIFT) throw invalidCounts(bytes, `the run at position ${runs} has more than 32 bits`);
      code = (bytes[at] as number) - FIRST_CODE;
      value |= (code & 31) << shift;
    }
    if ((code & FOREIGN) !== 0) throw invalidCounts(bytes, `its byte ${at} is not one of 0 to o`);
    if ((code & SIGN) !== 0 && shift < LAST_SHIFT) value |= -32 << shift;
    if (runs > 2) value += counts[runs - 2] as number;
    if (value < 0) throw invalidCounts(bytes, `the run at position ${runs} has the length ${value}`);
    counts[runs++] = value;
  }
  return runs;
}

function invalidCounts(bytes: Uint8Array, what: string): Error {
  const text = Buffer.from(bytes.subarray(0, 40)).toString("utf8") + (bytes.length > 40 ? "..." : "");
  return invalidMask(`The counts ${JSON.stringify(text)} cannot be read: ${what}.`, "Write them as pycocotools does.");
}
