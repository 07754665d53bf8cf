/** An image with its pseudo labels, in the grid. */
import type { Reviews } from "../view/label-order.js";
import { keptOf, type Matches, outcomeOf } from "../view/label-table.js";
import type { LabelFile } from "../wire/labels.js";
import { element, replace } from "./dom.js";
import { drawnBoxes } from "./drawn-boxes.js";
import type { Cell } from "./grid.js";
import type { LoadedLabels } from "./loaded-labels.js";
import type { ImageMasks, MaskSource } from "./masks.js";
import { createPicture, type DrawnBox } from "./picture.js";

/** How pseudo labels are looked at. */
export interface LabelLook {
  threshold(): number;
  showsTruth(): boolean;
  readonly reviews: Reviews;
}

export function labelBoxes(labels: LoadedLabels, look: LabelLook, image: number, masks?: ImageMasks): DrawnBox[] {
  return drawnBoxes(labels.table, image, look.threshold(), shownMatches(labels, look, image), masks);
}

/** @param masks undefined where the model gives none. */
export function createLabelTile(
  labels: LoadedLabels,
  look: LabelLook,
  masks: MaskSource | undefined,
  image: number,
): Cell {
  const file = labels.set.files[image] as LabelFile;
  const picture = createPicture(labels.runId, file, 240);
  const note = element("span", { class: "quiet" });
  const caption = element("figcaption", {}, element("span", { class: "file", title: file.name }, file.name), note);
  const tile = element("figure", {}, element("div", { class: "frame" }, picture.element), caption);
  const redraw = (): void => {
    const verdict = look.reviews.get(file.name)?.verdict;
    picture.setBoxes(labelBoxes(labels, look, image, masks?.find(file.name)));
    tile.className = `tile ${verdict ?? ""}`;
    replace(note, verdict ?? describe(labels, look, image));
  };
  redraw();
  // Without masks the boxes are there all the same.
  if (masks?.find(file.name) === undefined) masks?.load(file.name).then(redraw, () => {});
  return { element: tile, redraw };
}

function describe(labels: LoadedLabels, look: LabelLook, image: number): string {
  const kept = keptOf(labels.table, image, look.threshold());
  const matches = shownMatches(labels, look, image);
  if (matches === undefined) return `${kept} ${kept === 1 ? "box" : "boxes"}`;
  const { right, wrong, missed } = outcomeOf(matches, kept);
  return `${right} right, ${wrong} wrong, ${missed} missed`;
}

function shownMatches({ matches }: LoadedLabels, look: LabelLook, image: number): Matches | undefined {
  return look.showsTruth() ? matches[image] : undefined;
}
