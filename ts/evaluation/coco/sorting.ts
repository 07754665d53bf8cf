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

/** Whether rows are sorted by key, and none would be left out. */
export function isSorted(rows: Int32Array, keys: Int32Array): boolean {
  let last = 0;
  for (let i = 0; i < rows.length; i++) {
    const key = keys[rows[i] as number] as number;
    if (key < last) return false;
    last = key;
  }
  return true;
}

/** Where the rows of each key start once they are sorted by it; one entry more than there are keys. */
export function startsOf(rows: Int32Array, keys: Int32Array, keyCount: number): Int32Array {
  const starts = new Int32Array(keyCount + 1);
  for (let i = 0; i < rows.length; i++) {
    const after = (keys[rows[i] as number] as number) + 1;
    if (after > 0) starts[after] = (starts[after] as number) + 1;
  }
  addUp(starts);
  return starts;
}

/** As many numbers from `first` on. */
export function ascending(count: number, first = 0): Int32Array {
  const numbers = new Int32Array(count);
  for (let i = 0; i < count; i++) numbers[i] = first + i;
  return numbers;
}

/** The values at positions. */
export function pick(values: Int32Array, positions: Int32Array): Int32Array {
  const picked = new Int32Array(positions.length);
  for (let i = 0; i < positions.length; i++) picked[i] = values[positions[i] as number] as number;
  return picked;
}

const DIGIT_BITS = 11;
const DIGITS = 2 ** DIGIT_BITS;

/**
 * Radix sort by descending score; equal scores keep their order, and -0 equals 0.
 * @param scores finite, looked up by row number.
 */
export function sortByScore(rows: Int32Array, scores: Float64Array): Int32Array {
  const upper = new Uint32Array(rows.length);
  const lower = new Uint32Array(rows.length);
  writeKeys(rows, scores, upper, lower);
  const byUpper = sortByWord(ascending(rows.length), upper);
  if (settle(byUpper, upper, lower)) return pick(rows, byUpper);
  return pick(rows, sortByWord(sortByWord(ascending(rows.length), lower), upper));
}

/** Sorts positions of words by them, lowest digits first. */
function sortByWord(positions: Int32Array, words: Uint32Array): Int32Array {
  const starts = new Int32Array(DIGITS + 1);
  let sorted = positions;
  let spare: Int32Array = new Int32Array(positions.length);
  for (let shift = 0; shift < 32; shift += DIGIT_BITS) {
    countDigits(words, shift, starts.fill(0));
    if (starts.includes(words.length)) continue;
    addUp(starts);
    distribute(sorted, words, shift, starts, spare);
    [sorted, spare] = [spare, sorted];
  }
  return sorted;
}

/** Sorts positions that are sorted by `upper` also by `lower`, by insertion. False if that takes too many moves. */
function settle(positions: Int32Array, upper: Uint32Array, lower: Uint32Array): boolean {
  let moves = 0;
  for (let i = 1; i < positions.length; i++) {
    const position = positions[i] as number;
    let place = i;
    for (; place > 0; place--) {
      const before = positions[place - 1] as number;
      if (upper[before] !== upper[position] || (lower[before] as number) <= (lower[position] as number)) break;
      positions[place] = before;
      moves++;
    }
    positions[place] = position;
    if (moves > positions.length) return false;
  }
  return true;
}

/** Writes halves of whole numbers that are the smaller the higher the score. */
function writeKeys(rows: Int32Array, scores: Float64Array, upper: Uint32Array, lower: Uint32Array): void {
  const double = new DataView(new ArrayBuffer(8));
  for (let i = 0; i < rows.length; i++) {
    // Adding 0 makes -0 to 0.
    double.setFloat64(0, (scores[rows[i] as number] as number) + 0);
    // The bits of doubles are ordered as their absolute values, below a sign.
    const high = double.getInt32(0);
    const flipped = ~high >> 31;
    upper[i] = high ^ (flipped & 0x7fffffff);
    lower[i] = double.getInt32(4) ^ flipped;
  }
}

/** Counts the words of each digit one place above it. */
function countDigits(words: Uint32Array, shift: number, counts: Int32Array): void {
  for (let i = 0; i < words.length; i++) {
    const after = (((words[i] as number) >>> shift) & (DIGITS - 1)) + 1;
    counts[after] = (counts[after] as number) + 1;
  }
}

/** Replaces counts by the sums up to them. */
function addUp(counts: Int32Array): void {
  let sum = 0;
  for (let i = 0; i < counts.length; i++) {
    sum += counts[i] as number;
    counts[i] = sum;
  }
}

/** Sorts positions of words by a digit. @param next where the next word of each digit goes. */
function distribute(
  positions: Int32Array,
  words: Uint32Array,
  shift: number,
  next: Int32Array,
  sorted: Int32Array,
): void {
  for (let i = 0; i < positions.length; i++) {
    const position = positions[i] as number;
    const digit = ((words[position] as number) >>> shift) & (DIGITS - 1);
    const place = next[digit] as number;
    next[digit] = place + 1;
    sorted[place] = position;
  }
}
