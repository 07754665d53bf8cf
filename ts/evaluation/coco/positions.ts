/** Ids to positions in lists, which is what arrays are indexed by. */

/** Where each id is in a list; -1 if it is not. */
export function positionsOf(ids: Float64Array, list: readonly number[]): Int32Array {
  const positions = new Map(list.map((id, position) => [id, position]));
  const result = new Int32Array(ids.length);
  let id = Number.NaN;
  let position = -1;
  for (let row = 0; row < ids.length; row++) {
    // Records of one image mostly stand together.
    if (ids[row] !== id) {
      id = ids[row] as number;
      position = positions.get(id) ?? -1;
    }
    result[row] = position;
  }
  return result;
}
