/** What readers make of annotations, whatever their format. */
import type { Annotation, Category, DatasetImage } from "../../core/dataset.js";
import type { BoxCounts } from "../box-policy.js";
import type { FaultList } from "./fault-list.js";
import type { ObjectTable } from "./object-table.js";

/** `images`: images without annotations, as a folder, a glob or a text file with one path a line. */
export const FORMATS = ["coco", "yolo", "voc", "openimages", "images"] as const;
export type Format = (typeof FORMATS)[number];

/** Formats that can be written too. */
export const WRITTEN_FORMATS = ["coco", "yolo", "voc"] as const;
export type WrittenFormat = (typeof WRITTEN_FORMATS)[number];

/** Where annotations are. */
export interface AnnotationSource {
  /** Absolute path of a file or folder. */
  readonly annotations: string;
  /** Absolute path of the folder that file names are relative to. Absent: where the format has it. */
  readonly images?: string | undefined;
  /** Absent or `auto`: what `annotations` looks like. */
  readonly format?: Format | "auto" | undefined;
  /** Which part of a data set that names several, such as `train` in a data.yaml. */
  readonly split?: string | undefined;
}

/** An image as annotations tell of it: nobody has looked at its pixels. */
export interface SourceImage {
  readonly id: number;
  /** Relative to the image folder, with forward slashes. */
  readonly file_name: string;
  /** 0 if only the image file could tell, and cannot be read. Such an image has no objects. */
  readonly width_px: number;
  readonly height_px: number;
}

/** Annotations as they stand in their source: boxes may leave their image, and what is at fault is listed. */
export interface SourceSet {
  readonly format: Format;
  /** The file or folder that was read, for messages. */
  readonly name: string;
  /** Absolute; undefined if neither the source nor its reader knows where the images are. */
  readonly imageFolder: string | undefined;
  /** Ascending by id: the position is the class index. */
  readonly categories: readonly Category[];
  /** Ascending by id. */
  readonly images: readonly SourceImage[];
  readonly objects: ObjectTable;
  /** Objects with a mask besides their box. */
  readonly maskCount: number;
  readonly faults: FaultList;
  /** How messages call an object, such as `annotation 7`. */
  objectName(imageIndex: number, sourceId: number): string;
}

/** An object whose box lies in its image. */
export interface ListedObject extends Annotation {
  /** COCO `segmentation` as JSON text; only if it was asked for. */
  readonly segmentation?: string;
}

/** An image of an annotated set. */
export interface ListedImage extends Omit<DatasetImage, "sha256" | "annotations"> {
  readonly annotations: readonly ListedObject[];
}

/** Annotations without fault. */
export interface AnnotatedSet {
  readonly format: Format;
  readonly imageFolder: string | undefined;
  readonly categories: readonly Category[];
  readonly images: readonly ListedImage[];
  readonly boxes: BoxCounts;
  readonly maskCount: number;
}

export interface ReadOptions {
  /** Whether to keep masks, as the `segmentation` of objects. */
  readonly masks: boolean;
}
