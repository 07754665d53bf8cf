/** Stable sorts of row numbers by whole-number keys, which is all the ordering that the metric needs. */

/** Counting sort. @param keys one per row, each in 0..keyCount-1, looked up by row number. */
export function sortStable(rows: Int32Array, keys: Int32Array, keyCount: number): Int32Array {
  const next = startsOf(rows, keys, keyCount);
  const sorted = new Int32Array(rows.length);
  for (const row of rows) {
    const key = keys[row] as number;
    const place = next[key] as number;
    next[key] = place + 1;
    sorted[place] = row;
  }
  return sorted;
}

/** Where the rows of each key start once they are sorted by it; one entry more than there are keys. */
export function startsOf(rows: Int32Array, keys: Int32Array, keyCount: number): Int32Array {
  const starts = new Int32Array(keyCount + 1);
  for (const row of rows) {
    const after = (keys[row] as number) + 1;
    starts[after] = (starts[after] as number) + 1;
  }
  for (let key = 0; key < keyCount; key++) starts[key + 1] = (starts[key + 1] as number) + (starts[key] as number);
  return starts;
}

/** Rank of each score: 0 for the highest, equal scores share one. -0 equals 0; NaN comes last. */
export function scoreRanks(scores: Float64Array): Int32Array {
  const ascending = scores.filter((score) => !Number.isNaN(score)).sort();
  const distinct = ascending.filter((score, place) => place === 0 || score !== ascending[place - 1]);
  const last = distinct.length - 1;
  return Int32Array.from(scores, (score) => (Number.isNaN(score) ? last + 1 : last - placeOf(score, distinct)));
}

/** Position of a value that is in an ascending list. */
function placeOf(value: number, ascending: Float64Array): number {
  let low = 0;
  let high = ascending.length - 1;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((ascending[middle] as number) < value) low = middle + 1;
    else high = middle;
  }
  return low;
}
