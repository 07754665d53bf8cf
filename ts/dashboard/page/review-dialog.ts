/** One image at a time, to be accepted, rejected or corrected, with the mouse or with keys alone. */
import { type Box, boxAt, classAt, keptOf, type LabelTable } from "../view/label-table.js";
import { type EditedObject, fitsMask, fromReviewed, toReviewed } from "../view/reviewed-objects.js";
import type { LabelFile, LabelSet, ReviewedBox, ReviewedImage } from "../wire/labels.js";
import { type ApiError, change } from "./api.js";
import { createBoxEditor } from "./box-editor.js";
import { element, replace } from "./dom.js";
import type { ImageMasks, MaskSource } from "./masks.js";
import { objectItems } from "./object-list.js";
import { createPicture, type DrawnBox, type Picture } from "./picture.js";
import { reviewLayout } from "./review-layout.js";

export interface ReviewOptions {
  readonly runId: string;
  readonly set: LabelSet;
  readonly table: LabelTable;
  readonly mayChange: boolean;
  /** Those to go through, and where to begin. */
  readonly images: readonly number[];
  readonly index: number;
  readonly threshold: number;
  /** As the model suggests them. */
  readonly boxesOf: (image: number, masks: ImageMasks | undefined) => readonly DrawnBox[];
  /** Undefined where the model gives no masks. */
  readonly masks: MaskSource | undefined;
  readonly reviews: ReadonlyMap<string, ReviewedImage>;
  readonly onChange: (name: string, review: ReviewedImage | undefined) => void;
  readonly onClose: (index: number) => void;
}

export function openReview(options: ReviewOptions): void {
  const { runId, set, mayChange, images, reviews, onChange } = options;
  let index = options.index;
  let objects: readonly EditedObject[] = [];
  let masks: ImageMasks | undefined;
  let isEdited = false;
  let selected = -1;
  let drawn: Picture | undefined;
  /** Boxes without masks must not be saved in the place of those with some. */
  const areMasksMissing = (): boolean => options.masks !== undefined && masks === undefined;

  const stage = element("div", { class: "stage" });
  const title = element("h2", { id: "review-title" });
  const state = element("p", { class: "quiet", role: "status" });
  const list = element("ul", { class: "plain-list objects" });
  const fault = element("p", { class: "fault", role: "alert" });
  const imageAt = (): number => images[index] as number;
  const file = (): LabelFile => set.files[imageAt()] as LabelFile;
  const show = ({ message, remedy }: ApiError): void => replace(fault, `${message} ${remedy}`);
  const editor = createBoxEditor(stage, {
    onNew(box_xywh) {
      edit([...objects, { box_xywh, ...categoryOf(set, 0) }]);
      choose(objects.length - 1);
    },
    onCorrected: (box_xywh) => edit(objects.map((object, at) => (at === selected ? { ...object, box_xywh } : object))),
  });

  const load = (): void => {
    const { name } = file();
    const known = reviews.get(name);
    masks = options.masks?.find(name);
    objects = known === undefined ? suggested(imageAt(), masks, options) : known.objects.map(edited);
    isEdited = known !== undefined;
    selected = -1;
    drawn = createPicture(runId, file(), 1280);
    replace(stage, drawn.element);
    replace(fault);
    draw();
    if (areMasksMissing()) options.masks?.load(name).then(() => file().name === name && load(), show);
  };
  const edited = (object: ReviewedBox): EditedObject => fromReviewed(object, masks);
  const edit = (next: readonly EditedObject[]): void => {
    // Masks that are on their way would come in the place of what is corrected now.
    if (areMasksMissing()) return;
    objects = next;
    isEdited = true;
    selected = Math.min(selected, objects.length - 1);
    draw();
  };
  const draw = (): void => {
    const { name } = file();
    const verdict = reviews.get(name)?.verdict;
    replace(title, name);
    replace(state, `${index + 1} of ${images.length}, ${objects.length} boxes, ${verdict ?? "not reviewed"}`);
    const own = objects.map((object, at): DrawnBox => drawnObject(object, at === selected ? "selected" : "edited"));
    const chosen = own.filter(({ kind }) => kind === "selected");
    drawn?.setBoxes(isEdited && mayChange ? own : [...options.boxesOf(imageAt(), masks), ...chosen]);
    if (drawn !== undefined) editor.show(drawn, mayChange ? objects[selected]?.box_xywh : undefined);
    replace(list, mayChange ? objectItems(objects, { set, selected, choose, remove }) : []);
  };
  const choose = (at: number): void => {
    selected = objects.length === 0 ? -1 : (at + objects.length) % objects.length;
    draw();
  };
  const takeHold = (): void => {
    if (selected < 0) choose(0);
    editor.focus();
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
    if (areMasksMissing()) return;
    const accepted = verdict === "accepted" ? objects.map(toReviewed) : [];
    const review: ReviewedImage = { file_name: file().name, verdict, objects: accepted };
    change("PUT", `runs/${encodeURIComponent(runId)}/review`, review).then(() => {
      onChange(review.file_name, review);
      // Not past an image that nobody has seen: it may have been saved twice, or left meanwhile.
      if (file().name === review.file_name) go(1);
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

  const keys: Readonly<Record<string, () => void>> = {
    ArrowRight: () => go(1),
    ArrowLeft: () => go(-1),
    ...(mayChange
      ? {
          "]": () => choose(selected + 1),
          "[": () => choose(selected < 0 ? objects.length - 1 : selected - 1),
          e: takeHold,
          x: () => selected >= 0 && remove(selected),
          Delete: () => selected >= 0 && remove(selected),
          a: () => save("accepted"),
          r: () => save("rejected"),
          u: undo,
        }
      : {}),
  };
  const dialog = reviewLayout({ title, stage, state, list, fault }, mayChange ? set : undefined, {
    close: () => dialog.close(),
    go,
    classify,
    save,
    undo,
  });
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
  document.body.append(dialog);
  load();
  dialog.showModal();
}

/** What the model says, to begin with. */
function suggested(
  image: number,
  masks: ImageMasks | undefined,
  { set, table, threshold }: ReviewOptions,
): EditedObject[] {
  const start = table.starts[image] as number;
  return Array.from({ length: keptOf(table, image, threshold) }, (_, at) => {
    const box_xywh: Box = boxAt(table, start + at);
    return { box_xywh, ...categoryOf(set, classAt(table, start + at)), offered: masks?.[at] ?? undefined };
  });
}

function drawnObject({ box_xywh: box, offered }: EditedObject, kind: DrawnBox["kind"]): DrawnBox {
  const mask = offered !== undefined && fitsMask(box, offered) ? offered.path : undefined;
  return { box, kind, mask };
}

/** Predictions without classes have the only category that there is, or none. */
function categoryOf({ classes, categories }: LabelSet, index: number): Pick<ReviewedBox, "category_id"> {
  const category = classes.length === categories.length ? categories[index] : undefined;
  return category === undefined ? {} : { category_id: category.id };
}
