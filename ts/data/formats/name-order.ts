/** In the order of their names. The first of each name is kept; `onRepeated` is told of the others. */
export function inNameOrder<T>(
  items: readonly T[],
  nameOf: (item: T) => string,
  onRepeated: (item: T, first: T) => void,
): T[] {
  const byName = new Map<string, T>();
  for (const item of items) {
    const name = nameOf(item);
    const first = byName.get(name);
    if (first === undefined) byName.set(name, item);
    else onRepeated(item, first);
  }
  return [...byName].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, item]) => item);
}
