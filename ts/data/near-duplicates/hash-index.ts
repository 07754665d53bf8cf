/**
 * Multi-index hashing: finds the hashes that differ in few bits without comparing all pairs. Every band of the hashes has a
 * table by the value of the band, where a hash is looked up with each change that near hashes may show there.
 */
import { type Band, bandsFor, bandValue, changesOf } from "./bands.js";
import { countBits, hammingDistance, WORDS_PER_HASH } from "./picture-hash.js";

export interface HashIndex {
  /** Visits every hash near to the given one, once, in no particular order. */
  search(low: number, high: number, visit: (position: number, distance: number) => void): void;
  /**
   * Visits every pair of near hashes once, in no particular order.
   * @param mask what both words of one of the two are xored with: FLIP_MASK, or 0 for hashes as they are.
   */
  searchPairs(mask: number, visit: (first: number, second: number, distance: number) => void): void;
}

/** The hashes in the order of their values in a band: their places. */
interface BandTable extends Band {
  /** As `changesOf` gives them. */
  readonly changes: Uint32Array;
  /** (2^width + 1) the place where the hashes of each value start. */
  readonly starts: Uint32Array;
  /** (N) which hash is at each place. */
  readonly positions: Uint32Array;
  /** (2N) the words of the hash at each place, so that those of one value lie side by side. */
  readonly hashes: Uint32Array;
}

/**
 * @param hashes (2N) two words each; two zeros stand for no hash, which is near to none.
 * @param maxDistance the most bits in which near hashes differ.
 */
export function buildHashIndex(hashes: Uint32Array, maxDistance: number): HashIndex {
  const bands = bandsFor(hashes.length / WORDS_PER_HASH, maxDistance);
  const tables = bands.map((band) => buildTable(hashes, band));
  /** Whether an earlier table has found hashes with this difference. */
  const isKnown = (table: BandTable, low: number, high: number): boolean =>
    tables.slice(0, tables.indexOf(table)).some((band) => countBits(bandValue(band, low, high)) <= band.radius);

  return {
    search(low, high, visit) {
      if (low === 0 && high === 0) return;
      for (const table of tables) {
        scan(table, low, high, 0, maxDistance, (place, distance) => {
          if (isKnown(table, low ^ lowAt(table.hashes, place), high ^ highAt(table.hashes, place))) return;
          visit(table.positions[place] as number, distance);
        });
      }
    },
    searchPairs(mask, visit) {
      for (const table of tables) {
        const { positions, hashes: sorted } = table;
        let place = 0;
        let low = 0;
        let high = 0;
        const found = (other: number, distance: number): void => {
          if (isKnown(table, low ^ lowAt(sorted, other), high ^ highAt(sorted, other))) return;
          visit(positions[place] as number, positions[other] as number, distance);
        };
        for (; place < positions.length; place++) {
          low = lowAt(sorted, place) ^ mask;
          high = highAt(sorted, place) ^ mask;
          scan(table, low, high, place + 1, maxDistance, found);
        }
      }
    },
  };
}

/** A counting sort by the value of the band. */
function buildTable(hashes: Uint32Array, band: Band): BandTable {
  const ends = new Uint32Array(2 ** band.width + 1);
  const count = hashes.length / WORDS_PER_HASH;
  for (let position = 0; position < count; position++) {
    const value = valueAt(hashes, position, band);
    if (value >= 0) ends[value] = (ends[value] as number) + 1;
  }
  for (let value = 1; value < ends.length; value++) {
    ends[value] = (ends[value] as number) + (ends[value - 1] as number);
  }
  return { ...band, ...placeByValue(hashes, band, ends), starts: ends, changes: changesOf(band) };
}

/** @param ends (2^width + 1) the place after the last hash of each value; afterwards that of the first. */
function placeByValue(hashes: Uint32Array, band: Band, ends: Uint32Array) {
  const positions = new Uint32Array(ends.at(-1) as number);
  const sorted = new Uint32Array(WORDS_PER_HASH * positions.length);
  for (let position = hashes.length / WORDS_PER_HASH - 1; position >= 0; position--) {
    const value = valueAt(hashes, position, band);
    if (value < 0) continue;
    const place = (ends[value] as number) - 1;
    ends[value] = place;
    positions[place] = position;
    sorted[2 * place] = lowAt(hashes, position);
    sorted[2 * place + 1] = highAt(hashes, position);
  }
  return { positions, hashes: sorted };
}

/** -1 where there is no hash. */
function valueAt(hashes: Uint32Array, position: number, band: Band): number {
  const low = lowAt(hashes, position);
  const high = highAt(hashes, position);
  return low === 0 && high === 0 ? -1 : bandValue(band, low, high);
}

function lowAt(hashes: Uint32Array, position: number): number {
  return hashes[2 * position] as number;
}

function highAt(hashes: Uint32Array, position: number): number {
  return hashes[2 * position + 1] as number;
}

/** Looks a hash up with every change of the band, in the places from `first` on. */
function scan(
  table: BandTable,
  low: number,
  high: number,
  first: number,
  maxDistance: number,
  found: (place: number, distance: number) => void,
): void {
  const { changes, starts, hashes } = table;
  const value = bandValue(table, low, high);
  for (let change = 0; change < changes.length; change++) {
    const neighbour = value ^ (changes[change] as number);
    const end = starts[neighbour + 1] as number;
    for (let place = Math.max(first, starts[neighbour] as number); place < end; place++) {
      const distance = hammingDistance(low, high, hashes[2 * place] as number, hashes[2 * place + 1] as number);
      if (distance <= maxDistance) found(place, distance);
    }
  }
}
