/** How image files are decoded, the same wherever it is done: what curation accepts can be evaluated and shown. */

/**
 * Options for sharp. Warnings about a file are none of training's; that there are too many pixels is for curation to say, whose
 * limit is lower than sharp's and may be set; colour profiles are not applied, as in training.
 */
export const DECODING = { failOn: "truncated", limitInputPixels: false, ignoreIcc: true } as const;

/** The default limit of `data.max_image_pixels`. */
export const MAX_IMAGE_PIXELS = 100_000_000;
