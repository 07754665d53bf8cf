/** What a run says of its data: what became of the images, the sets, and the classes in them. */
import type { ControllerParts } from "../../controller/controller.js";
import { type ClassCounts, countClasses } from "../../data/class-counts.js";
import type { CuratedData } from "../../data/curate.js";
import type { ArtifactRef } from "../../gen/cassl/v1/artifact_service.js";
import type { HeldOutImages } from "../../pipeline/image-sets.js";
import { fateTable } from "../../report/tables.js";
import { createRecent } from "../recent.js";
import type { ClassRow, DataSummary, SetRow } from "../wire/data.js";

export interface DataOutputs {
  readonly curated: CuratedData;
  /** Undefined before the run has come to that, or where no arm needs it. */
  readonly parts: HeldOutImages | undefined;
}

export type DescribeData = (outputs: DataOutputs) => Promise<DataSummary>;

const KEPT_MANIFESTS = 100;

export function createDataSummaries({ artifacts }: Pick<ControllerParts, "artifacts">): DescribeData {
  const counted = createRecent<ClassCounts>(KEPT_MANIFESTS, () => 1);
  const count = ({ sha256 }: ArtifactRef): Promise<ClassCounts> =>
    counted.get(sha256, async () => countClasses(await artifacts.path(sha256)));

  return async ({ curated, parts }) => {
    const [labeled, validation] = [await count(curated.labeled), await count(curated.validation)];
    const split = parts === undefined || parts.objects === 0 ? undefined : parts;
    const training = split && setRow("training", await count(split.training));
    const heldOut = split && setRow("held out", await count(split.held_out));
    const unlabeled = { name: "unlabeled", images: curated.counts.unlabeled } as const;
    return {
      fates: curated.fates,
      fateTable: fateTable(curated.fates),
      sets: [
        setRow("labeled", labeled),
        ...(training === undefined || heldOut === undefined ? [] : [training, heldOut]),
        { ...unlabeled, objects: undefined, emptyImages: undefined },
        setRow("validation", validation),
      ],
      labeledFraction: curated.labeled_fraction,
      isTorn: split?.is_torn,
      boxes: (["labeled", "validation"] as const).map((set) => {
        const { clipped, dropped } = curated.counts.boxes[set];
        return { set, clipped, dropped };
      }),
      classes: classRows(labeled, validation),
    };
  };
}

function setRow(name: SetRow["name"], { images, objects, emptyImages }: ClassCounts): SetRow {
  return { name, images, objects, emptyImages };
}

/** Both sets have the same classes in the same order. */
function classRows(labeled: ClassCounts, validation: ClassCounts): ClassRow[] {
  return labeled.classes.map(({ name, objects, images }, index) => {
    const other = validation.classes[index] ?? { objects: 0, images: 0 };
    const { objects: asked, images: askedImages } = other;
    return { name, labeled: { objects, images }, validation: { objects: asked, images: askedImages } };
  });
}
