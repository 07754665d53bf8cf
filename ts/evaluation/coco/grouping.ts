/** Annotations class by class, image by image, in the order in which pycocotools visits them. */
import { type BoxColumns, type DetectionColumns, type GroundTruthColumns, isEvaluated } from "./columns.js";
import type { Parameters } from "./options.js";
import { scoreRanks, sortStable, startsOf } from "./sorting.js";

/** Rows sorted by class (0..K-1 of the axes), then by image, then in the order that decides ties. */
export interface Grouped {
  /** Row numbers of the columns. */
  readonly rows: Int32Array;
  /** Image of each of `rows`, ascending within a class. */
  readonly image: Int32Array;
  /** Where each class starts in `rows`; K + 1 entries. */
  readonly classStarts: Int32Array;
}

/** Only the `maxDets` best of each image and class; best first within an image. */
export interface GroupedDetections extends Grouped {
  /** 0 for the best of its image and class. */
  readonly rankInImage: Int32Array;
  /** Place of each of `rows` among all of its class, by descending score. */
  readonly placeInClass: Int32Array;
}

export function groupGroundTruth(columns: GroundTruthColumns, parameters: Parameters): Grouped {
  const { imageIds, categoryIds, useCats } = parameters;
  const inImages = allRows(columns).filter((row) =>
    useCats ? isEvaluated(columns, row) : (columns.image[row] as number) >= 0,
  );
  const named = sortStable(inImages, columns.image, imageIds.length);
  const meant = lastOfEachId(named, columns.id).filter((row) => isEvaluated(columns, row));
  const byCategory = sortStable(meant, columns.category, categoryIds.length);
  return grouped(columns, byCategory, parameters);
}

export function groupDetections(columns: DetectionColumns, parameters: Parameters): GroupedDetections {
  const { axes, categoryIds } = parameters;
  const ranks = scoreRanks(columns.score);
  const rows = allRows(columns).filter((row) => isEvaluated(columns, row));
  const byCategory = sortStable(rows, columns.category, categoryIds.length);
  const byScore = sortStable(byCategory, ranks, columns.score.length);
  const all = grouped(columns, byScore, parameters);
  const rankInImage = ranksInImage(all);
  const limit = axes.maxDets.at(-1) as number;
  const keep = (_: number, position: number) => (rankInImage[position] as number) < limit;
  const keptRows = all.rows.filter(keep);
  const kept = {
    rows: keptRows,
    image: all.image.filter(keep),
    classStarts: classStarts(columns, keptRows, parameters),
  };
  return { ...kept, rankInImage: rankInImage.filter(keep), placeInClass: placesInClass(kept, ranks) };
}

/** Without classes an image is one group, in which rows stay in the order given. */
function grouped(columns: BoxColumns, rows: Int32Array, parameters: Parameters): Grouped {
  const { imageIds, categoryIds, useCats } = parameters;
  const byImage = sortStable(rows, columns.image, imageIds.length);
  const sorted = useCats ? sortStable(byImage, columns.category, categoryIds.length) : byImage;
  const image = sorted.map((row) => columns.image[row] as number);
  return { rows: sorted, image, classStarts: classStarts(columns, sorted, parameters) };
}

function classStarts(columns: BoxColumns, rows: Int32Array, { categoryIds, useCats }: Parameters): Int32Array {
  return useCats ? startsOf(rows, columns.category, categoryIds.length) : Int32Array.of(0, rows.length);
}

function allRows({ image }: BoxColumns): Int32Array {
  return new Int32Array(image.length).map((_, row) => row);
}

/** pycocotools looks annotations up by id: of several with one id the last stands in for all, each time. */
function lastOfEachId(rows: Int32Array, ids: Float64Array): Int32Array {
  const last = new Map<number, number>();
  ids.forEach((id, row) => last.set(id, row));
  return last.size === ids.length ? rows : rows.map((row) => last.get(ids[row] as number) as number);
}

function ranksInImage({ image, classStarts }: Grouped): Int32Array {
  const ranks = new Int32Array(image.length);
  for (let k = 0; k + 1 < classStarts.length; k++) {
    const start = classStarts[k] as number;
    for (let position = start + 1; position < (classStarts[k + 1] as number); position++) {
      if (image[position] === image[position - 1]) ranks[position] = (ranks[position - 1] as number) + 1;
    }
  }
  return ranks;
}

/** Equal scores keep their order: by image, then by rank within it. */
function placesInClass({ rows, classStarts }: Grouped, ranks: Int32Array): Int32Array {
  const places = new Int32Array(rows.length);
  const keys = rows.map((row) => ranks[row] as number);
  const byScore = sortStable(
    rows.map((_, position) => position),
    keys,
    ranks.length,
  );
  const classOf = new Int32Array(rows.length);
  for (let k = 0; k + 1 < classStarts.length; k++) classOf.fill(k, classStarts[k], classStarts[k + 1]);
  const next = new Int32Array(classStarts.length);
  for (const position of byScore) {
    const k = classOf[position] as number;
    const place = next[k] as number;
    places[position] = place;
    next[k] = place + 1;
  }
  return places;
}
