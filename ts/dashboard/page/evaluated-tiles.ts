import type { EvaluatedImage } from "../wire/evaluation.js";
import { type Child, element } from "./dom.js";
import { imageTiles } from "./tiles.js";

/** Images with what was found in them and what was not. @param note what the count of an image means. */
export function evaluatedTiles(
  runId: string,
  images: readonly EvaluatedImage[],
  note: (count: number, index: number) => string,
): Child {
  const viewed = images.map(({ name, width_px, height_px, count, boxes }, index) => {
    return { file: { name, width_px, height_px }, boxes, note: note(count, index) };
  });
  return imageTiles(runId, viewed);
}

export function legend(): HTMLElement {
  return element(
    "span",
    { class: "legend" },
    (["right", "wrong", "missed"] as const).map((kind) => element("span", { class: `key ${kind}` }, kind)),
  );
}
