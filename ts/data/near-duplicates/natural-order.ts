/** The order of names in which people number their files: `a9.jpg` before `a10.jpg`. Names are packed into bytes, for millions of them. */

/** UTF-8 text of all names, one after the other, in memory that threads can share. */
export interface PackedNames {
  readonly bytes: Uint8Array<SharedArrayBuffer>;
  /** (N + 1) where each name starts, and where the last one ends. */
  readonly starts: Uint32Array;
}

const ZERO = 0x30;
const NINE = 0x39;

export function packNames(names: readonly string[]): PackedNames {
  const starts = new Uint32Array(names.length + 1);
  for (const [index, name] of names.entries()) {
    starts[index + 1] = (starts[index] as number) + Buffer.byteLength(name);
  }
  const bytes = new Uint8Array(new SharedArrayBuffer(starts.at(-1)));
  const buffer = Buffer.from(bytes.buffer);
  for (const [index, name] of names.entries()) buffer.write(name, starts[index] as number);
  return { bytes, starts };
}

/** (N) indices of the names in their order: numbers by their values, everything else by its bytes. */
export function naturalOrder({ bytes, starts }: PackedNames): Uint32Array {
  const order = Uint32Array.from({ length: starts.length - 1 }, (_, index) => index);
  return order.sort((a, b) => compare(bytes, rangeOf(starts, a), rangeOf(starts, b)) || a - b);
}

interface Range {
  readonly start: number;
  readonly end: number;
}

function rangeOf(starts: Uint32Array, index: number): Range {
  return { start: starts[index] as number, end: starts[index + 1] as number };
}

function compare(bytes: Uint8Array, a: Range, b: Range): number {
  let atA = a.start;
  let atB = b.start;
  while (atA < a.end && atB < b.end) {
    if (isDigit(bytes[atA]) && isDigit(bytes[atB])) {
      const [numberA, numberB] = [numberAt(bytes, atA, a.end), numberAt(bytes, atB, b.end)];
      const difference = compareNumbers(bytes, numberA, numberB);
      if (difference !== 0) return difference;
      atA = numberA.end;
      atB = numberB.end;
    } else {
      const difference = (bytes[atA++] as number) - (bytes[atB++] as number);
      if (difference !== 0) return difference;
    }
  }
  return a.end - atA - (b.end - atB);
}

/** The digits from here on, without leading zeros. */
function numberAt(bytes: Uint8Array, from: number, limit: number): Range {
  let start = from;
  while (start < limit && bytes[start] === ZERO) start++;
  let end = start;
  while (end < limit && isDigit(bytes[end])) end++;
  return { start, end };
}

/** A number of more digits is larger. */
function compareNumbers(bytes: Uint8Array, a: Range, b: Range): number {
  const digits = a.end - a.start;
  if (digits !== b.end - b.start) return digits - (b.end - b.start);
  for (let digit = 0; digit < digits; digit++) {
    const difference = (bytes[a.start + digit] as number) - (bytes[b.start + digit] as number);
    if (difference !== 0) return difference;
  }
  return 0;
}

function isDigit(byte: number | undefined): boolean {
  return byte !== undefined && byte >= ZERO && byte <= NINE;
}
