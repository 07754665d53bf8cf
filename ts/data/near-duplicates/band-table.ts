/** Hashes in the order of their values in a band: each has a place. */
import { type Band, bandValue } from "./bands.js";
import { WORDS_PER_HASH } from "./picture-hash.js";

export interface BandTable {
  /** (2^width + 1) the place where the hashes of each value start. */
  readonly starts: Uint32Array;
  /** Which hash is at each place. */
  readonly positions: Uint32Array;
}

/**
 * A counting sort by the value of the band.
 * @param hashes (2N) two words each; two zeros stand for no hash, which has no place.
 * @param changes each hash has a place for every one of these, as if its value were changed so.
 */
export function buildTable(hashes: Uint32Array, band: Band, changes: Uint32Array): BandTable {
  const ends = new Uint32Array(2 ** band.width + 1);
  forEachValue(hashes, band, changes, (value) => {
    ends[value] = (ends[value] as number) + 1;
  });
  for (let value = 1; value < ends.length; value++) {
    ends[value] = (ends[value] as number) + (ends[value - 1] as number);
  }
  const positions = new Uint32Array(ends.at(-1) as number);
  forEachValue(hashes, band, changes, (value, position) => {
    const place = (ends[value] as number) - 1;
    ends[value] = place;
    positions[place] = position;
  });
  // Filling up from the end has turned the ends into starts.
  return { starts: ends, positions };
}

function forEachValue(
  hashes: Uint32Array,
  band: Band,
  changes: Uint32Array,
  visit: (value: number, position: number) => void,
): void {
  for (let position = 0; position < hashes.length / WORDS_PER_HASH; position++) {
    const low = hashes[2 * position] as number;
    const high = hashes[2 * position + 1] as number;
    if (low === 0 && high === 0) continue;
    const value = bandValue(band, low, high);
    for (let change = 0; change < changes.length; change++) visit(value ^ (changes[change] as number), position);
  }
}
