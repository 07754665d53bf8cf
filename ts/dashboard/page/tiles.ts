/** A few images with boxes, each of which opens in large. */
import { type Child, element } from "./dom.js";
import { createPicture } from "./picture.js";
import { openViewer, type ViewedImage } from "./viewer.js";

export function imageTiles(runId: string, images: readonly ViewedImage[]): Child {
  return element(
    "ul",
    { class: "tiles" },
    images.map(({ file, boxes, note }, index) => {
      const picture = createPicture(runId, file, 240);
      picture.setBoxes(boxes);
      return element(
        "li",
        {},
        element(
          "button",
          { class: "tile", onclick: () => openViewer(runId, images, index) },
          element("span", { class: "frame" }, picture.element),
          element("span", { class: "file", title: file.name }, file.name),
          element("span", { class: "quiet" }, note),
        ),
      );
    }),
  );
}
