/** What people have said of images: how much that is, and where it is to be had. */
import type { Reviews } from "../view/label-order.js";
import type { ReviewedImage } from "../wire/labels.js";
import { element, replace } from "./dom.js";

export interface SavedReviews {
  readonly element: HTMLElement;
  /** As they are now. */
  readonly reviews: Reviews;
  /** @param review undefined: it was taken back. */
  change(name: string, review: ReviewedImage | undefined): void;
}

export function createSavedReviews(runId: string, known: readonly ReviewedImage[]): SavedReviews {
  const reviews = new Map(known.map((review) => [review.file_name, review]));
  const saved = element("span", { class: "quiet" });
  const href = `/api/runs/${encodeURIComponent(runId)}/reviewed.json`;
  const file = element("a", { href, download: true }, "Accepted as COCO");
  const command = element("code", {}, `cassl labels import ${runId}`);
  const draw = (): void => {
    saved.hidden = reviews.size === 0;
    replace(saved, describe(reviews), file, " for ", command);
  };
  draw();
  return {
    element: saved,
    reviews,
    change(name, review) {
      if (review === undefined) reviews.delete(name);
      else reviews.set(name, review);
      draw();
    },
  };
}

function describe(reviews: Reviews): string {
  const accepted = [...reviews.values()].filter(({ verdict }) => verdict === "accepted");
  const unclear = accepted.filter(({ objects }) => objects.some(({ category_id }) => category_id === undefined)).length;
  return `${reviews.size} reviewed${unclear === 0 ? "" : `, ${unclear} with boxes that have no class yet`}. `;
}
