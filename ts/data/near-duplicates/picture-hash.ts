/**
 * Hashes of what a picture shows: 64 bits from the signs of its 8 x 8 lowest DCT coefficients, for the whole picture and for
 * 15 windows that leave out borders, so that a picture and its crop have a pair of hashes that differ in few bits.
 */

/** Side of a thumbnail: a picture squeezed into a square of gray values. */
export const THUMBNAIL_PX = 32;

/** (32 * 32) row by row, 0..255. */
export type Thumbnail = Uint8Array;

/** Shares of width and height that a window leaves out. */
export interface Margins {
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
}

/** A border of up to twice this share may be missing: the nearer of the windows with and without it is off by half. */
const MARGIN = 0.08;

const SIDES = [0, MARGIN].flatMap((before) => [0, MARGIN].map((after) => [before, after] as const));

/** The first is the whole picture. */
export const WINDOWS: readonly Margins[] = SIDES.flatMap(([left, right]) =>
  SIDES.map(([top, bottom]) => ({ left, right, top, bottom })),
);

/** A hash is two words: bit `8 * (row & 3) + column` of word `row >> 2` is the sign of the coefficient (row, column). */
export const WORDS_PER_HASH = 2;
export const WORDS_PER_PICTURE = WORDS_PER_HASH * WINDOWS.length;

/** What a left-right flip does to either word: it changes the sign of the odd columns. */
export const FLIP_MASK = 0xaaaaaaaa;

const FREQUENCIES = 8;

/** Standard deviation of gray values below which a picture shows too little to be told from others. */
const LEAST_CONTRAST = 2;

/** Cosines over each window of one axis, as (8 * 32). */
const BASES = SIDES.map(([before, after]) => cosineBasis(before, after));

/**
 * The hashes of all windows, two words each, in the order of WINDOWS. The bit of the mean is always set, so that no hash is 0;
 * a picture without contrast has only zeros: it is like no other.
 */
export function pictureHashes(thumbnail: Thumbnail): Uint32Array {
  const words = new Uint32Array(WORDS_PER_PICTURE);
  if (contrast(thumbnail) < LEAST_CONTRAST) return words;
  const pixels = Float64Array.from(thumbnail);
  let word = 0;
  for (const horizontal of BASES) {
    const rows = transformRows(pixels, horizontal);
    for (const vertical of BASES) {
      const signs = coefficientSigns(rows, vertical);
      words[word++] = signs[0];
      words[word++] = signs[1];
    }
  }
  return words;
}

/**
 * (2 * N) the hashes of one window of some pictures.
 * @param pictures the hashes of all windows of all pictures, one picture after the other.
 * @param positions (N) which pictures.
 */
export function hashesOfWindow(pictures: Uint32Array, positions: Uint32Array, window: number): Uint32Array {
  const hashes = new Uint32Array(WORDS_PER_HASH * positions.length);
  for (const [place, position] of positions.entries()) {
    const word = position * WORDS_PER_PICTURE + window * WORDS_PER_HASH;
    hashes[2 * place] = pictures[word] as number;
    hashes[2 * place + 1] = pictures[word + 1] as number;
  }
  return hashes;
}

/** How many bits of two hashes differ, given their words. */
export function hammingDistance(low: number, high: number, otherLow: number, otherHigh: number): number {
  return countBits(low ^ otherLow) + countBits(high ^ otherHigh);
}

/** How many bits of a 32-bit word are set. */
export function countBits(word: number): number {
  const pairs = word - ((word >>> 1) & 0x55555555);
  const nibbles = (pairs & 0x33333333) + ((pairs >>> 2) & 0x33333333);
  return Math.imul((nibbles + (nibbles >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}

function contrast(values: Uint8Array): number {
  let sum = 0;
  let squares = 0;
  for (const value of values) {
    sum += value;
    squares += value * value;
  }
  const mean = sum / values.length;
  return Math.sqrt(Math.max(0, squares / values.length - mean * mean));
}

/** Each cosine integrated over the part of each pixel that is inside the window. */
function cosineBasis(before: number, after: number): Float64Array {
  const start = before * THUMBNAIL_PX;
  const end = (1 - after) * THUMBNAIL_PX;
  const basis = new Float64Array(FREQUENCIES * THUMBNAIL_PX);
  for (let frequency = 0; frequency < FREQUENCIES; frequency++) {
    const omega = (Math.PI * frequency) / (end - start);
    const integral = (x: number): number => (frequency === 0 ? x : Math.sin(omega * (x - start)) / omega);
    for (let pixel = 0; pixel < THUMBNAIL_PX; pixel++) {
      const from = Math.max(pixel, start);
      const to = Math.min(pixel + 1, end);
      if (to > from) basis[frequency * THUMBNAIL_PX + pixel] = integral(to) - integral(from);
    }
  }
  return basis;
}

/** (8 * 32): for each horizontal frequency a column of 32 values, one for each row of the thumbnail. */
function transformRows(pixels: Float64Array, basis: Float64Array): Float64Array {
  const columns = new Float64Array(FREQUENCIES * THUMBNAIL_PX);
  for (let row = 0; row < THUMBNAIL_PX; row++) {
    for (let frequency = 0; frequency < FREQUENCIES; frequency++) {
      columns[frequency * THUMBNAIL_PX + row] = product(basis, frequency, pixels, row);
    }
  }
  return columns;
}

function coefficientSigns(columns: Float64Array, basis: Float64Array): [low: number, high: number] {
  const words: [number, number] = [0, 0];
  for (let row = 0; row < FREQUENCIES; row++) {
    for (let column = 0; column < FREQUENCIES; column++) {
      const isPositive = product(basis, row, columns, column) > 0;
      if (isPositive) words[row >> 2] = (words[row >> 2] as number) | (1 << (8 * (row & 3) + column));
    }
  }
  return words;
}

/** Of one run of 32 values with another. */
function product(a: Float64Array, runOfA: number, b: Float64Array, runOfB: number): number {
  const startA = runOfA * THUMBNAIL_PX;
  const startB = runOfB * THUMBNAIL_PX;
  let sum = 0;
  for (let place = 0; place < THUMBNAIL_PX; place++) {
    sum += (a[startA + place] as number) * (b[startB + place] as number);
  }
  return sum;
}
