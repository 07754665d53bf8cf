/** Memory: masks that are kept, one after the other, and above them what is needed while the next one is made. */

const PAGE_BITS = 16;

const START: usize = (__heap_base + 7) & ~7;

/** Where the next mask goes. */
export let top: usize = START;

/** Where the next `reserve` is. */
let free: usize = 0;

/** Moves `top`. */
export function keepUpTo(end: usize): void {
  top = (end + 7) & ~7;
}

/** Forgets all masks. */
export function clear(): void {
  top = START;
}

/** Gives up what was reserved, and leaves so many bytes at `top` for a mask. */
export function leave(bytes: usize): void {
  free = (top + bytes + 7) & ~7;
}

/** Memory filled with anything, aligned to 8 bytes. Pieces follow one another; between those of 8 bytes there are no gaps. */
export function reserve(bytes: usize): usize {
  const start = free;
  free = (start + bytes + 7) & ~7;
  const missing = i32((free + (1 << PAGE_BITS) - 1) >> PAGE_BITS) - memory.size();
  if (missing > 0 && memory.grow(max(missing, memory.size())) < 0 && memory.grow(missing) < 0) unreachable();
  return start;
}

export function integerAt(list: usize, index: i32): i32 {
  return load<i32>(list + (usize(index) << 2));
}

export function setInteger(list: usize, index: i32, value: i32): void {
  store<i32>(list + (usize(index) << 2), value);
}
