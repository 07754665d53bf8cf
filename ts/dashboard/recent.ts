/** What was made lately and may be asked for again, up to a size. */

export interface Recent<T> {
  /** What `make` gives, or has given. What it throws is not kept. */
  get(key: string, make: () => Promise<T>): Promise<T>;
}

/** @param sizeOf of a value, in the unit of `capacity`. */
export function createRecent<T>(capacity: number, sizeOf: (value: T) => number): Recent<T> {
  /** The least recently used first. */
  const kept = new Map<string, { readonly value: T; readonly size: number }>();
  const underWay = new Map<string, Promise<T>>();
  let total = 0;

  function keep(key: string, value: T): void {
    const size = sizeOf(value);
    kept.set(key, { value, size });
    total += size;
    for (const [oldest, { size: freed }] of kept) {
      if (total <= capacity || oldest === key) break;
      kept.delete(oldest);
      total -= freed;
    }
  }

  async function makeOnce(key: string, make: () => Promise<T>): Promise<T> {
    const making = make();
    underWay.set(key, making);
    try {
      const value = await making;
      keep(key, value);
      return value;
    } finally {
      underWay.delete(key);
    }
  }

  return {
    async get(key, make) {
      const found = kept.get(key);
      if (found === undefined) return underWay.get(key) ?? makeOnce(key, make);
      kept.delete(key);
      kept.set(key, found);
      return found.value;
    },
  };
}
