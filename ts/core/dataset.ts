import type { BoxXywh } from "./boxes.js";

/** A class as the annotation file names it. Ids may be sparse; the position in `Dataset.categories` is the class index. */
export interface Category {
  readonly id: number;
  readonly name: string;
}

/** One object of an image: ground truth, or a pseudo label if it has a score. */
export interface Annotation {
  readonly box_xywh: BoxXywh;
  /** 0..K-1, into `Dataset.categories`. */
  readonly class_index: number;
  /** COCO `area` in square pixels, which decides the size class in evaluation. */
  readonly area: number;
  readonly iscrowd: boolean;
  /** In [0, 1]; pseudo labels only. */
  readonly score?: number;
  /** The pixels of the object, as COCO's counts string of the whole image; only where masks are asked for. */
  readonly mask?: string;
}

/** An image and its objects. `file_name` is relative to the image root, which is not part of a dataset's content. */
export interface DatasetImage {
  readonly id: number;
  readonly file_name: string;
  /** SHA-256 of the file. */
  readonly sha256: string;
  readonly width_px: number;
  readonly height_px: number;
  readonly annotations: readonly Annotation[];
}

export interface Dataset {
  readonly categories: readonly Category[];
  readonly images: readonly DatasetImage[];
}

/** Ground-truth boxes that training may learn from: crowds are none. */
export function objectsOf<T extends Annotation>({ annotations }: { readonly annotations: readonly T[] }): readonly T[] {
  return annotations.filter(({ iscrowd }) => !iscrowd);
}

/** The only class of a class-agnostic dataset. */
export const objectCategory: Category = { id: 1, name: "object" };
