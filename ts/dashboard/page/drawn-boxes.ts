import { boxAt, keptOf, type LabelTable, type Matches, scoreAt, truthBox } from "../view/label-table.js";
import type { LabelFile } from "../wire/labels.js";
import type { ImageMasks } from "./masks.js";
import type { DrawnBox } from "./picture.js";

/** The boxes of an image that reach the threshold, and where its objects are known, which are right and which it misses. */
export function drawnBoxes(
  table: LabelTable,
  image: number,
  threshold: number,
  matches?: Matches,
  masks?: ImageMasks,
): DrawnBox[] {
  const start = table.starts[image] as number;
  const kept = keptOf(table, image, threshold);
  const boxes = Array.from({ length: kept }, (_, index): DrawnBox => {
    const kind = matches === undefined ? "plain" : (matches.found[index] as number) >= 0 ? "right" : "wrong";
    const label = scoreAt(table, start + index).toFixed(2);
    return { box: boxAt(table, start + index), kind, label, mask: masks?.[index]?.path };
  });
  if (matches === undefined) return boxes;
  const truth = (table.files[image] as LabelFile).truth ?? [];
  const missed = [...matches.foundBy.keys()].filter((object) => {
    const by = matches.foundBy[object] as number;
    return by === -1 || by >= kept;
  });
  return [...boxes, ...missed.map((object): DrawnBox => ({ box: truthBox(truth, object), kind: "missed" }))];
}
