/** The images with the most errors, and which. */
import type { EvaluatedImages, EvaluationView, WorstImage } from "../wire/evaluation.js";
import { get } from "./api.js";
import { card } from "./card.js";
import { element, replace } from "./dom.js";
import { evaluatedTiles } from "./evaluated-tiles.js";

export function worstPanel(
  runId: string,
  { worst }: Pick<EvaluationView, "worst">,
  imagesPath: (query: string) => string,
): HTMLElement {
  const images = element(
    "div",
    {},
    element("p", { class: "quiet" }, worst.length === 0 ? "No errors." : "Loading ..."),
  );
  if (worst.length > 0) {
    void get<EvaluatedImages>(imagesPath("")).then(
      (answer) =>
        replace(
          images,
          evaluatedTiles(runId, answer.images, (_, index) => describe(worst[index])),
        ),
      (error: Error) => replace(images, element("p", { class: "fault" }, error.message)),
    );
  }
  return card({ id: "worst", title: "Worst images" }, images);
}

function describe(image: WorstImage | undefined): string {
  if (image === undefined) return "";
  const { errors, positives, kinds } = image;
  const named = kinds.map(({ name, count }) => `${count} ${name}`).join(", ");
  return `${errors} ${errors === 1 ? "error" : "errors"} (${named}); ${positives} ${positives === 1 ? "object" : "objects"}`;
}
