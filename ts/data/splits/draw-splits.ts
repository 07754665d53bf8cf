/** Draws which images count as labeled: K per cent, several times over, each class at least once where possible. */
import { sha256 } from "../../core/hash.js";
import { seededRandom, shuffled } from "../../core/random.js";

/** An image as a split sees it. */
export interface SplitImage {
  readonly id: number;
  /** Indices of the classes that it has objects of, each once. */
  readonly classes: readonly number[];
  /** Images of the same group stay together. */
  readonly group: string | number;
}

export interface DrawnSplit {
  readonly percent: number;
  /** 0..folds-1: each is drawn anew. */
  readonly fold: number;
  /** Ascending. */
  readonly image_ids: readonly number[];
}

/** Images that are taken together or not at all. */
interface Unit {
  readonly images: readonly SplitImage[];
  readonly classes: ReadonlySet<number>;
}

/**
 * For each fold one split of each size; the smaller ones of a fold are subsets of the larger ones. A split first takes images of
 * classes that it lacks, rare classes first, and then any. It has its share of the images, or fewer if no further group fits,
 * but at least one group.
 * @param percents of the images, in (0, 100].
 */
export function drawSplits(
  images: readonly SplitImage[],
  percents: readonly number[],
  folds: number,
  seed: number,
): DrawnSplit[] {
  const units = unitsOf(images);
  const classes = rareFirst(units);
  const ascending = [...percents].sort((a, b) => a - b);
  return Array.from({ length: folds }, (_, fold) => {
    const draw = startDraw(shuffled(units, seededRandom(foldSeed(seed, fold))), classes);
    return ascending.map((percent) => ({ percent, fold, image_ids: draw(sizeOf(images.length, percent)) }));
  }).flat();
}

/** The same whatever the order of the images. */
function unitsOf(images: readonly SplitImage[]): Unit[] {
  const groups = new Map<string | number, SplitImage[]>();
  for (const image of [...images].sort((a, b) => a.id - b.id)) {
    const group = groups.get(image.group);
    if (group === undefined) groups.set(image.group, [image]);
    else group.push(image);
  }
  return Array.from(groups.values(), (members) => ({
    images: members,
    classes: new Set(members.flatMap(({ classes }) => classes)),
  }));
}

function foldSeed(seed: number, fold: number): number {
  return Number.parseInt(sha256(`fold ${fold} of seed ${seed}`).slice(0, 8), 16);
}

function sizeOf(images: number, percent: number): number {
  return Math.max(1, Math.round((images * percent) / 100));
}

/** Class indices by the number of units that have them. */
function rareFirst(units: readonly Unit[]): number[] {
  const counts = new Map<number, number>();
  for (const index of units.flatMap(({ classes }) => [...classes])) counts.set(index, (counts.get(index) ?? 0) + 1);
  return [...counts].sort((a, b) => a[1] - b[1] || a[0] - b[0]).map(([index]) => index);
}

/** Returns a function that adds to what it has taken before until that has a given size, and returns its ids, ascending. */
function startDraw(units: readonly Unit[], classes: readonly number[]): (size: number) => number[] {
  const queue = new Set(units);
  const covered = new Set<number>();
  const ids: number[] = [];
  const take = (unit: Unit): void => {
    queue.delete(unit);
    for (const index of unit.classes) covered.add(index);
    ids.push(...unit.images.map(({ id }) => id));
  };

  return (size) => {
    const fits = ({ images }: Unit): boolean => ids.length + images.length <= size;
    for (const index of classes) {
      const having = covered.has(index) ? [] : [...queue].filter((unit) => unit.classes.has(index) && fits(unit));
      const best = largest(having, (unit) => [...unit.classes].filter((other) => !covered.has(other)).length);
      if (best !== undefined) take(best);
    }
    for (const unit of queue) if (fits(unit)) take(unit);
    const least = largest([...queue], ({ images }) => -images.length);
    if (ids.length === 0 && least !== undefined) take(least);
    return [...ids].sort((a, b) => a - b);
  };
}

/** The first of those for which the size is largest. */
function largest<T>(items: readonly T[], sizeOfItem: (item: T) => number): T | undefined {
  const sizes = items.map(sizeOfItem);
  return items[sizes.indexOf(sizes.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY))];
}
