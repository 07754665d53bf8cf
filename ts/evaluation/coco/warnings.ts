/** What in the input makes the numbers other than they seem. */
import { areDistinct } from "./grouping.js";
import type { GroundTruth } from "./input/ground-truth.js";
import type { Results } from "./input/results.js";
import { positionsOf } from "./positions.js";

export function warningsAbout({ images, categories, annotations }: GroundTruth, results: Results): string[] {
  const imageIds = Array.from(images.id);
  const categoryIds = categories.map(({ id }) => id);
  return [
    ...misreadIds(annotations.id),
    ...sharedIds("images", images.id),
    ...sharedIds("categories", Float64Array.from(categoryIds)),
    ...foreignIds("annotation", "image_id", annotations.imageId, imageIds),
    ...foreignIds("annotation", "category_id", annotations.categoryId, categoryIds),
    ...foreignIds("result", "category_id", results.categoryId, categoryIds),
    ...negativeAreas(annotations.area),
    ...negativeSizes("annotation", annotations.boxXywh),
    ...negativeSizes("result", results.boxXywh),
  ];
}

function misreadIds(ids: Float64Array): string[] {
  const warnings: string[] = [];
  if (ids.includes(0)) {
    warnings.push(
      "A ground-truth annotation has the id 0: as in pycocotools, a detection of it counts as wrong. Use ids from 1.",
    );
  }
  if (!areDistinct(ids)) {
    warnings.push("Ground-truth annotations share an id: as in pycocotools, the last of them stands in for all.");
  }
  return warnings;
}

function sharedIds(records: string, ids: Float64Array): string[] {
  if (areDistinct(ids)) return [];
  return [`Ground-truth ${records} share an id: as in pycocotools, they are one, with the values of the last of them.`];
}

/** @param known ids of the ground truth. */
function foreignIds(record: string, name: string, ids: Float64Array, known: readonly number[]): string[] {
  const positions = positionsOf(ids, known);
  const first = positions.indexOf(-1);
  if (first < 0) return [];
  const count = positions.filter((position) => position < 0).length;
  const records = `${count} ${record}${count === 1 ? "" : "s"}`;
  return [
    `Left out, as in pycocotools: ${records} whose ${name} the ground truth does not list, ` +
      `the first at position ${first} with ${ids[first]}.`,
  ];
}

function negativeAreas(areas: Float64Array): string[] {
  const first = areas.findIndex((area) => area < 0);
  if (first < 0) return [];
  const count = areas.filter((area) => area < 0).length;
  return [
    `${count} of the ground-truth annotations ${count === 1 ? "has" : "have"} a negative area (the first is at position ${first}): ` +
      "as in pycocotools, they are ignored where area ranges start at 0.",
  ];
}

function negativeSizes(record: string, boxXywh: Float64Array): string[] {
  let count = 0;
  let first = -1;
  for (let at = 0; at < boxXywh.length; at += 4) {
    // An absent box is NaN.
    if (!((boxXywh[at + 2] as number) < 0 || (boxXywh[at + 3] as number) < 0)) continue;
    if (first < 0) first = at / 4;
    count++;
  }
  if (count === 0) return [];
  const place = `the first is the ${record} at position ${first}`;
  return [`${count} boxes have a negative width or height (${place}): as in pycocotools, they overlap nothing.`];
}
