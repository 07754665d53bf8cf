/** Detections one by one, of torch and of the exported model, and which of them are the same. */
import { type BoxXyxy, boxIou, toXyxy } from "../../core/boxes.js";
import type { Rle } from "../../masks/index.js";
import { decodeCounts } from "../../masks/index.js";
import type { Detections } from "./detections.js";
import type { Size } from "./letterbox.js";
import type { Probe } from "./proof.js";

export interface Row {
  readonly box: BoxXyxy;
  readonly score: number;
  readonly classIndex: number;
  readonly mask?: Rle;
}

/** One of torch's detections, and the model's that is the same, if there is one. */
export interface Match {
  readonly expected: Row;
  readonly found: Row | undefined;
}

export interface ProbedImage {
  readonly probe: Probe;
  readonly image: Size;
  readonly detections: Detections;
}

const SAME_PLACE_IOU = 0.9;

/** Of each of torch's detections. @param scoreLimit how far the scores of the same detection may be apart. */
export function matchRows({ probe, image, detections }: ProbedImage, scoreLimit: number): Match[] {
  const rows = rowsOf(detections, image);
  const isSame = (a: Row, b: Row): boolean =>
    a.classIndex === b.classIndex &&
    Math.abs(a.score - b.score) <= scoreLimit &&
    boxIou(a.box, b.box) >= SAME_PLACE_IOU;
  return rowsOfProbe(probe, image).map((expected) => ({ expected, found: rows.find((row) => isSame(expected, row)) }));
}

export function rowsOfProbe({ detections, masks }: Probe, image: Size): Row[] {
  return Array.from({ length: detections.length / 6 }, (_, n) => {
    const [left = 0, top = 0, right = 0, bottom = 0, score = 0, classIndex = 0] = detections.subarray(6 * n, 6 * n + 6);
    return { box: [left, top, right, bottom], score, classIndex, ...maskOf(masks?.[n], image) };
  });
}

export function rowsOf({ boxXywh, score, classIndex, masks }: Detections, image: Size): Row[] {
  return Array.from(score, (value, n) => {
    const box = boxXywh.subarray(4 * n, 4 * n + 4) as unknown as [number, number, number, number];
    return { box: toXyxy(box), score: value, classIndex: classIndex[n] as number, ...maskOf(masks?.[n], image) };
  });
}

function maskOf(counts: string | undefined, { widthPx, heightPx }: Size): { mask?: Rle } {
  return counts === undefined ? {} : { mask: { width: widthPx, height: heightPx, counts: decodeCounts(counts) } };
}
