/** The first place whose value is at least `wanted`; the length if there is none. @param ascending sorted. */
export function lowerBound(ascending: ArrayLike<number>, wanted: number): number {
  let [low, high] = [0, ascending.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((ascending[middle] as number) < wanted) low = middle + 1;
    else high = middle;
  }
  return low;
}
