/** Memory that one call after another writes to: integers, at least as many as asked for, filled with anything. */
export function reusedIntegers(): (length: number) => Int32Array {
  let memory = new Int32Array(1024);
  return (length) => {
    if (memory.length < length) memory = new Int32Array(2 * length);
    return memory;
  };
}
