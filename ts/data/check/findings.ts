/** What a check of a data set finds. */

/** `error`: reading it for training fails. `warning`: it is probably not what was meant. `note`: good to know. */
export type Severity = "error" | "warning" | "note";

/** The kinds with their severity and what they are called; the thresholds are those of box-findings.ts and class-findings.ts. */
export const FINDING_KINDS = {
  no_images: ["error", "data sets without images"],
  invalid_record: ["error", "records that cannot be read"],
  duplicate_id: ["error", "ids that are taken"],
  duplicate_file_name: ["error", "images that are listed twice"],
  unknown_reference: ["error", "references to images or classes that are not there"],
  label_without_image: ["error", "files of labels without an image"],
  turned_image: ["error", "images with an EXIF orientation, whose labels may mean either way up"],
  unreadable_image: ["error", "images that cannot be read"],
  missing_image: ["error", "images that are not there"],
  wrong_image_size: ["error", "images of another size than annotated"],
  box_without_area: ["error", "boxes without area"],
  box_outside: ["error", "boxes outside of their image"],
  box_over_border: ["error", "boxes that reach more than a pixel out of their image"],
  duplicate_box: ["warning", "boxes that are there twice, with the same class"],
  box_of_two_classes: ["warning", "boxes that are there twice, with different classes"],
  tiny_box: ["warning", "boxes with a side below 2 px"],
  extreme_aspect: ["warning", "boxes that are more than 20 times as long as wide"],
  area_over_box: ["warning", "areas that are larger than their box"],
  class_without_objects: ["warning", "classes without objects"],
  rare_class: ["warning", "classes with fewer than 10 objects"],
  imbalance: ["warning", "classes with less than a hundredth of the objects of the most frequent one"],
  similar_class_names: ["warning", "class names that differ in nothing but case and blanks"],
  mostly_empty: ["warning", "data sets with more images without objects than with"],
  rounded_box: ["note", "boxes that reach up to a pixel out of their image, which reading clips"],
  empty_image: ["note", "images without objects"],
  unlisted_image: ["note", "image files that no annotation is about"],
} as const satisfies Record<string, readonly [Severity, string]>;

export type FindingKind = keyof typeof FINDING_KINDS;

export interface Example {
  readonly text: string;
  /** Index of the image that it is about, and of the objects in the table of the set. */
  readonly image?: number;
  readonly objects?: readonly number[];
}

export interface Finding {
  readonly kind: FindingKind;
  readonly severity: Severity;
  /** What it is called. */
  readonly what: string;
  readonly count: number;
  /** The first of them. */
  readonly examples: readonly Example[];
}

/** Counts findings, and keeps the first of each kind. */
export interface FindingList {
  add(kind: FindingKind, example: Example, count?: number): void;
  /** Errors first. */
  all(): Finding[];
}

const MOST_EXAMPLES = 20;

export function createFindingList(): FindingList {
  const found = new Map<FindingKind, { count: number; examples: Example[] }>();
  return {
    add(kind, example, count = 1) {
      const finding = found.get(kind) ?? { count: 0, examples: [] };
      found.set(kind, finding);
      finding.count += count;
      if (finding.examples.length < MOST_EXAMPLES) finding.examples.push(example);
    },
    all: () =>
      (Object.keys(FINDING_KINDS) as FindingKind[]).flatMap((kind) => {
        const [severity, what] = FINDING_KINDS[kind];
        const finding = found.get(kind);
        return finding === undefined ? [] : [{ kind, severity, what, ...finding }];
      }),
  };
}
