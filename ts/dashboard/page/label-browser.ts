/** Thousands of images with their pseudo labels, selected anew at any score, judged and corrected. */
import { filterImages, sortImages } from "../view/label-order.js";
import type { ReviewedImage } from "../wire/labels.js";
import { element } from "./dom.js";
import { createGrid } from "./grid.js";
import { createLabelControls } from "./label-controls.js";
import { createLabelTile, type LabelLook, labelBoxes } from "./label-tile.js";
import type { LoadedLabels } from "./loaded-labels.js";
import { createMaskSource, type MaskSource } from "./masks.js";
import { openReview } from "./review-dialog.js";
import { createSavedReviews } from "./saved-reviews.js";
import { createSelectionCard, type SelectionCard } from "./selection-card.js";

export interface LabelBrowser extends Pick<SelectionCard, "showThresholdOfRun"> {
  readonly element: HTMLElement;
}

/** @param mayChange whether images may be reviewed. */
export function createLabelBrowser(labels: LoadedLabels, mayChange: boolean): LabelBrowser {
  let shown: readonly number[] = [];
  const arrange = (): void => {
    const [threshold, filter] = [selection.threshold(), controls.filter()];
    shown = sortImages(labels, filterImages(labels, filter, threshold, look.reviews), controls.sort(), threshold);
    controls.showCount(shown.length);
    grid.setItems(shown.length);
  };
  const redraw = (): void => grid.redraw();
  const saved = createSavedReviews(labels.runId, labels.set.reviews);
  const selection = createSelectionCard(labels, { onMove: redraw, onSettle: arrange });
  const controls = createLabelControls(labels, { beside: saved.element, onArrange: arrange, onTruth: redraw });
  const { reviews } = saved;
  const look: LabelLook = { threshold: selection.threshold, showsTruth: controls.showsTruth, reviews };
  const review = reviewer(labels, look, mayChange, (name, said) => {
    saved.change(name, said);
    redraw();
  });
  const masks = maskSource(labels, 240);
  const grid = createGrid({
    ...{ label: "Images", cellWidth: 236, cellHeight: 218 },
    draw: (index) => createLabelTile(labels, look, masks, shown[index] as number),
    onOpen: (index) => review(shown, index, grid.focus),
  });
  arrange();
  const { showThresholdOfRun } = selection;
  return { element: element("div", {}, selection.element, controls.element, grid.element), showThresholdOfRun };
}

type Reviewer = (images: readonly number[], index: number, onClose: (index: number) => void) => void;

function reviewer(
  labels: LoadedLabels,
  look: LabelLook,
  mayChange: boolean,
  onChange: (name: string, said: ReviewedImage | undefined) => void,
): Reviewer {
  const { runId, set, table } = labels;
  const masks = maskSource(labels, 1280);
  return (images, index, onClose) =>
    openReview({
      ...{ runId, set, table, masks, images, index, onChange, onClose },
      mayChange: mayChange && set.set === "unlabeled",
      boxesOf: (image, drawn) => labelBoxes(labels, look, image, drawn),
      threshold: look.threshold(),
      reviews: look.reviews,
    });
}

function maskSource({ runId, question, set }: LoadedLabels, side_px: number): MaskSource | undefined {
  return set.has_masks ? createMaskSource(runId, question, side_px) : undefined;
}
