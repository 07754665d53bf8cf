/** Pictures for the tests of near-duplicates, made of smooth waves that can be looked at through any window. */
import { seededRandom } from "../../../../ts/core/random.js";
import type { Picture } from "../../../../ts/data/near-duplicates/alignment.js";
import {
  type Margins,
  pictureHashes,
  THUMBNAIL_PX,
  WORDS_PER_PICTURE,
} from "../../../../ts/data/near-duplicates/picture-hash.js";
import type { SharedPictures } from "../../../../ts/data/near-duplicates/search.js";

export const WHOLE: Margins = { left: 0, right: 0, top: 0, bottom: 0 };

const WAVES = 30;

/** What the picture of a seed shows within the margins; with left and right exchanged if it is mirrored. */
export function view(seed: number, { left, right, top, bottom } = WHOLE, mirrored = false): Picture {
  const planes = [0, 1, 2].map((plane) => waves(seed + 1000 * plane));
  const colours = planes.map((plane) =>
    Uint8Array.from({ length: THUMBNAIL_PX ** 2 }, (_, index) => {
      const x = ((index % THUMBNAIL_PX) + 0.5) / THUMBNAIL_PX;
      const y = (Math.floor(index / THUMBNAIL_PX) + 0.5) / THUMBNAIL_PX;
      return plane(left + (mirrored ? 1 - x : x) * (1 - left - right), top + y * (1 - top - bottom));
    }),
  );
  const gray = Uint8Array.from(
    { length: THUMBNAIL_PX ** 2 },
    (_, index) => (colours[1] as Uint8Array)[index] as number,
  );
  return { gray, colours };
}

function waves(seed: number): (x: number, y: number) => number {
  const random = seededRandom(seed);
  const parts = Array.from({ length: WAVES }, () => [50 * random() - 25, 50 * random() - 25, 6.3 * random()] as const);
  return (x, y) =>
    128 + parts.reduce((sum, [across, down, phase]) => sum + 6 * Math.cos(across * x + down * y + phase), 0);
}

export function hashesOf(pictures: readonly Picture[]): SharedPictures {
  const hashes = new Uint32Array(new SharedArrayBuffer(4 * WORDS_PER_PICTURE * pictures.length));
  pictures.forEach(({ gray }, position) => hashes.set(pictureHashes(gray), position * WORDS_PER_PICTURE));
  return hashes;
}
