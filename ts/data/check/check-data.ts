/** Checks a data set: counts it, and lists what is wrong or suspicious. */
import { FAULT_KINDS } from "../formats/fault-list.js";
import { readSource } from "../formats/read-annotations.js";
import type { AnnotationSource, Format, SourceSet } from "../formats/source-set.js";
import { findBoxes } from "./box-findings.js";
import { findClasses, findEmpty } from "./class-findings.js";
import { createFindingList, type Finding, type FindingList } from "./findings.js";
import { findImageFiles } from "./image-findings.js";
import { countAll, type Statistics } from "./statistics.js";

export interface DataCheck {
  /** The file or folder that was read. */
  readonly source: string;
  readonly format: Format;
  /** Undefined: it is not known where the images are, so that none were looked at. */
  readonly image_folder: string | undefined;
  readonly statistics: Statistics;
  /** Errors first. */
  readonly findings: readonly Finding[];
  /** What examples are about. */
  readonly set: SourceSet;
}

/**
 * FILE_NOT_FOUND, CONFIG_INVALID or ANNOTATIONS_INVALID if the annotations cannot be read at all; what is wrong with
 * single records, boxes and images is found.
 */
export async function checkData(source: AnnotationSource, signal: AbortSignal): Promise<DataCheck> {
  const set = await readSource(source, { masks: false });
  const statistics = countAll(set);
  const findings = createFindingList();
  addFaults(set, findings);
  findBoxes(set, findings);
  findClasses(statistics.classes, findings);
  findEmpty(set, findings);
  await findImageFiles(set, findings, signal);
  const { name, format, imageFolder } = set;
  return { source: name, format, image_folder: imageFolder, statistics, findings: findings.all(), set };
}

/** What reading found. */
function addFaults({ faults }: SourceSet, findings: FindingList): void {
  for (const kind of FAULT_KINDS) {
    const { count, examples } = faults.of(kind);
    for (const [index, text] of examples.entries()) {
      findings.add(kind, { text }, index === 0 ? count - examples.length + 1 : 1);
    }
  }
}
