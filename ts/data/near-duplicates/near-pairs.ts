/**
 * Multi-index hashing for the near pairs among many hashes, or between a few and many. Every band has a table by the value of the band,
 * in which hashes are looked up with each change that near hashes may show there. Going through a table in its own order, the processor
 * has in its caches what it needs.
 */
import { type BandTable, buildTable } from "./band-table.js";
import { type Band, bandsFor, bandValue, changesOf, isNearIn, widthFor } from "./bands.js";
import { countBits, WORDS_PER_HASH } from "./picture-hash.js";

export type VisitPair = (first: number, second: number, distance: number) => void;

/** Among many, the values of a band are about as many as the hashes. */
const MAX_WIDTH = 22;

/** Between a few and many, a change of a wider band would hardly meet anything. */
const MAX_WIDTH_BETWEEN = 16;

/**
 * Visits every pair of near hashes once, in no particular order.
 * @param hashes (2N) two words each; two zeros stand for no hash, which is near to none.
 * @param maxDistance the most bits in which near hashes differ.
 * @param mask what both words of one of the two are xored with: FLIP_MASK, or 0 for hashes as they are.
 */
export function forEachNearPair(hashes: Uint32Array, maxDistance: number, mask: number, visit: VisitPair): void {
  const bands = bandsFor(widthFor(hashes.length / WORDS_PER_HASH, MAX_WIDTH), maxDistance);
  forEachPairInBands(bands, maxDistance, mask, visit, (band) => {
    const table = buildTable(hashes, band);
    return [table, table];
  });
}

/**
 * Visits every near pair of a hash of the few and one of the many once, in no particular order.
 * @param few,many,maxDistance as in `forEachNearPair`.
 */
export function forEachNearPairBetween(
  few: Uint32Array,
  many: Uint32Array,
  maxDistance: number,
  visit: VisitPair,
): void {
  const bands = bandsFor(widthFor(many.length / WORDS_PER_HASH, MAX_WIDTH_BETWEEN), maxDistance);
  forEachPairInBands(bands, maxDistance, 0, visit, (band) => [buildTable(few, band), buildTable(many, band)]);
}

function forEachPairInBands(
  bands: readonly Band[],
  maxDistance: number,
  mask: number,
  visit: VisitPair,
  tablesOf: (band: Band) => [BandTable, BandTable],
): void {
  for (const [index, band] of bands.entries()) {
    const [first, second] = tablesOf(band);
    const earlier = bands.slice(0, index);
    pairsInBand(first, second, band, maxDistance, mask, (place, other) => {
      const low = (first.lows[place] as number) ^ (second.lows[other] as number) ^ mask;
      const high = (first.highs[place] as number) ^ (second.highs[other] as number) ^ mask;
      if (earlier.some((known) => isNearIn(known, low, high))) return;
      visit(first.positions[place] as number, second.positions[other] as number, countBits(low) + countBits(high));
    });
  }
}

/** Visits the places of near pairs. If both tables are the same, each pair is met from the place that comes first. */
function pairsInBand(
  first: BandTable,
  second: BandTable,
  band: Band,
  maxDistance: number,
  mask: number,
  visit: (place: number, other: number) => void,
): void {
  const { starts } = second;
  // Most pairs that meet in a band differ by far too much in the word that does not hold it.
  const [firstNear, firstFar] = isLow(band) ? [first.lows, first.highs] : [first.highs, first.lows];
  const [secondNear, secondFar] = isLow(band) ? [second.lows, second.highs] : [second.highs, second.lows];
  const changes = changesOf(band);
  for (let place = 0; place < first.positions.length; place++) {
    const value = bandValue(band, (first.lows[place] as number) ^ mask, (first.highs[place] as number) ^ mask);
    const far = (firstFar[place] as number) ^ mask;
    const near = (firstNear[place] as number) ^ mask;
    for (let change = 0; change < changes.length; change++) {
      const neighbour = value ^ (changes[change] as number);
      const start = starts[neighbour] as number;
      const end = starts[neighbour + 1] as number;
      for (let other = first === second ? Math.max(place + 1, start) : start; other < end; other++) {
        const distance = countBits(far ^ (secondFar[other] as number));
        if (distance > maxDistance) continue;
        if (distance + countBits(near ^ (secondNear[other] as number)) <= maxDistance) visit(place, other);
      }
    }
  }
}

/** Whether most bits of the band are in the low word. */
function isLow({ shift, width }: Band): boolean {
  return shift + width / 2 <= 32;
}
