/**
 * Memory that one call after another writes to: at least as long as asked for, filled with anything.
 * @param create makes an array of that length.
 */
export function reusedMemory<T extends { readonly length: number }>(
  create: (length: number) => T,
): (length: number) => T {
  let memory = create(1024);
  return (length) => {
    if (memory.length < length) memory = create(2 * length);
    return memory;
  };
}

export function reusedIntegers(): (length: number) => Int32Array {
  return reusedMemory((length) => new Int32Array(length));
}
