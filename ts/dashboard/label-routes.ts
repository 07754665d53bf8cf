/** Pseudo labels: what there is to see, the images, and what people say of them. */
import { type Request, Router } from "express";
import { z } from "zod";
import type { ControllerParts } from "../controller/controller.js";
import type { Review } from "../controller/state.js";
import { CasslError } from "../core/errors.js";
import type { Run } from "../gen/cassl/v1/run.js";
import { json, parameter, query, wholeNumber } from "./answers.js";
import { createLabelSets } from "./label-set.js";
import { createPictures } from "./pictures.js";
import type { Protection } from "./protection.js";
import { checkMasks, reviewedCoco } from "./reviewed-coco.js";
import type { ImageSet } from "./wire/labels.js";

/** Characters of a mask; the body of a request is no longer either. */
const MOST_COUNTS = 2 ** 20;
const side = z.number().finite();
const reviewSchema = z.strictObject({
  file_name: z.string().min(1).max(4096),
  verdict: z.enum(["accepted", "rejected"]),
  objects: z
    .array(
      z.strictObject({
        box_xywh: z.tuple([side, side, side.positive(), side.positive()]).readonly(),
        category_id: z.number().int().optional(),
        mask: z.string().min(1).max(MOST_COUNTS).optional(),
      }),
    )
    .max(10_000),
});

export function labelRoutes(parts: ControllerParts, { allow }: Protection): Router {
  const { runs, state, artifacts } = parts;
  const sets = createLabelSets(parts);
  const readPicture = createPictures(parts);
  const router = Router();
  const run = (request: Request): Run => runs.get(parameter(request, "run"));

  router.get(
    "/runs/:run/labels",
    allow("StreamPseudoLabels"),
    json((request) => sets.describe(run(request).run_id, query(request, "scope"), setOf(request))),
  );
  router.get("/runs/:run/boxes", allow("StreamPseudoLabels"), async (request, response) => {
    const boxes = await sets.boxes(run(request).run_id, query(request, "scope"), setOf(request));
    response.type("application/octet-stream").send(Buffer.from(boxes.buffer, boxes.byteOffset, boxes.byteLength));
  });
  router.get(
    "/runs/:run/masks",
    allow("StreamPseudoLabels"),
    json((request) =>
      sets.masks(
        run(request).run_id,
        query(request, "scope"),
        setOf(request),
        query(request, "file"),
        Math.max(1, wholeNumber(request, "side") ?? 240),
      ),
    ),
  );
  router.get("/runs/:run/picture", allow("StreamPseudoLabels"), async (request, response) => {
    const jpeg = await readPicture(run(request), query(request, "file"), wholeNumber(request, "side") ?? 240);
    response.set("Cache-Control", "private, max-age=3600").type("image/jpeg").send(jpeg);
  });
  router.put(
    "/runs/:run/review",
    allow("CreateRun"),
    json(async (request) => {
      const review = reviewOf(request.body);
      const { run_id } = run(request);
      await checkMasks(run_id, review, state, artifacts);
      state.saveReview(run_id, review);
      return review;
    }),
  );
  router.delete(
    "/runs/:run/review",
    allow("CreateRun"),
    json((request) => {
      state.removeReview(run(request).run_id, query(request, "file"));
      return {};
    }),
  );
  router.get("/runs/:run/reviewed.json", allow("StreamPseudoLabels"), async (request, response) => {
    const { run_id } = run(request);
    response.attachment(`${run_id}-reviewed.json`).json(await reviewedCoco(run_id, state, artifacts));
  });
  return router;
}

function setOf(request: Request): ImageSet {
  const set = query(request, "set") || "unlabeled";
  if (set === "unlabeled" || set === "held_out") return set;
  throw new CasslError(
    "REQUEST_INVALID",
    `\`set\` is ${JSON.stringify(set.slice(0, 100))}.`,
    "Give unlabeled or held_out.",
  );
}

function reviewOf(body: unknown): Review {
  const parsed = reviewSchema.safeParse(body);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const message = `\`${issue?.path.join(".") ?? ""}\`: ${issue?.message ?? "it is no review"}.`;
  throw new CasslError("REQUEST_INVALID", message, "Send file_name, verdict and objects.");
}
