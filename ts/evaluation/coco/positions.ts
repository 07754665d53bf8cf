/** Ids to positions in lists, which is what arrays are indexed by. */

/** Ids below this are looked up in an array, which is faster than a map. */
const MOST_DENSE = 2 ** 22;

/** Where each id is in a list without repetitions; -1 if it is not. */
export function positionsOf(ids: Float64Array, list: readonly number[]): Int32Array {
  const isDense = list.every((id) => id >= 0 && id < MOST_DENSE && Number.isInteger(id));
  return isDense ? densePositions(ids, list) : sparsePositions(ids, list);
}

function densePositions(ids: Float64Array, list: readonly number[]): Int32Array {
  const table = new Int32Array(1 + list.reduce((most, id) => Math.max(most, id), -1)).fill(-1);
  list.forEach((id, position) => {
    table[id] = position;
  });
  const positions = new Int32Array(ids.length);
  for (let row = 0; row < ids.length; row++) {
    const id = ids[row] as number;
    positions[row] = id >= 0 && id < table.length ? (table[id] as number) : -1;
  }
  return positions;
}

function sparsePositions(ids: Float64Array, list: readonly number[]): Int32Array {
  const table = new Map(list.map((id, position) => [id, position]));
  const positions = new Int32Array(ids.length);
  for (let row = 0; row < ids.length; row++) positions[row] = table.get(ids[row] as number) ?? -1;
  return positions;
}
