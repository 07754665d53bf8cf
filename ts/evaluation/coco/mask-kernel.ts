/**
 * Masks in WebAssembly, for the metric: V8 compiles it in a few milliseconds, and JavaScript only when most masks are through.
 * It is made of `ts/masks/wasm/`, and does as `ts/masks/` does.
 */
import { readFileSync } from "node:fs";
import type { BoxXywh } from "../../core/boxes.js";
import { MOST_PIXELS, type Rle } from "../../masks/rle.js";

/** What is used of it; TypeScript knows it as a part of browsers only. */
declare const WebAssembly: {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object) => { readonly exports: unknown };
};

/** The address of a mask in the kernel's memory; valid until `clear`, or until another is made if it is not kept. */
export type Mask = number;

interface Exports {
  readonly memory: { readonly buffer: ArrayBuffer };
  roomForJson(bytes: number): number;
  maskOfJson(text: number, end: number, width: number, height: number): Mask;
  roomForRuns(runs: number): number;
  maskOfRuns(runs: number, width: number, height: number): Mask;
  keep(mask: Mask): void;
  clear(): void;
  iou(dt: Mask, gt: Mask, isCrowd: number, lowest: number): number;
}

export interface MaskKernel {
  /** Forgets all masks. */
  clear(): void;
  /** Lets the mask that was made last stay when others are made. */
  keep(mask: Mask): void;
  /**
   * The mask of a `segmentation` as JSON, if it is in a usual form: one polygon, or compressed runs. 0 if not, or if it is wrong.
   * @param width of the image, px, which polygons need; else NaN. @param height likewise.
   */
  ofJson(json: Uint8Array, width: number, height: number): Mask;
  /** @param rle whose runs fill its image. */
  ofRle(rle: Rle): Mask;
  /** As `iouOf` of masks gives it. */
  iou(dt: Mask, gt: Mask, isCrowd: boolean, lowest: number): number;
  widthOf(mask: Mask): number;
  heightOf(mask: Mask): number;
  areaOf(mask: Mask): number;
  boxOf(mask: Mask): BoxXywh;
}

/** Of JSON: a mask may take four times as many, and memory ends at 4 GiB. */
const MOST_BYTES = 2 ** 27;

/** Positions of a mask's members, in 32-bit integers; see ts/masks/wasm/mask.ts. */
const WIDTH = 0;
const HEIGHT = 1;
const AREA = 2;
const BOX = 3;

/** Shared by all evaluations, each of which is done before another starts. Made when masks are first compared. */
export function maskKernel(): MaskKernel {
  kernel ??= newKernel();
  return kernel;
}

let kernel: MaskKernel | undefined;

function newKernel(): MaskKernel {
  const module = new WebAssembly.Module(readFileSync(new URL("masks.wasm", import.meta.url)));
  const exports = new WebAssembly.Instance(module).exports as Exports;
  let bytes = new Uint8Array(0);
  let integers = new Int32Array(0);
  /** When memory grows, arrays of what it was lose their length. */
  const refresh = (): void => {
    if (integers.length > 0) return;
    bytes = new Uint8Array(exports.memory.buffer);
    integers = new Int32Array(exports.memory.buffer);
  };
  const member = (mask: Mask, index: number): number => {
    refresh();
    return integers[mask / 4 + index] as number;
  };
  return {
    clear: exports.clear,
    keep: exports.keep,
    ofJson(json, width, height) {
      if (json.length > MOST_BYTES) return 0;
      const text = exports.roomForJson(json.length);
      refresh();
      bytes.set(json, text);
      const areSides = Number.isInteger(width) && Number.isInteger(height) && width >= 0 && height >= 0;
      const isImage = areSides && width * height <= MOST_PIXELS;
      return exports.maskOfJson(text, text + json.length, isImage ? width : -1, isImage ? height : -1);
    },
    ofRle({ width, height, counts }) {
      const lengths = exports.roomForRuns(counts.length);
      refresh();
      integers.set(counts, lengths / 4);
      return exports.maskOfRuns(counts.length, width, height);
    },
    iou: (dt, gt, isCrowd, lowest) => exports.iou(dt, gt, isCrowd ? 1 : 0, lowest),
    widthOf: (mask) => member(mask, WIDTH),
    heightOf: (mask) => member(mask, HEIGHT),
    areaOf: (mask) => member(mask, AREA),
    boxOf: (mask) => [
      member(mask, BOX),
      member(mask, BOX + 1),
      // Sides are unsigned.
      member(mask, BOX + 2) >>> 0,
      member(mask, BOX + 3) >>> 0,
    ],
  };
}
