/** Hashes in the order of their values in a band: each has a place. */
import { type Band, bandValue } from "./bands.js";
import { WORDS_PER_HASH } from "./picture-hash.js";

export interface BandTable {
  /** (2^width + 1) the place where the hashes of each value start, and where those of the last one end. */
  readonly starts: Uint32Array;
  /** Which hash is at each place. */
  readonly positions: Uint32Array;
  /** The words of the hash at each place. */
  readonly lows: Uint32Array;
  readonly highs: Uint32Array;
}

/**
 * A counting sort by the value of the band.
 * @param hashes (2N) two words each; two zeros stand for no hash, which has no place.
 */
export function buildTable(hashes: Uint32Array, band: Band): BandTable {
  const values = bandValues(hashes, band);
  const ends = new Uint32Array(2 ** band.width + 2);
  for (const value of values) ends[value] = (ends[value] as number) + 1;
  for (let value = 1; value < ends.length; value++) {
    ends[value] = (ends[value] as number) + (ends[value - 1] as number);
  }
  const positions = new Uint32Array(values.length);
  const lows = new Uint32Array(values.length);
  const highs = new Uint32Array(values.length);
  for (let position = 0; position < values.length; position++) {
    const value = values[position] as number;
    const place = (ends[value] as number) - 1;
    ends[value] = place;
    positions[place] = position;
    lows[place] = hashes[2 * position] as number;
    highs[place] = hashes[2 * position + 1] as number;
  }
  // Filling up from the end has turned the ends into starts.
  const starts = ends.subarray(0, -1);
  const count = starts.at(-1);
  return {
    starts,
    positions: positions.subarray(0, count),
    lows: lows.subarray(0, count),
    highs: highs.subarray(0, count),
  };
}

/** (N) the value of each hash; for no hash one more than the highest. */
function bandValues(hashes: Uint32Array, band: Band): Uint32Array {
  const values = new Uint32Array(hashes.length / WORDS_PER_HASH);
  for (let position = 0; position < values.length; position++) {
    const low = hashes[2 * position] as number;
    const high = hashes[2 * position + 1] as number;
    values[position] = low === 0 && high === 0 ? 2 ** band.width : bandValue(band, low, high);
  }
  return values;
}
