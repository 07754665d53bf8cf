/** The detector's fields in cassl.yaml, and the sizes that fill what is left out. */
import { z } from "zod";

/** Families that give masks beside boxes, and learn from objects with masks only. */
const SEGMENTERS = ["light_segmenter", "mask_rcnn", "detectron2_mask_rcnn", "detectron2_segmenter"] as const;
export const FAMILIES = [
  "light",
  "fcos",
  "retinanet",
  "faster_rcnn",
  "detectron2_fcos",
  "detectron2_retinanet",
  "detectron2_faster_rcnn",
  "detectron2_cascade_rcnn",
  "detectron2",
  ...SEGMENTERS,
] as const;
export type Family = (typeof FAMILIES)[number];
const PRESET_NAMES = ["light", "resnet18", "resnet50"] as const;

/** Keys of YAML configurations are in capitals; the data mapper of a LazyConfig file is in its data loader. */
const OVERRIDE = /^(model|input|dataloader\.train\.mapper)\..+=/i;

const inputSide = z.int32().min(64).max(4096).multipleOf(32);
const stride = z.literal([4, 8, 16, 32, 64, 128]);

const fields = z.strictObject({
  family: z
    .enum(FAMILIES)
    .describe(
      "Kind of detector; `light` is FCOS for small inputs; `light_segmenter` and those with `mask` give masks too; those of detectron2 need it in the worker's Python",
    ),
  backbone: z
    .string()
    .min(1)
    .describe("A timm model, such as tf_efficientnet_lite0, resnet50.tv_in1k or convnext_tiny"),
  backbone_weights: z
    .enum(["imagenet", "none"])
    .describe("Starting weights of the backbone: packaged, of the worker's folder $CASSL_WEIGHTS, or downloaded"),
  input_width_px: inputSide.describe("Images are fitted into this width, aspect kept"),
  input_height_px: inputSide.describe("Images are fitted into this height, aspect kept"),
  fpn_channels: z.int32().min(16).max(512).multipleOf(16).describe("Channels of feature pyramid and head"),
  head_convolutions: z
    .int32()
    .min(0)
    .max(4)
    .describe("Convolutions in each tower of the head; two-stage families have a head of their own"),
  strides_px: z.array(stride).min(1).refine(isAscending, "must be ascending").describe("Pyramid levels, finest first"),
  proposals: z
    .int32()
    .min(1)
    .max(2000)
    .describe("Regions of an image that the second stage of a two-stage family looks at"),
  detectron2: z
    .strictObject({
      config: z
        .string()
        .min(1)
        .describe(
          "Name in the model zoo, such as COCO-Detection/faster_rcnn_R_50_FPN_1x.yaml, or in a folder of the worker",
        ),
      overrides: z
        .array(z.string().regex(OVERRIDE, "must be MODEL.KEY=VALUE, or INPUT.KEY=VALUE for detectron2's data mapper"))
        .default([])
        .describe("MODEL.KEY=VALUE, or INPUT.KEY=VALUE for detectron2's data mapper"),
    })
    .optional()
    .describe("The model of the families `detectron2` and `detectron2_segmenter`"),
});

export function givesMasks(family: Family): boolean {
  return SEGMENTERS.some((segmenter) => segmenter === family);
}

/** Whether a run needs labels with masks. */
export function learnsMasks({
  detector,
  pseudo_labeler,
  targets,
}: {
  readonly detector: { readonly family: Family };
  readonly pseudo_labeler?: { readonly family: Family } | undefined;
  readonly targets: readonly Family[];
}): boolean {
  const families = [detector.family, ...targets, ...(pseudo_labeler === undefined ? [] : [pseudo_labeler.family])];
  return families.some(givesMasks);
}

export type Detector = z.output<typeof fields>;

/** Families whose model `detector.detectron2` describes. */
export const CONFIGURED_FAMILIES: readonly Family[] = ["detectron2", "detectron2_segmenter"];

/** `light` trains on two CPU cores, `resnet18` on a small GPU, `resnet50` is the size of the paper. */
const PRESETS: Readonly<Record<(typeof PRESET_NAMES)[number], Detector>> = {
  light: {
    family: "light",
    backbone: "tf_efficientnet_lite0",
    backbone_weights: "imagenet",
    input_width_px: 256,
    input_height_px: 192,
    fpn_channels: 64,
    head_convolutions: 2,
    strides_px: [8, 16, 32],
    proposals: 100,
  },
  resnet18: {
    family: "fcos",
    backbone: "resnet18.tv_in1k",
    backbone_weights: "imagenet",
    input_width_px: 512,
    input_height_px: 512,
    fpn_channels: 128,
    head_convolutions: 4,
    strides_px: [8, 16, 32, 64],
    proposals: 300,
  },
  resnet50: {
    family: "fcos",
    backbone: "resnet50.tv_in1k",
    backbone_weights: "imagenet",
    input_width_px: 1024,
    input_height_px: 1024,
    fpn_channels: 256,
    head_convolutions: 4,
    strides_px: [8, 16, 32, 64, 128],
    proposals: 1000,
  },
};

/** What the file says of the detector; what it leaves out is the preset's. */
export const detectorSchema = fields
  .partial()
  .extend({ preset: z.enum(PRESET_NAMES).default("light").describe("Sizes that fill what is left out here") })
  .transform(({ preset, ...given }): Detector => ({ ...PRESETS[preset], ...(given as Partial<Detector>) }));

function isAscending(values: readonly number[]): boolean {
  return values.every((value, index) => index === 0 || value > (values[index - 1] as number));
}
