/** What in the input makes the numbers other than they seem. */
import { areDistinct } from "./grouping.js";
import type { GroundTruth } from "./input/ground-truth.js";
import type { Results } from "./input/results.js";

export function warningsAbout({ annotations }: GroundTruth, results: Results): string[] {
  const warnings: string[] = [];
  if (annotations.id.includes(0)) {
    warnings.push(
      "A ground-truth annotation has the id 0: as in pycocotools, a detection of it counts as wrong. Use ids from 1.",
    );
  }
  if (!areDistinct(annotations.id)) {
    warnings.push("Ground-truth annotations share an id: as in pycocotools, the last of them stands in for all.");
  }
  return [
    ...warnings,
    ...negativeSizes("annotation", annotations.boxXywh),
    ...negativeSizes("result", results.boxXywh),
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
