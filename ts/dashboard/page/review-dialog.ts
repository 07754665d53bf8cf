/** One image at a time, to be accepted, rejected or corrected, with the mouse or with keys alone. */
import { type Box, boxAt, classAt, keptOf, type LabelTable } from "../view/label-table.js";
import type { LabelFile, LabelSet, ReviewedBox, ReviewedImage } from "../wire.js";
import { type ApiError, change } from "./api.js";
import { element, replace } from "./dom.js";
import { createPicture, type DrawnBox, type Picture } from "./picture.js";

export interface ReviewOptions {
  readonly runId: string;
  readonly set: LabelSet;
  readonly table: LabelTable;
  readonly mayChange: boolean;
  /** Those to go through, and where to begin. */
  readonly images: readonly number[];
  readonly index: number;
  readonly threshold: number;
  readonly boxesOf: (image: number) => readonly DrawnBox[];
  readonly reviews: ReadonlyMap<string, ReviewedImage>;
  readonly onChange: (name: string, review: ReviewedImage | undefined) => void;
  readonly onClose: (index: number) => void;
}

const LEAST_SIDE_PX = 3;
const HELP =
  "Arrow keys: next and previous image. Tab or [ and ]: choose a box. X: remove it. 1 to 9: its class. A: accept. R: reject. U: undo the review. Drag: a new box.";

export function openReview(options: ReviewOptions): void {
  const { runId, set, table, mayChange, images, reviews, onChange } = options;
  let index = options.index;
  let objects: ReviewedBox[] = [];
  let isEdited = false;
  let selected = -1;
  let drawn: Picture | undefined;

  const stage = element("div", { class: "stage" });
  const title = element("h2", { id: "review-title" });
  const state = element("p", { class: "quiet", role: "status" });
  const list = element("ul", { class: "plain-list objects" });
  const fault = element("p", { class: "fault", role: "alert" });
  const file = (): LabelFile => set.files[images[index] as number] as LabelFile;

  const load = (): void => {
    const known = reviews.get(file().name);
    objects = known === undefined ? suggested(table, images[index] as number, options) : [...known.objects];
    isEdited = known !== undefined;
    selected = -1;
    drawn = createPicture(runId, file(), 1280);
    replace(stage, drawn.element);
    replace(fault);
    draw();
  };
  const edit = (next: readonly ReviewedBox[]): void => {
    objects = [...next];
    isEdited = true;
    selected = Math.min(selected, objects.length - 1);
    draw();
  };
  const nameOf = ({ category_id }: ReviewedBox): string =>
    set.categories.find(({ id }) => id === category_id)?.name ?? "no class";
  const draw = (): void => {
    const { name } = file();
    const verdict = reviews.get(name)?.verdict;
    replace(title, name);
    replace(state, `${index + 1} of ${images.length}, ${objects.length} boxes, ${verdict ?? "not reviewed"}`);
    const own = objects.map(
      ({ box_xywh }, at): DrawnBox => ({ box: box_xywh, kind: at === selected ? "selected" : "edited" }),
    );
    const chosen = own.filter(({ kind }) => kind === "selected");
    const suggestion = options.boxesOf(images[index] as number);
    drawn?.setBoxes(isEdited && mayChange ? own : [...suggestion, ...chosen]);
    replace(list, mayChange ? objects.map((object, at) => objectItem(nameOf(object), at)) : []);
  };
  const objectItem = (name: string, at: number): HTMLElement =>
    element(
      "li",
      {},
      element(
        "button",
        { "aria-pressed": at === selected ? "true" : "false", onclick: () => choose(at) },
        `${at + 1}: ${name}`,
      ),
      element("button", { class: "plain", "aria-label": `Remove box ${at + 1}`, onclick: () => remove(at) }, "\u00d7"),
    );
  const choose = (at: number): void => {
    selected = objects.length === 0 ? -1 : (at + objects.length) % objects.length;
    draw();
  };
  const remove = (at: number): void => edit(objects.filter((_, other) => other !== at));
  const classify = (category: number): void => {
    const found = set.categories[category];
    if (found === undefined) return;
    // Without a chosen box all are meant that have no class yet.
    edit(
      objects.map((object, at) =>
        at === selected || (selected < 0 && object.category_id === undefined)
          ? { ...object, category_id: found.id }
          : object,
      ),
    );
  };
  const go = (step: number): void => {
    index = Math.max(0, Math.min(images.length - 1, index + step));
    load();
  };
  const save = (verdict: ReviewedImage["verdict"]): void => {
    const review: ReviewedImage = { file_name: file().name, verdict, objects: verdict === "accepted" ? objects : [] };
    change("PUT", `runs/${encodeURIComponent(runId)}/review`, review).then(() => {
      onChange(review.file_name, review);
      go(1);
    }, show);
  };
  const undo = (): void => {
    const { name } = file();
    const path = `runs/${encodeURIComponent(runId)}/review?file=${encodeURIComponent(name)}`;
    change("DELETE", path).then(() => {
      onChange(name, undefined);
      load();
    }, show);
  };
  const show = ({ message, remedy }: ApiError): void => replace(fault, `${message} ${remedy}`);

  const keys: Readonly<Record<string, () => void>> = {
    ArrowRight: () => go(1),
    ArrowLeft: () => go(-1),
    ...(mayChange
      ? {
          "]": () => choose(selected + 1),
          "[": () => choose(selected < 0 ? objects.length - 1 : selected - 1),
          x: () => selected >= 0 && remove(selected),
          Delete: () => selected >= 0 && remove(selected),
          a: () => save("accepted"),
          r: () => save("rejected"),
          u: undo,
        }
      : {}),
  };
  const dialog = element(
    "dialog",
    { class: "review", "aria-labelledby": "review-title" },
    element("div", { class: "heading small" }, title, element("button", { onclick: () => dialog.close() }, "Close")),
    element(
      "div",
      { class: "review-body" },
      stage,
      element(
        "div",
        { class: "side" },
        state,
        mayChange && classButtons(set, classify),
        list,
        fault,
        mayChange &&
          element(
            "div",
            { class: "actions" },
            element("button", { class: "primary", onclick: () => save("accepted") }, "Accept"),
            element("button", { onclick: () => save("rejected") }, "Reject"),
            element("button", { class: "plain", onclick: undo }, "Undo"),
          ),
        element(
          "div",
          { class: "actions" },
          element("button", { onclick: () => go(-1) }, "Previous"),
          element("button", { onclick: () => go(1) }, "Next"),
        ),
        element("p", { class: "quiet help" }, mayChange ? HELP : "Arrow keys: next and previous image."),
      ),
    ),
  );
  dialog.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const digit = /^[1-9]$/.test(event.key) && mayChange;
    const act = digit ? () => classify(Number(event.key) - 1) : keys[event.key];
    if (act === undefined) return;
    event.preventDefault();
    act();
  });
  dialog.addEventListener("close", () => {
    dialog.remove();
    options.onClose(index);
  });
  if (mayChange) {
    letDraw(
      stage,
      () => drawn,
      (box_xywh) => {
        edit([...objects, { box_xywh, ...categoryOf(set, 0) }]);
        choose(objects.length - 1);
      },
    );
  }
  document.body.append(dialog);
  load();
  dialog.showModal();
}

/** What the model says, to begin with. */
function suggested(table: LabelTable, image: number, { set, threshold }: ReviewOptions): ReviewedBox[] {
  const start = table.starts[image] as number;
  return Array.from({ length: keptOf(table, image, threshold) }, (_, at) => {
    return { box_xywh: boxAt(table, start + at), ...categoryOf(set, classAt(table, start + at)) };
  });
}

/** Predictions without classes have the only category that there is, or none. */
function categoryOf({ classes, categories }: LabelSet, index: number): Pick<ReviewedBox, "category_id"> {
  const category = classes.length === categories.length ? categories[index] : undefined;
  return category === undefined ? {} : { category_id: category.id };
}

function classButtons({ categories }: LabelSet, classify: (index: number) => void): HTMLElement {
  return element(
    "div",
    { class: "choice", role: "group", "aria-label": "Class of the chosen box" },
    categories.map(({ name }, index) =>
      element("button", { onclick: () => classify(index) }, index < 9 && element("kbd", {}, index + 1), name),
    ),
  );
}

/** A box from corner to corner. */
function letDraw(stage: HTMLElement, picture: () => Picture | undefined, onBox: (box: Box) => void): void {
  let from: readonly [number, number] | undefined;
  stage.addEventListener("pointerdown", (event) => {
    from = picture()?.pointAt(event);
    stage.setPointerCapture(event.pointerId);
  });
  stage.addEventListener("pointerup", (event) => {
    const to = picture()?.pointAt(event);
    if (from === undefined || to === undefined) return;
    const box: Box = [
      Math.min(from[0], to[0]),
      Math.min(from[1], to[1]),
      Math.abs(from[0] - to[0]),
      Math.abs(from[1] - to[1]),
    ];
    from = undefined;
    if (box[2] >= LEAST_SIDE_PX && box[3] >= LEAST_SIDE_PX) onBox(box);
  });
}
