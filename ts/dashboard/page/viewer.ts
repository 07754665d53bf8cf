/** Images of a run in large, one after the other. */
import { element, replace } from "./dom.js";
import { createPicture, type DrawnBox, type PictureFile } from "./picture.js";

export interface ViewedImage {
  readonly file: PictureFile;
  readonly boxes: readonly DrawnBox[];
  readonly note: string;
}

/** The arrow keys go on and back, Escape closes; the browser keeps the focus inside and gives it back. */
export function openViewer(runId: string, images: readonly ViewedImage[], first: number): void {
  let at = first;
  const title = element("h2", { id: "viewer-title" });
  const note = element("p", { class: "quiet" });
  const stage = element("div", { class: "stage still" });
  const show = (index: number): void => {
    const image = images[index];
    if (image === undefined) return;
    at = index;
    const picture = createPicture(runId, image.file, 1280);
    picture.setBoxes(image.boxes);
    replace(title, image.file.name);
    replace(note, `${at + 1} of ${images.length}. ${image.note}`);
    replace(stage, picture.element);
    back.disabled = at === 0;
    forth.disabled = at === images.length - 1;
  };
  const back = element("button", { onclick: () => show(at - 1) }, "Previous");
  const forth = element("button", { onclick: () => show(at + 1) }, "Next");
  const dialog = element(
    "dialog",
    { class: "viewer", "aria-labelledby": "viewer-title", onclose: () => dialog.remove() },
    title,
    note,
    stage,
    element("div", { class: "actions" }, back, forth, element("button", { onclick: () => dialog.close() }, "Close")),
  );
  dialog.addEventListener("keydown", ({ key }) => {
    if (key === "ArrowRight") show(at + 1);
    if (key === "ArrowLeft") show(at - 1);
  });
  show(first);
  document.body.append(dialog);
  dialog.showModal();
}
