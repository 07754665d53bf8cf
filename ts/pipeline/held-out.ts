/** Which labeled images the pseudo-labeler goes without, so that its scores can be judged on them. */
import { type Dataset, objectsOf } from "../core/dataset.js";
import { drawSplits } from "../data/splits/draw-splits.js";

export interface HeldOut {
  /** What the pseudo-labeler trains on. */
  readonly training: Dataset;
  readonly heldOut: Dataset;
  /** Whether images of one series are on both sides, so that the held-out ones are easier than new ones. */
  readonly isTorn: boolean;
}

/** More would make the interval of the threshold hardly narrower, and the pseudo-labeler poorer. */
const MOST_IMAGES = 200;

/**
 * Draws the training part like a split, so that it has every class first, rare ones before others, and holds out the rest.
 * Series stay together, unless so little would be held out or trained on that there is no other way.
 * @param share of the images, in [0, 1). At least one image is held out and one is not, if there are two and the share is not 0;
 * at most 200 are held out.
 * @param seriesOf the series of an image, by its file name.
 */
export function holdOut(
  { categories, images }: Dataset,
  share: number,
  seed: number,
  seriesOf: (fileName: string) => string,
): HeldOut {
  const count =
    share === 0 ? 0 : Math.min(Math.max(1, Math.round(share * images.length)), images.length - 1, MOST_IMAGES);
  const draw = (groupOf: (fileName: string) => string): ReadonlySet<number> => {
    const drawn = images.map((image) => ({
      id: image.id,
      classes: [...new Set(objectsOf(image).map(({ class_index }) => class_index))],
      group: groupOf(image.file_name),
    }));
    const percent = (100 * (images.length - count)) / images.length;
    return new Set(drawSplits(drawn, [percent], 1, seed)[0]?.image_ids);
  };
  const bySeries = draw(seriesOf);
  const isSound = bySeries.size < images.length && images.length - bySeries.size <= 2 * count;
  const isTorn = count > 0 && !isSound;
  const training = isTorn ? draw((fileName) => fileName) : bySeries;
  return {
    isTorn,
    training: { categories, images: images.filter(({ id }) => training.has(id)) },
    heldOut: { categories, images: images.filter(({ id }) => !training.has(id)) },
  };
}
