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

/** (32 * 32) for each of the four windows of one axis, 8 rows of cosines over it. */
const COSINES = Float64Array.from(SIDES.flatMap(([before, after]) => [...cosineBasis(before, after)]));

/**
 * The hashes of all windows, two words each, in the order of WINDOWS. The bit of the mean is always set, so that no hash is 0;
 * a picture without contrast has only zeros: it is like no other.
 */
export function pictureHashes(thumbnail: Thumbnail): Uint32Array {
  const words = new Uint32Array(WORDS_PER_PICTURE);
  if (contrast(thumbnail) < LEAST_CONTRAST) return words;
  const rows = multiply(COSINES, Float64Array.from(thumbnail));
  const coefficients = multiply(rows, COSINES);
  for (let window = 0; window < WINDOWS.length; window++) {
    const [horizontal, vertical] = [Math.floor(window / SIDES.length), window % SIDES.length];
    words.set(coefficientSigns(coefficients, horizontal, vertical), WORDS_PER_HASH * window);
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

/** The hash of a window, given the frequencies of all windows: across in the rows, down in the columns of (32 * 32). */
function coefficientSigns(
  coefficients: Float64Array,
  horizontal: number,
  vertical: number,
): [low: number, high: number] {
  const words: [number, number] = [0, 0];
  for (let row = 0; row < FREQUENCIES; row++) {
    for (let column = 0; column < FREQUENCIES; column++) {
      const across = FREQUENCIES * horizontal + column;
      const isPositive = (coefficients[across * THUMBNAIL_PX + FREQUENCIES * vertical + row] as number) > 0;
      if (isPositive) words[row >> 2] = (words[row >> 2] as number) | (1 << (8 * (row & 3) + column));
    }
  }
  return words;
}

/** (32 * 32) the product of each row of `a` with each row of `b`; four at once, none of which waits for the others. */
function multiply(a: Float64Array, b: Float64Array): Float64Array {
  const products = new Float64Array(THUMBNAIL_PX * THUMBNAIL_PX);
  for (let place = 0; place < products.length; place += 4) {
    const [ofA, ofB] = [place - (place % THUMBNAIL_PX), (place % THUMBNAIL_PX) * THUMBNAIL_PX];
    let first = 0;
    let second = 0;
    let third = 0;
    let fourth = 0;
    for (let index = 0; index < THUMBNAIL_PX; index++) {
      const value = a[ofA + index] as number;
      const other = ofB + index;
      first += value * (b[other] as number);
      second += value * (b[other + THUMBNAIL_PX] as number);
      third += value * (b[other + 2 * THUMBNAIL_PX] as number);
      fourth += value * (b[other + 3 * THUMBNAIL_PX] as number);
    }
    products[place] = first;
    products[place + 1] = second;
    products[place + 2] = third;
    products[place + 3] = fourth;
  }
  return products;
}
