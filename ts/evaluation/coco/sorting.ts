/** Stable sorts of row numbers. */

/**
 * Counting sort. Rows with a negative key are left out.
 * @param keys one a row, below `keyCount`, looked up by row number.
 */
export function sortByKey(rows: Int32Array, keys: Int32Array, keyCount: number): Int32Array {
  const next = startsOf(rows, keys, keyCount);
  const sorted = new Int32Array(next[keyCount] as number);
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i] as number;
    const key = keys[row] as number;
    if (key < 0) continue;
    const place = next[key] as number;
    next[key] = place + 1;
    sorted[place] = row;
  }
  return sorted;
}

/** Where the rows of each key start once they are sorted by it; one entry more than there are keys. */
export function startsOf(rows: Int32Array, keys: Int32Array, keyCount: number): Int32Array {
  const starts = new Int32Array(keyCount + 1);
  for (let i = 0; i < rows.length; i++) {
    const after = (keys[rows[i] as number] as number) + 1;
    if (after > 0) starts[after] = (starts[after] as number) + 1;
  }
  for (let key = 0; key < keyCount; key++) starts[key + 1] = (starts[key + 1] as number) + (starts[key] as number);
  return starts;
}

const DIGIT_BITS = 11;
const DIGITS = 2 ** DIGIT_BITS;

/** Radix sort by descending score; equal scores keep their order, and -0 equals 0. @param scores finite, looked up by row number. */
export function sortByScore(rows: Int32Array, scores: Float64Array): Int32Array {
  const { upper, lower } = descendingKeys(rows, scores);
  let order = rows.map((_, place) => place);
  let spare = new Int32Array(rows.length);
  for (const words of [lower, upper]) {
    for (let shift = 0; shift < 32; shift += DIGIT_BITS) {
      if (sortByDigit(order, words, shift, spare)) [order, spare] = [spare, order];
    }
  }
  return order.map((place) => rows[place] as number);
}

/** Halves of whole numbers that are the smaller the higher the score. */
function descendingKeys(rows: Int32Array, scores: Float64Array): { upper: Uint32Array; lower: Uint32Array } {
  const upper = new Uint32Array(rows.length);
  const lower = new Uint32Array(rows.length);
  const double = new DataView(new ArrayBuffer(8));
  for (let i = 0; i < rows.length; i++) {
    // Adding 0 makes -0 to 0.
    double.setFloat64(0, (scores[rows[i] as number] as number) + 0);
    // The bits of doubles are ordered as their absolute values, below a sign.
    const isNegative = double.getInt32(0) < 0;
    upper[i] = isNegative ? double.getUint32(0) : double.getUint32(0) ^ 0x7fffffff;
    lower[i] = isNegative ? double.getUint32(4) : ~double.getUint32(4);
  }
  return { upper, lower };
}

/** Counting sort of `order` into `sorted`. False if there is nothing to do, since all have the same digit. */
function sortByDigit(order: Int32Array, words: Uint32Array, shift: number, sorted: Int32Array): boolean {
  const next = new Int32Array(DIGITS + 1);
  const digitOf = (place: number): number => ((words[place] as number) >>> shift) & (DIGITS - 1);
  for (let i = 0; i < order.length; i++) {
    const after = digitOf(order[i] as number) + 1;
    next[after] = (next[after] as number) + 1;
  }
  if (next[digitOf(order[0] ?? 0) + 1] === order.length) return false;
  for (let digit = 0; digit < DIGITS; digit++) next[digit + 1] = (next[digit + 1] as number) + (next[digit] as number);
  for (let i = 0; i < order.length; i++) {
    const place = order[i] as number;
    const digit = digitOf(place);
    const at = next[digit] as number;
    next[digit] = at + 1;
    sorted[at] = place;
  }
  return true;
}
