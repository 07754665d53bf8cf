/** The browser of pseudo labels: thousands of images, selected anew at any score, judged and corrected. */
import { formatAp } from "../../report/format.js";
import {
  countKept,
  estimateAt,
  keptOf,
  type LabelTable,
  labelTable,
  type Matches,
  matchImage,
  outcomeOf,
  SORTS,
  type Sort,
  scoreHistogram,
  sortImages,
} from "../view/label-table.js";
import type { ImageSet, LabelSet, ReviewedImage } from "../wire.js";
import { get } from "./api.js";
import { labelled, named, select } from "./choice.js";
import { element, replace } from "./dom.js";
import { drawnBoxes } from "./drawn-boxes.js";
import { legend } from "./evaluated-tiles.js";
import { type Cell, createGrid } from "./grid.js";
import { scoreBars } from "./histogram.js";
import { createMaskSource, type ImageMasks } from "./masks.js";
import { numberOf } from "./numbers.js";
import { createPicture } from "./picture.js";
import { openReview } from "./review-dialog.js";
import { heading, runPath, runTabs, type Shell } from "./shell.js";

const FILTERS = ["all", "not reviewed", "accepted", "rejected", "with errors"] as const;
const BARS = 50;
const NAMES: Readonly<Record<ImageSet, string>> = { unlabeled: "unlabeled images", held_out: "held-out images" };

export async function showLabels(shell: Shell, runId: string): Promise<void> {
  const asked = new URLSearchParams(location.search);
  const question = new URLSearchParams({ scope: asked.get("scope") ?? "", set: asked.get("set") ?? "unlabeled" });
  const path = `runs/${encodeURIComponent(runId)}`;
  replace(
    shell.main,
    heading("Pseudo labels", trail(runId)),
    runTabs(runId, "labels"),
    element("p", {}, "Loading ..."),
  );
  const set = await get<LabelSet>(`${path}/labels?${question}`);
  const bytes = await (await fetch(`/api/${path}/boxes?${question}`)).arrayBuffer();
  const table = labelTable(set.files, new Float32Array(bytes));
  const matches = set.files.map((_, image) => matchImage(table, image));
  showSet(shell, runId, set, table, matches);
}

function showSet(
  shell: Shell,
  runId: string,
  set: LabelSet,
  table: LabelTable,
  matches: readonly (Matches | undefined)[],
): void {
  const reviews = new Map(set.reviews.map((review) => [review.file_name, review]));
  const hasTruth = matches.some((match) => match !== undefined);
  const histogram = scoreHistogram(table, BARS);
  let threshold = set.threshold ?? 0.5;
  let shown: number[] = [];

  const slider = element("input", { type: "range", id: "threshold", min: 0, max: 1, step: 0.005, value: threshold });
  const exact = element("output", { for: "threshold" });
  const bars = element("div", { class: "bars" });
  const numbers = element("dl", { class: "numbers", "aria-live": "off" });
  const sort = select("Sort by", named(SORTS.filter((name) => name !== "disagreement" || hasTruth)));
  const filter = select("Show", named(FILTERS.filter((name) => name !== "with errors" || hasTruth)));
  const truth = element("input", { type: "checkbox", id: "truth", checked: hasTruth, disabled: !hasTruth });
  const count = element("span", { class: "quiet", role: "status" });
  const saved = element("span", { class: "quiet" });

  const boxesOf = (image: number, masks: ImageMasks | undefined) =>
    drawnBoxes(table, image, threshold, truth.checked ? matches[image] : undefined, masks);
  const question = new URLSearchParams({ scope: set.scope, set: set.set });
  const maskSource = (side_px: number) => (set.has_masks ? createMaskSource(runId, question, side_px) : undefined);
  const masks = maskSource(240);
  const largeMasks = maskSource(1280);
  const grid = createGrid({
    label: "Images",
    cellWidth: 236,
    cellHeight: 218,
    draw: (index) => cell(shown[index] as number),
    onOpen: (index) => review(index),
  });
  const cell = (image: number): Cell => {
    const file = set.files[image] as LabelSet["files"][number];
    const drawn = createPicture(runId, file, 240);
    const note = element("span", { class: "quiet" });
    const tile = element(
      "figure",
      {},
      element("div", { class: "frame" }, drawn.element),
      element("figcaption", {}, element("span", { class: "file", title: file.name }, file.name), note),
    );
    const redraw = (): void => {
      const verdict = reviews.get(file.name)?.verdict;
      const kept = keptOf(table, image, threshold);
      drawn.setBoxes(boxesOf(image, masks?.find(file.name)));
      tile.className = `tile ${verdict ?? ""}`;
      replace(note, verdict ?? describeTile(kept, truth.checked ? matches[image] : undefined));
    };
    redraw();
    // Without masks the boxes are there all the same.
    if (masks?.find(file.name) === undefined) masks?.load(file.name).then(redraw, () => {});
    return { element: tile, redraw };
  };
  const drawNumbers = (): void => {
    const { boxes, emptyImages } = countKept(table, threshold);
    const estimate = estimateAt(set.curve, threshold);
    const outcome = hasTruth ? sum(table, matches, threshold) : undefined;
    replace(exact, threshold.toFixed(3));
    replace(bars, scoreBars(histogram, threshold));
    replace(
      numbers,
      numberOf("boxes", String(boxes)),
      numberOf("per image", (boxes / Math.max(1, table.files.length)).toFixed(2)),
      numberOf("images without", String(emptyImages)),
      estimate && numberOf("precision (held out)", formatAp(estimate.precision)),
      estimate && numberOf("recall (held out)", formatAp(estimate.recall)),
      outcome && numberOf("right", String(outcome.right)),
      outcome && numberOf("wrong", String(outcome.wrong)),
      outcome && numberOf("missed", String(outcome.missed)),
    );
  };
  const arrange = (): void => {
    const wanted = [...table.files.keys()].filter((image) => matchesFilter(image));
    shown = sortImages(table, wanted, sort.value as Sort, threshold, matches);
    replace(count, shown.length === set.total ? `${set.total} images` : `${shown.length} of ${set.total} images`);
    grid.setItems(shown.length);
  };
  const matchesFilter = (image: number): boolean => {
    const verdict = reviews.get(set.files[image]?.name ?? "")?.verdict;
    switch (filter.value as (typeof FILTERS)[number]) {
      case "all":
        return true;
      case "not reviewed":
        return verdict === undefined;
      case "with errors": {
        const match = matches[image];
        if (match === undefined) return false;
        const { wrong, missed } = outcomeOf(match, keptOf(table, image, threshold));
        return wrong + missed > 0;
      }
      default:
        return verdict === filter.value;
    }
  };
  const drawSaved = (): void => {
    const accepted = [...reviews.values()].filter(({ verdict }) => verdict === "accepted");
    const unclear = accepted.filter(({ objects }) =>
      objects.some(({ category_id }) => category_id === undefined),
    ).length;
    saved.hidden = reviews.size === 0;
    replace(
      saved,
      `${reviews.size} reviewed${unclear === 0 ? "" : `, ${unclear} with boxes that have no class yet`}. `,
      element(
        "a",
        { href: `/api/runs/${encodeURIComponent(runId)}/reviewed.json`, download: true },
        "Accepted as COCO",
      ),
      " for ",
      element("code", {}, `cassl labels import ${runId}`),
    );
  };
  const review = (index: number): void =>
    openReview({
      runId,
      set,
      table,
      mayChange: shell.session.mayChange && set.set === "unlabeled",
      images: shown,
      index,
      boxesOf,
      masks: largeMasks,
      threshold,
      reviews,
      onChange: (name: string, saidNow: ReviewedImage | undefined) => {
        if (saidNow === undefined) reviews.delete(name);
        else reviews.set(name, saidNow);
        drawSaved();
        grid.redraw();
      },
      onClose: (last) => grid.focus(last),
    });

  slider.addEventListener("input", () => {
    threshold = Number(slider.value);
    drawNumbers();
    grid.redraw();
  });
  slider.addEventListener("change", arrange);
  sort.addEventListener("change", arrange);
  filter.addEventListener("change", arrange);
  truth.addEventListener("change", () => grid.redraw());

  replace(
    shell.main,
    heading("Pseudo labels", trail(runId), choices(runId, set)),
    runTabs(runId, "labels"),
    element(
      "section",
      { class: "card selection", "aria-label": "Selection" },
      element(
        "div",
        { class: "threshold" },
        bars,
        slider,
        element("label", { for: "threshold" }, "Score threshold ", exact),
        set.threshold !== undefined && element("span", { class: "quiet" }, `the run's: ${set.threshold.toFixed(3)}`),
      ),
      numbers,
    ),
    element(
      "div",
      { class: "filters" },
      labelled("Sort by", sort),
      labelled("Show", filter),
      element("label", { class: "check", for: "truth" }, truth, "Ground truth"),
      hasTruth && legend(),
      count,
      saved,
    ),
    grid.element,
  );
  drawNumbers();
  drawSaved();
  arrange();
}

function trail(runId: string): HTMLElement[] {
  return [element("a", { href: "/" }, "Runs"), element("a", { href: runPath(runId) }, runId)];
}

function choices(runId: string, { scope, scopes, set, sets }: LabelSet): HTMLElement {
  const addressOf = (name: string, images: LabelSet["set"]): string =>
    `scope=${encodeURIComponent(name)}&set=${images}`;
  const options = scopes.flatMap((name) =>
    sets.map((images) => [addressOf(name, images), `${name}, ${NAMES[images]}`] as const),
  );
  const choice = select("Labels", options, addressOf(scope, set));
  choice.addEventListener("change", () => location.assign(`${runPath(runId)}/labels?${choice.value}`));
  return choice;
}

function describeTile(kept: number, matches: Matches | undefined): string {
  if (matches === undefined) return `${kept} ${kept === 1 ? "box" : "boxes"}`;
  const { right, wrong, missed } = outcomeOf(matches, kept);
  return `${right} right, ${wrong} wrong, ${missed} missed`;
}

function sum(table: LabelTable, matches: readonly (Matches | undefined)[], threshold: number) {
  let [right, wrong, missed] = [0, 0, 0];
  for (const [image, match] of matches.entries()) {
    if (match === undefined) continue;
    const outcome = outcomeOf(match, keptOf(table, image, threshold));
    right += outcome.right;
    wrong += outcome.wrong;
    missed += outcome.missed;
  }
  return { right, wrong, missed };
}
