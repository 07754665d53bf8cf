/** How much two pictures differ when one, which may lack borders of the other, is laid over it as well as it fits. */
import { type Margins, THUMBNAIL_PX, type Thumbnail } from "./picture-hash.js";

/** Cells on each axis in which the pictures are compared: fewer than a thumbnail has pixels, so that a crop has them too. */
const CELLS = 24;
const CORNERS = CELLS + 1;

/** Wider borders are not looked for; a share of the side. */
const MAX_BORDER = 0.15;

/** The search moves borders by the first step until that helps no more, then by half of it, down to the last. */
const FIRST_STEP = 0.04;
const LAST_STEP = 0.005;

/** Pictures that correlate less than this where the search starts are not the same. */
const LEAST_START = 0.4;

/** A picture to be laid over another: its gray values, and its red, green and blue ones. */
export interface Picture {
  readonly gray: Thumbnail;
  readonly colours: readonly Thumbnail[];
}

/** Shares that are left out at the left, right, top and bottom. */
type Borders = readonly number[];

const NO_BORDERS: Borders = [0, 0, 0, 0];

/**
 * One minus the correlation between the gray values of `part` and of that part of `whole` which fits it best, or that of their
 * colours if it is lower: 0 if they differ in brightness and contrast only, about 1 if they have nothing to do with each other.
 * @param start where about the part is in the whole.
 * @returns in [0, 2].
 */
export function pictureDistance(whole: Picture, part: Picture, start: Margins): number {
  const { borders, fit } = bestFit(whole.gray, part.gray, [start.left, start.right, start.top, start.bottom]);
  if (fit < LEAST_START) return 1 - fit;
  const colours = correlation(
    part.colours.map((colour) => cellsOf(integrate(colour), NO_BORDERS)),
    whole.colours.map((colour) => cellsOf(integrate(colour), borders)),
  );
  return Math.max(0, 1 - Math.min(fit, colours));
}

/** Moves one border at a time as long as that makes them fit better. */
function bestFit(whole: Thumbnail, part: Thumbnail, start: Borders): { borders: Borders; fit: number } {
  const sums = integrate(whole);
  const target = [cellsOf(integrate(part), NO_BORDERS)];
  let best = { borders: start, fit: correlation(target, [cellsOf(sums, start)]) };
  if (best.fit < LEAST_START) return best;
  for (let step = FIRST_STEP; step >= LAST_STEP; ) {
    const before = best;
    for (const moved of moves(step)) {
      const borders = best.borders.map((border, side) =>
        Math.min(Math.max(border + (moved[side] ?? 0), 0), MAX_BORDER),
      );
      const fit = correlation(target, [cellsOf(sums, borders)]);
      if (fit > best.fit) best = { borders, fit };
    }
    if (best === before) step /= 2;
  }
  return best;
}

/** The picture with left and right exchanged. */
export function mirror({ gray, colours }: Picture): Picture {
  return { gray: mirrorRows(gray), colours: colours.map(mirrorRows) };
}

function mirrorRows(thumbnail: Thumbnail): Thumbnail {
  const pixels = new Uint8Array(thumbnail.length);
  for (let row = 0; row < thumbnail.length; row += THUMBNAIL_PX) {
    pixels.set(thumbnail.subarray(row, row + THUMBNAIL_PX).toReversed(), row);
  }
  return pixels;
}

/** Every border by itself, either way. */
function moves(step: number): number[][] {
  return [-step, step].flatMap((move) => [[move], [0, move], [0, 0, move], [0, 0, 0, move]]);
}

const SUMS = THUMBNAIL_PX + 1;

/** (33 * 33) for each corner the sum of all pixels above it and to the left. */
function integrate(thumbnail: Thumbnail): Float64Array {
  const sums = new Float64Array(SUMS * SUMS);
  for (let y = 0; y < THUMBNAIL_PX; y++) {
    let row = 0;
    for (let x = 0; x < THUMBNAIL_PX; x++) {
      row += thumbnail[y * THUMBNAIL_PX + x] as number;
      sums[(y + 1) * SUMS + x + 1] = (sums[y * SUMS + x + 1] as number) + row;
    }
  }
  return sums;
}

/** (24 * 24) sums over equal cells of what the borders leave. */
function cellsOf(sums: Float64Array, [left = 0, right = 0, top = 0, bottom = 0]: Borders): Float64Array {
  const xs = cornersOf(left, right);
  const ys = cornersOf(top, bottom);
  const corners = new Float64Array(CORNERS * CORNERS);
  for (let row = 0; row < CORNERS; row++) {
    for (let column = 0; column < CORNERS; column++) {
      corners[row * CORNERS + column] = sumUpTo(sums, xs[column] as number, ys[row] as number);
    }
  }
  const at = (row: number, column: number): number => corners[row * CORNERS + column] as number;
  const cells = new Float64Array(CELLS * CELLS);
  for (let row = 0; row < CELLS; row++) {
    for (let column = 0; column < CELLS; column++) {
      cells[row * CELLS + column] =
        at(row + 1, column + 1) - at(row + 1, column) - at(row, column + 1) + at(row, column);
    }
  }
  return cells;
}

/** (25) in px of the thumbnail. */
function cornersOf(before: number, after: number): Float64Array {
  const width = (1 - before - after) * THUMBNAIL_PX;
  return Float64Array.from({ length: CORNERS }, (_, corner) => before * THUMBNAIL_PX + (width * corner) / CELLS);
}

/** The sum of all that is above and to the left of a point, also between corners. */
function sumUpTo(sums: Float64Array, x: number, y: number): number {
  const column = Math.min(Math.floor(x), THUMBNAIL_PX - 1);
  const row = Math.min(Math.floor(y), THUMBNAIL_PX - 1);
  const corner = row * SUMS + column;
  const upper = between(sums[corner] as number, sums[corner + 1] as number, x - column);
  const lower = between(sums[corner + SUMS] as number, sums[corner + SUMS + 1] as number, x - column);
  return between(upper, lower, y - row);
}

function between(a: number, b: number, share: number): number {
  return a + (b - a) * share;
}

/** Pearson's, over the values of all planes; 0 if either side has no contrast. */
function correlation(a: readonly Float64Array[], b: readonly Float64Array[]): number {
  const sums = { a: 0, b: 0, aa: 0, bb: 0, ab: 0 };
  for (const [plane, valuesA] of a.entries()) {
    const valuesB = b[plane] as Float64Array;
    for (let cell = 0; cell < valuesA.length; cell++) {
      const valueA = valuesA[cell] as number;
      const valueB = valuesB[cell] as number;
      sums.a += valueA;
      sums.b += valueB;
      sums.aa += valueA * valueA;
      sums.bb += valueB * valueB;
      sums.ab += valueA * valueB;
    }
  }
  const count = a.length * CELLS * CELLS;
  const covariance = sums.ab - (sums.a * sums.b) / count;
  const variances = (sums.aa - (sums.a * sums.a) / count) * (sums.bb - (sums.b * sums.b) / count);
  return variances < 1e-6 ? 0 : covariance / Math.sqrt(variances);
}
