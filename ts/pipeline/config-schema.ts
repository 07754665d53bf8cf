/** The schema of cassl.yaml: every field with its type, default, range and explanation. What says so elsewhere is made from it. */
import { z } from "zod";
import { MAX_IMAGE_PIXELS } from "../images/decoding.js";
import { detectorSchema, FAMILIES } from "./detector-schema.js";

export const ARMS = ["supervised", "self_supervised", "class_specific", "class_agnostic", "mean_teacher"] as const;
export type Arm = (typeof ARMS)[number];

/** What a training may take from other weights. */
export const CARRIED_PARTS = ["backbone", "fpn", "box_tower", "classification_tower", "mask_head"] as const;

/** Those that keep pseudo labels: the three stages, with and without classes. */
export const LABELING_ARMS = ["class_specific", "class_agnostic"] as const satisfies readonly Arm[];
export type LabelingArm = (typeof LABELING_ARMS)[number];

const unit = z.number().min(0).max(1);
const count = z.int32().min(1);
const positive = z.number().positive();
const lrFactor = z.number().min(0).max(100);
const path = z.string().min(1);

/** What changes training images, if nothing else is said. */
export const augmentation = z.strictObject({
  flip_probability: unit.default(0.5).describe("Probability of a left-right flip"),
  min_zoom: positive.max(1).default(0.75).describe("Smallest zoom; below 1 the image is placed on a larger canvas"),
  max_zoom: z.number().min(1).max(4).default(1.25).describe("Largest zoom; above 1 a crop is taken"),
  color_jitter: unit.default(0.2).describe("Largest relative change of brightness, contrast and saturation"),
  multi_scale: z
    .number()
    .min(0)
    .max(0.75)
    .default(0)
    .describe("Largest relative change of the input's size, drawn for each batch; 0: all batches have the same size"),
  copy_paste: unit
    .default(0)
    .describe("Probability that an image shows objects of another one in front of its own; for families with masks"),
  detectron2_mapper: z
    .boolean()
    .optional()
    .describe(
      "Instead of all that: whether detectron2's data mapper and augmentations are used, as `detector.detectron2.config` says",
    ),
});

const lrFactors = z.strictObject({
  backbone: lrFactor.default(0.25).describe("Backbone"),
  fpn: lrFactor.default(1).describe("Feature pyramid"),
  box_tower: lrFactor.default(1).describe("What finds boxes, whatever is in them"),
  classification_tower: lrFactor.default(1).describe("Layers before the class predictor"),
  class_predictor: lrFactor.default(1).describe("Last layer, which depends on the classes"),
  mask_head: lrFactor.default(1).describe("What makes masks, whatever is in them"),
});

const solver = z.strictObject({
  iterations: count.default(300).describe("Training iterations"),
  images_per_batch: count.default(8).describe("Images in each iteration"),
  gradient_accumulation: count
    .default(1)
    .describe("Parts that a batch goes through the detector in, to need less memory; divides `images_per_batch`"),
  learning_rate: positive.default(0.002).describe("Peak of the one-cycle schedule"),
  lr_reference_batch: z
    .int32()
    .min(0)
    .default(0)
    .describe("Images in a batch that `learning_rate` is meant for; other batches scale it in proportion; 0: as it is"),
  lr_ramp_iterations: z
    .int32()
    .min(0)
    .default(30)
    .describe("Iterations from zero to the peak; fewer than `iterations`"),
  weight_decay: z.number().min(0).default(0.05).describe("Weight decay of AdamW"),
  gradient_clip_norm: z.number().min(0).default(10).describe("Largest norm of the gradient; 0: no clipping"),
  ema_decay: z.number().min(0).lt(1).default(0.99).describe("Decay of the moving average of the weights; 0: none"),
  frozen_stages: z.int32().min(-1).default(2).describe("Backbone stages that keep their starting weights; -1: all"),
  lr_factors: lrFactors.prefault({}).describe("Factors on the learning rate, by part of the detector"),
  backbone_pull: z
    .number()
    .min(0)
    .default(0)
    .describe("Pull of the backbone towards its starting weights, applied as weight decay is; 0: none"),
  precision: z.enum(["auto", "float32"]).default("auto").describe("`auto`: bfloat16 autocast where the device has it"),
  repeat_threshold: unit
    .default(0)
    .describe("Classes in a smaller share of the images are rare, and their images repeated; 0: none is"),
  checkpoint_every_iterations: count.default(50).describe("What an interrupted run may lose"),
  augmentation: augmentation.prefault({}).describe("Random changes to training images"),
});

const stageSolver = solver.prefault({}).describe("What differs from `solver` in this stage");

const predict = z.strictObject({
  score_threshold: unit.default(0.05).describe("Detections below this score are dropped"),
  nms_iou: unit.default(0.6).describe("IoU above which the lower of two boxes of a class is dropped"),
  max_candidates: count.default(1000).describe("Boxes of an image before NMS"),
  max_detections: count.default(100).describe("Boxes of an image after NMS"),
  images_per_batch: count.default(16).describe("Images that the detector sees at once"),
  shard_size: count.default(64).describe("Images whose predictions are sent and committed together"),
});

const beta = positive.max(10).default(1);
const thresholdPolicies = z.discriminatedUnion("policy", [
  z.strictObject({ policy: z.literal("fixed"), score: unit }),
  z.strictObject({ policy: z.literal("auto"), beta }),
  z.strictObject({ policy: z.literal("boxes_per_image"), ratio: positive.default(1) }),
  z.strictObject({ policy: z.literal("precision"), precision: unit }),
]);

const scoreThreshold = z.union(
  [
    unit.transform((score) => ({ policy: "fixed" as const, score })),
    z.literal("auto").transform((policy) => ({ policy, beta: 1 })),
    thresholdPolicies,
  ],
  {
    error:
      "must be a score in [0, 1], `auto`, or one of {policy: auto, beta: 2}, {policy: boxes_per_image, ratio: 1} and {policy: precision, precision: 0.8}",
  },
);

const select = z.strictObject({
  score_threshold: scoreThreshold
    .prefault("auto")
    .describe(
      "Predictions below it become no pseudo labels: a score, or chosen on held-out images: `auto` (highest F1), {policy: precision, precision: 0.8} or {policy: boxes_per_image}",
    ),
  nms_iou: unit.default(0.6).describe("IoU above which the lower of two boxes is dropped"),
  nms_of: z
    .enum(["boxes", "masks"])
    .optional()
    .describe("What `nms_iou` is the IoU of; masks if the detector gives some; left out: boxes"),
  max_per_image: count.default(100).describe("Pseudo labels of an image"),
  min_side_px: z.number().min(0).default(2).describe("Smallest width and height of a pseudo label"),
});

const annotated = {
  annotations: path.describe(
    "COCO JSON, YOLO data.yaml, Open Images CSV, or the folder of a YOLO or Pascal VOC data set",
  ),
  images: path.describe(
    "Folder that holds its images, or URI; file names in a COCO file are relative to it. `coco_url`: where the file says",
  ),
  format: z.enum(["auto", "coco", "yolo", "voc", "openimages"]).default("auto").describe("`auto`: by what the path is"),
  split: path.optional().describe("Which part to use if the data set names several, such as train in a data.yaml"),
};

/** From twice its warning limit on, Pillow, which decodes for training, refuses an image. */
const MOST_PIXELS = 178_956_970;

const leakFirewall = z.strictObject({
  enabled: z.boolean().default(true).describe("Whether to look for copies and near-duplicates of validation images"),
  max_distance: unit
    .default(0.04)
    .describe("Up to which distance two images are near-duplicates; 0: the same picture, 1: nothing in common"),
  labeled: z
    .enum(["error", "drop"])
    .default("error")
    .describe("What to do with labeled images that leak; unlabeled ones are dropped"),
});

const remote = z.strictObject({
  hosts: z
    .array(z.string().min(1))
    .default([])
    .describe("Hosts (HOST or HOST:PORT), and buckets of s3:, that images may be fetched from; no others are asked"),
  timeout_seconds: positive.default(30).describe("How long one attempt to fetch an image may take"),
  s3_endpoint: z
    .url()
    .default("https://s3.amazonaws.com")
    .describe(
      "Where curation finds s3://BUCKET/KEY, at /BUCKET/KEY, without a signature; workers have settings of their own",
    ),
  cache_gb: positive.default(20).describe("How much of remote images is kept on disk"),
  version: count.default(1).describe("Raise it when images behind URIs have changed, to look at all of them again"),
});

const data = z.strictObject({
  labeled: z
    .strictObject({
      ...annotated,
      take: count.optional().describe("How many of the images count as labeled, drawn with the seed; left out: all"),
      split_file: path.optional().describe("File of `cassl split` that names the images which count as labeled"),
    })
    .describe("Images with ground truth to train on"),
  unlabeled: z
    .strictObject({
      images: z
        .array(path)
        .default([])
        .describe("Folders, searched recursively; globs; text files with a path or URI a line"),
      rest_of_labeled: z
        .boolean()
        .default(false)
        .describe("Whether images that `take` or `split_file` leaves out join, without labels"),
    })
    .prefault({})
    .describe("Images to pseudo-label; the arm `supervised` needs none"),
  validation: z.strictObject(annotated).describe("Images with ground truth to evaluate on"),
  bad_images: z
    .enum(["error", "drop"])
    .default("error")
    .describe("What to do with an image that cannot be decoded, or is of another size than annotated"),
  bad_boxes: z
    .enum(["error", "clip", "drop"])
    .default("error")
    .describe("What to do with a box that leaves its image or has no area; `clip` drops what is left empty"),
  max_image_pixels: count
    .max(MOST_PIXELS)
    .default(MAX_IMAGE_PIXELS)
    .describe("An image with more pixels cannot be decoded: it may be made to fill the memory"),
  leak_firewall: leakFirewall.prefault({}).describe("Keeps what shows the same as a validation image out of training"),
  remote: remote.prefault({}).describe("Images that are not on this machine, but named by http:, https: or s3: URIs"),
});

const stages = z.strictObject({
  pseudo_label: z
    .strictObject({
      solver: stageSolver,
      predict: predict.prefault({}).describe("How the pseudo-labeler predicts on the unlabeled images"),
      select: select.prefault({}).describe("Which predictions become pseudo labels"),
      held_out: z
        .number()
        .min(0)
        .max(0.5)
        .default(0.2)
        .describe("Share of the labeled images, at most 200, that only judge the pseudo-labeler; 0: none"),
    })
    .prefault({})
    .describe("1: the pseudo-labeler learns from the labeled set and labels the unlabeled images"),
  warmup: z
    .strictObject({
      solver: stageSolver,
      rounds: count
        .max(10)
        .default(1)
        .describe("How often to label and warm up; after the first time the last warm-up model labels"),
    })
    .prefault({})
    .describe("2: the detector learns from the pseudo labels only"),
  finetune: z
    .strictObject({
      solver: stageSolver,
      carry: z
        .array(z.enum(CARRIED_PARTS))
        .default([...CARRIED_PARTS])
        .describe("Parts of the warmed-up detector to go on from; the others start afresh"),
      class_predictor: z
        .enum(["reinitialize", "expand"])
        .default("reinitialize")
        .describe("Start of the class predictor: afresh, or each class with the score of the warm-up's only class"),
      predict: predict.prefault({}).describe("How the exported model makes detections"),
    })
    .prefault({})
    .describe("3: the warmed-up detector learns from the labeled set only, with classes"),
});

const baselines = z.strictObject({
  self_supervised: z
    .strictObject({
      learning_rate: positive
        .default(0.0005)
        .describe("Peak of the pretraining's schedule, for backbone and heads alike"),
      frozen_stages: z.int32().min(0).default(2).describe("Backbone stages that keep their starting weights"),
      min_view_area: unit.min(0.01).default(0.2).describe("Smallest share of an image that a view shows"),
    })
    .prefault({})
    .describe("Pretraining of the backbone on unlabeled images (SimSiam); the rest is as in `stages.warmup.solver`"),
  mean_teacher: z
    .strictObject({
      burn_in: unit
        .max(0.95)
        .default(0.3)
        .describe("Share of the iterations, at the beginning, on labeled images only"),
      labeled_share: unit.default(0.5).describe("Share of labeled images in a batch after that"),
      score_threshold: unit.default(0.5).describe("What the teacher is less sure of is not learned"),
    })
    .prefault({})
    .describe("Joint training by a mean teacher; the rest is as in `stages.finetune.solver`"),
});

const limits = {
  min_precision: unit.default(0.5).describe("Least precision of the chosen threshold on held-out images, at IoU 0.5"),
  min_recall: unit.default(0.1).describe("Least recall of the chosen threshold on held-out images, at IoU 0.5"),
  min_average_recall: unit.default(0.05).describe("Least average recall of all predictions on held-out images"),
  max_calibration_error: unit.default(0.4).describe("Largest expected calibration error on held-out images"),
  min_pseudo_labels: z.int32().min(0).default(1).describe("Least pseudo labels in all"),
  min_box_ratio: z
    .number()
    .min(0)
    .default(0.2)
    .describe("Least pseudo labels an image over ground-truth boxes an image"),
  max_box_ratio: positive.default(5).describe("Most pseudo labels an image over ground-truth boxes an image"),
  max_empty_share: unit.default(0.8).describe("Largest share of unlabeled images without any pseudo label"),
  max_kept_share: unit.default(0.98).describe("Largest share of predictions that reach the score threshold"),
  max_full_share: unit.default(0.5).describe("Largest share of images that have `max_per_image` pseudo labels"),
  max_capped_share: unit.default(0.5).describe("Largest share of pseudo labels with a score of 0.999 or above"),
  max_collapse: unit
    .default(0.3)
    .describe("By how much mean IoU one fixed box may fit the pseudo labels better than the ground truth"),
};

export type GateName = keyof typeof limits;
export const GATE_NAMES = Object.keys(limits) as [GateName, ...GateName[]];

const gates = z.strictObject({
  ...limits,
  override: z.array(z.enum(GATE_NAMES)).default([]).describe("Gates that do not stop the run; the report names them"),
});

const needs = z.strictObject({
  device: z.enum(["any", "cpu", "cuda"]).default("any").describe("What it computes on"),
  gpu_memory_gb: z.number().min(0).default(0).describe("Memory of its GPU; 0: any"),
  memory_gb: z.number().min(0).default(0).describe("Memory of its machine; 0: any"),
});

const EXECUTORS = ["local", "ray"] as const;
export type ExecutorName = (typeof EXECUTORS)[number];

const executorName = z.enum(EXECUTORS).default("local");
const executor = z.union(
  [
    z.enum(EXECUTORS).transform((name) => ({ train: name, predict: name, export: name })),
    z.strictObject({
      train: executorName.describe("Every training"),
      predict: executorName.describe("Labelling"),
      export: executorName.describe("Export of the model"),
    }),
  ],
  { error: `must be ${EXECUTORS.join(" or ")}, or {train: ray, predict: local, export: local}` },
);

/** The solver as every stage starts from it: all of it may be left out. */
export const sharedSolverSchema = solver.partial();

/** The file. */
export const configFileSchema = z.strictObject({
  name: z
    .string()
    .regex(
      /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/,
      "must start with a letter or digit and hold only letters, digits, . _ -",
    )
    .describe("Name of the run"),
  seed: z
    .int()
    .min(0)
    .max(2 ** 32 - 1)
    .default(0)
    .describe("Seed of everything random"),
  arms: z
    .array(z.enum(ARMS))
    .min(1)
    .refine((arms) => new Set(arms).size === arms.length, "must not repeat an arm")
    .default(["supervised", "class_agnostic"])
    .describe("What to train and compare, each for the same number of iterations: `class_agnostic` is CA-SSL"),
  data: data.describe("The three sets of images"),
  detector: detectorSchema.prefault({}).describe("The detector, the same in all stages"),
  pseudo_labeler: detectorSchema
    .optional()
    .describe(
      "Another detector for the first stage; left out: `detector`. Its labels are all that the others take from it",
    ),
  targets: z
    .array(z.enum(FAMILIES))
    .refine((targets) => new Set(targets).size === targets.length, "must not repeat a family")
    .default([])
    .describe("Families that one warm-up is fine-tuned into, each with a result; empty: the family of `detector`"),
  pretrained: path
    .optional()
    .describe(
      "File of a trained detector of torchvision, detectron2 or cassl to start from; left out: ImageNet's backbone",
    ),
  solver: sharedSolverSchema.optional().describe("How to train: the starting point of every stage"),
  stages: stages.prefault({}).describe("The three stages of CA-SSL"),
  baselines: baselines.prefault({}).describe("What only the arms `self_supervised` and `mean_teacher` need"),
  gates: gates
    .prefault({})
    .describe("Limits on pseudo-labeler and pseudo labels; a run that breaks one stops before the next stage"),
  needs: needs
    .prefault({})
    .describe("What a worker must have to be given tasks of the run; nothing else depends on it"),
  executor: executor
    .prefault("local")
    .describe(
      "Who does the tasks: `local`, attached workers, or `ray`, a cluster that the controller knows; {train: ray}: by kind",
    ),
});

/** The file with `solver` merged into the stages. */
export const configSchema = configFileSchema.omit({ solver: true });

export type Config = z.output<typeof configSchema>;
