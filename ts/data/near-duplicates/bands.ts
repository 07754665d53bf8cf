/** The 64 bits of a hash, cut into bands in which near hashes are looked up. */

/** A run of bits of a hash. */
export interface Band {
  readonly shift: number;
  /** In bits, at most 22. */
  readonly width: number;
  /** How many bits of the band may differ. */
  readonly radius: number;
}

const HASH_BITS = 64;
const MIN_WIDTH = 8;
const MAX_WIDTH = 22;

/**
 * Bands of which at least one differs in no more bits than its radius, for any hashes within `maxDistance` of each other: if
 * each differed in more, together they would differ in `maxDistance + 1` (pigeonhole).
 * @param count of the hashes to look among: bands are so wide that about one hash has each of their values.
 */
export function bandsFor(count: number, maxDistance: number): Band[] {
  const width = Math.min(Math.max(Math.round(Math.log2(count + 1)), MIN_WIDTH), MAX_WIDTH);
  const bands = Math.ceil(HASH_BITS / width);
  const edge = (band: number): number => Math.floor((band * HASH_BITS) / bands);
  return Array.from({ length: bands }, (_, band) => ({
    shift: edge(band),
    width: edge(band + 1) - edge(band),
    radius: Math.floor((maxDistance + bands - band) / bands) - 1,
  })).filter(({ radius }) => radius >= 0);
}

/** The bits of the band, as a number. */
export function bandValue({ shift, width }: Band, low: number, high: number): number {
  const mask = (1 << width) - 1;
  if (shift >= 32) return (high >>> (shift - 32)) & mask;
  if (shift + width <= 32) return (low >>> shift) & mask;
  return ((low >>> shift) | (high << (32 - shift))) & mask;
}

/** Every way in which up to `radius` bits of the band may differ, as a number to xor with; none comes first. */
export function changesOf({ width, radius }: Band): Uint32Array {
  let latest = [0];
  const all = [0];
  for (let set = 0; set < radius; set++) {
    latest = latest.flatMap((change) => bitsAbove(change, width).map((bit) => change | (1 << bit)));
    all.push(...latest);
  }
  return Uint32Array.from(all);
}

/** The bits of the band that are higher than any in the change. */
function bitsAbove(change: number, width: number): number[] {
  const lowest = 32 - Math.clz32(change);
  return Array.from({ length: width - lowest }, (_, index) => lowest + index);
}
