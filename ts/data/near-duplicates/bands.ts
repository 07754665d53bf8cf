/** The 64 bits of a hash, cut into bands in which near hashes are looked up. */

import { countBits } from "./picture-hash.js";

/** A run of bits of a hash. */
export interface Band {
  readonly shift: number;
  /** In bits. */
  readonly width: number;
  /** How many bits of the band may differ. */
  readonly radius: number;
}

const HASH_BITS = 64;
const MIN_WIDTH = 8;

/**
 * Bands of which at least one differs in no more bits than its radius, for any hashes within `maxDistance` of each other: if
 * each differed in more, together they would differ in `maxDistance + 1` (pigeonhole).
 * @param width about how wide the bands are to be, in bits.
 */
export function bandsFor(width: number, maxDistance: number): Band[] {
  const bands = Math.ceil(HASH_BITS / width);
  const edge = (band: number): number => Math.floor((band * HASH_BITS) / bands);
  return Array.from({ length: bands }, (_, band) => ({
    shift: edge(band),
    width: edge(band + 1) - edge(band),
    // The first bit of every hash is the same: the first band, which tells least, has the least radius.
    radius: Math.floor((maxDistance + 1 + band) / bands) - 1,
  })).filter(({ radius }) => radius >= 0);
}

/** The width of bands of which about one hash has each value, but no wider than `most`. */
export function widthFor(count: number, most: number): number {
  return Math.min(Math.max(Math.round(Math.log2(count + 1)), MIN_WIDTH), most);
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

/** Whether two hashes, of which these bits differ, are near in the band. */
export function isNearIn(band: Band, low: number, high: number): boolean {
  return countBits(bandValue(band, low, high)) <= band.radius;
}
