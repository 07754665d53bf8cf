/** What people say of pseudo labels. */
import type { BoxXywh } from "../../core/boxes.js";
import type { Database } from "../sqlite.js";

/** What somebody who has looked at an unlabeled image says of it. */
export interface Review {
  /** As in the manifest. */
  readonly file_name: string;
  /** `accepted`: the objects are all there are. `rejected`: the image is of no use. */
  readonly verdict: "accepted" | "rejected";
  readonly objects: readonly ReviewedObject[];
}

export interface ReviewedObject {
  readonly box_xywh: BoxXywh;
  /** Of the labeled set; undefined if nobody has said it. */
  readonly category_id?: number | undefined;
  /** Of the whole image, as COCO's counts string; absent where there is none, or none that fits the box. */
  readonly mask?: string | undefined;
}

export interface ReviewTable {
  /** In place of an earlier one of the same image. */
  saveReview(runId: string, review: Review): void;
  /** Harmless if there is none. */
  removeReview(runId: string, fileName: string): void;
  /** By file name. */
  listReviews(runId: string): Review[];
}

export function reviewTable(database: Database): ReviewTable {
  const save = database.prepare("INSERT OR REPLACE INTO reviews VALUES (?, ?, ?)");
  const remove = database.prepare("DELETE FROM reviews WHERE run_id = ? AND file_name = ?");
  const list = database.prepare("SELECT review FROM reviews WHERE run_id = ? ORDER BY file_name");
  return {
    saveReview: (runId, review) => save.run(runId, review.file_name, JSON.stringify(review)),
    removeReview: (runId, fileName) => remove.run(runId, fileName),
    listReviews: (runId) => list.all(runId).map(({ review }) => JSON.parse(String(review)) as Review),
  };
}
