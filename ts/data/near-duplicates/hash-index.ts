/**
 * Multi-index hashing for few hashes that many are compared with. Every band has a table in which a hash has a place for each value
 * that a near hash may have there, so that searching is one look into each table.
 */
import { type BandTable, buildTable } from "./band-table.js";
import { type Band, bandsFor, bandValue, changesOf, isNearIn, widthFor } from "./bands.js";
import { countBits } from "./picture-hash.js";

/** Called with the position of an indexed hash. */
export type VisitHash = (position: number, distance: number) => void;

export interface HashIndex {
  /** Visits every indexed hash near to the given one, once, in no particular order. */
  search(low: number, high: number, visit: VisitHash): void;
}

/** Wider tables would outgrow the caches of a processor. */
const MAX_WIDTH = 16;

/**
 * @param hashes (2N) two words each; two zeros stand for no hash, which is near to none.
 * @param maxDistance the most bits in which near hashes differ.
 * @param searches about how many there will be.
 */
export function buildHashIndex(hashes: Uint32Array, maxDistance: number, searches: number): HashIndex {
  const bands = bandsFor(widthFor(searches, MAX_WIDTH), maxDistance);
  const tables = bands.map((band) => buildTable(hashes, band, changesOf(band)));

  /** Whether one of the bands before has found hashes with this difference. */
  const isKnown = (index: number, low: number, high: number): boolean =>
    bands.slice(0, index).some((band) => isNearIn(band, low, high));

  const searchBand = (index: number, low: number, high: number, visit: VisitHash): void => {
    const { starts, positions } = tables[index] as BandTable;
    const value = bandValue(bands[index] as Band, low, high);
    const end = starts[value + 1] as number;
    for (let place = starts[value] as number; place < end; place++) {
      const position = positions[place] as number;
      const differsLow = low ^ (hashes[2 * position] as number);
      const differsHigh = high ^ (hashes[2 * position + 1] as number);
      const distance = countBits(differsLow) + countBits(differsHigh);
      if (distance <= maxDistance && !isKnown(index, differsLow, differsHigh)) visit(position, distance);
    }
  };

  return {
    search(low, high, visit) {
      if (low === 0 && high === 0) return;
      for (let index = 0; index < bands.length; index++) searchBand(index, low, high, visit);
    },
  };
}
