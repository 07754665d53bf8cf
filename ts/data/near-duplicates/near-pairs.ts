/**
 * Multi-index hashing for the near pairs among many hashes. Every band has a table by the value of the band, in which a hash is looked
 * up with each change that near hashes may show there. Going through the table in its own order, the processor has in its caches what it
 * needs.
 */
import { buildTable } from "./band-table.js";
import { type Band, bandsFor, bandValue, changesOf, isNearIn, widthFor } from "./bands.js";
import { hammingDistance, WORDS_PER_HASH } from "./picture-hash.js";

export type VisitPair = (first: number, second: number, distance: number) => void;

const MAX_WIDTH = 22;
const NO_CHANGE = Uint32Array.of(0);

/**
 * Visits every pair of near hashes once, in no particular order.
 * @param hashes (2N) two words each; two zeros stand for no hash, which is near to none.
 * @param maxDistance the most bits in which near hashes differ.
 * @param mask what both words of one of the two are xored with: FLIP_MASK, or 0 for hashes as they are.
 */
export function forEachNearPair(hashes: Uint32Array, maxDistance: number, mask: number, visit: VisitPair): void {
  const bands = bandsFor(widthFor(hashes.length / WORDS_PER_HASH, MAX_WIDTH), maxDistance);
  for (const [index, band] of bands.entries()) {
    const earlier = bands.slice(0, index);
    pairsInBand(hashes, band, maxDistance, mask, (first, second, distance) => {
      const low = lowAt(hashes, first) ^ lowAt(hashes, second) ^ mask;
      const high = highAt(hashes, first) ^ highAt(hashes, second) ^ mask;
      if (!earlier.some((other) => isNearIn(other, low, high))) visit(first, second, distance);
    });
  }
}

function pairsInBand(hashes: Uint32Array, band: Band, maxDistance: number, mask: number, visit: VisitPair): void {
  const { starts, positions } = buildTable(hashes, band, NO_CHANGE);
  const sorted = inOrder(hashes, positions);
  const changes = changesOf(band);
  for (let place = 0; place < positions.length; place++) {
    const low = lowAt(sorted, place) ^ mask;
    const high = highAt(sorted, place) ^ mask;
    const value = bandValue(band, low, high);
    for (let change = 0; change < changes.length; change++) {
      const neighbour = value ^ (changes[change] as number);
      const end = starts[neighbour + 1] as number;
      // Each pair is met from the hash that comes first.
      for (let other = Math.max(place + 1, starts[neighbour] as number); other < end; other++) {
        const distance = hammingDistance(low, high, lowAt(sorted, other), highAt(sorted, other));
        if (distance <= maxDistance) visit(positions[place] as number, positions[other] as number, distance);
      }
    }
  }
}

/** (2N) side by side in the order of their places. */
function inOrder(hashes: Uint32Array, positions: Uint32Array): Uint32Array {
  const sorted = new Uint32Array(WORDS_PER_HASH * positions.length);
  for (let place = 0; place < positions.length; place++) {
    const position = positions[place] as number;
    sorted[2 * place] = lowAt(hashes, position);
    sorted[2 * place + 1] = highAt(hashes, position);
  }
  return sorted;
}

function lowAt(hashes: Uint32Array, position: number): number {
  return hashes[2 * position] as number;
}

function highAt(hashes: Uint32Array, position: number): number {
  return hashes[2 * position + 1] as number;
}
