/** Which classes are taken for which; each number opens the images that it counts. */
import { formatNumber } from "../../report/format.js";
import { confusionTable } from "../view/confusion-view.js";
import type { EvaluatedImages, EvaluationView } from "../wire/evaluation.js";
import { get } from "./api.js";
import { card } from "./card.js";
import { type Child, element, replace } from "./dom.js";
import { evaluatedTiles, legend } from "./evaluated-tiles.js";
import { moveAmong } from "./move-among.js";

const MOST_CLASSES = 30;

export function confusionPanel(
  runId: string,
  { classes, confusion, best }: Pick<EvaluationView, "classes" | "confusion" | "best">,
  imagesPath: (query: string) => string,
): HTMLElement {
  const matrix = confusionTable(classes.length, confusion, MOST_CLASSES);
  const background = classes.length;
  const nameOf = (position: number, other: string): string => classes[position]?.name ?? other;
  const title = element("div", { role: "status" });
  const images = element("div");
  const shown = element("div", { class: "cell-images" }, title, images);
  let pressed: HTMLElement | undefined;

  const open = async (truth: number, detected: number, cell: HTMLElement): Promise<void> => {
    pressed?.setAttribute("aria-pressed", "false");
    pressed = cell;
    cell.setAttribute("aria-pressed", "true");
    const answer = await get<EvaluatedImages>(imagesPath(`&truth=${truth}&detected=${detected}`));
    if (pressed !== cell) return;
    const some = answer.images.length < answer.total ? `, the first ${answer.images.length}` : "";
    replace(
      title,
      element(
        "h3",
        {},
        `${describe(truth, detected)}: ${answer.total} ${answer.total === 1 ? "image" : "images"}${some}`,
      ),
    );
    replace(
      images,
      evaluatedTiles(runId, answer.images, (count) => `${count} in this image`),
    );
  };
  const describe = (truth: number, detected: number): string => {
    if (truth === background) return `Nothing, taken for ${nameOf(detected, "")}`;
    if (detected === background) return `${nameOf(truth, "")}, not detected`;
    if (truth === detected) return `${nameOf(truth, "")}, found`;
    return `${nameOf(truth, "")}, taken for ${nameOf(detected, "")}`;
  };
  const cell = (truth: number, detected: number): HTMLElement => {
    const count = matrix.countAt(truth, detected);
    if (count === 0) return element("td");
    const button = element(
      "button",
      { "aria-pressed": "false", "aria-label": `${describe(truth, detected)}: ${count}`, tabindex: -1 },
      String(count),
    );
    button.addEventListener("click", () => {
      open(truth, detected, button).catch(({ message }: Error) => replace(title, message));
    });
    const td = element("td", { class: truth === detected ? "found" : "confused" }, button);
    // Shares are of the objects of a class, which detections of nothing are not.
    const share = truth === background ? count / Math.max(1, matrix.rowTotal(truth)) : count / matrix.rowTotal(truth);
    td.style.setProperty("--share", String(share));
    return td;
  };
  const table = element(
    "table",
    { class: "confusion" },
    element(
      "thead",
      {},
      element(
        "tr",
        {},
        element("td", {}, "object \\ detected as"),
        matrix.shown.map((position) =>
          element("th", { scope: "col" }, element("span", {}, nameOf(position, "not detected"))),
        ),
      ),
    ),
    element(
      "tbody",
      {},
      matrix.shown.map((truth) =>
        element(
          "tr",
          {},
          element("th", { scope: "row" }, nameOf(truth, "nothing")),
          matrix.shown.map((detected) => cell(truth, detected)),
        ),
      ),
    ),
  );
  moveAmong(table);
  return card(
    { id: "confusion", title: "Confusion matrix", beside: legend() },
    element("p", { class: "quiet" }, explanation(classes.length, best.threshold)),
    element("div", { class: "scroll", role: "region", "aria-label": "Objects by class and by detected class" }, table),
    shown,
  );
}

function explanation(classCount: number, threshold: number | null): Child {
  const kept = threshold === null ? "All detections" : `Detections from score ${formatNumber(threshold)} on`;
  const classes =
    classCount > MOST_CLASSES ? ` The ${MOST_CLASSES} classes that are confused most, of ${classCount}.` : "";
  return `${kept}, at IoU 0.5. Choose a number to see its images; the arrow keys move from one to the next.${classes}`;
}
