/** What is suspicious about the classes of a data set. */
import type { SourceSet } from "../formats/source-set.js";
import type { FindingList } from "./findings.js";
import type { ClassStatistics } from "./statistics.js";

const RARE_OBJECTS = 10;
const IMBALANCE = 100;

export function findClasses(classes: readonly ClassStatistics[], findings: FindingList): void {
  const most = classes.reduce((largest, { objects }) => Math.max(largest, objects), 0);
  for (const { name, objects } of classes) {
    const text = `${name}: ${objects}`;
    if (objects === 0) findings.add("class_without_objects", { text: name });
    else if (objects < RARE_OBJECTS) findings.add("rare_class", { text });
    if (objects > 0 && objects * IMBALANCE < most) findings.add("imbalance", { text });
  }
  findSimilarNames(classes, findings);
}

function findSimilarNames(classes: readonly ClassStatistics[], findings: FindingList): void {
  const firsts = new Map<string, ClassStatistics>();
  for (const one of classes) {
    const key = one.name.toLowerCase().replace(/[\s_-]+/g, "");
    const first = firsts.get(key);
    if (first === undefined) firsts.set(key, one);
    else {
      const text = `${first.name} (id ${first.id}) and ${one.name} (id ${one.id})`;
      findings.add("similar_class_names", { text });
    }
  }
}

/** Images without objects. */
export function findEmpty({ images, categories, objects: { starts } }: SourceSet, findings: FindingList): void {
  const empty = images.flatMap((image, index) => (starts[index] === starts[index + 1] ? [{ image, index }] : []));
  for (const { image, index } of empty) findings.add("empty_image", { text: image.file_name, image: index });
  if (images.length === 0) findings.add("no_images", { text: "there are no images" });
  if (categories.length > 0 && 2 * empty.length > images.length) {
    findings.add("mostly_empty", { text: `${empty.length} of ${images.length} images have no objects` });
  }
}
