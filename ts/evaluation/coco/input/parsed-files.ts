/** COCO files as parsed JSON, for what needs the records themselves. */

import { withFile } from "../../../core/json/byte-window.js";
import { expectEnd, takeJson } from "../../../core/json/tokens.js";
import type { CocoGroundTruth, CocoResults } from "../coco-format.js";
import { lacksList, lists, notResults } from "./files.js";

/** FILE_NOT_FOUND if there is no such file, ANNOTATIONS_INVALID if it is not ground truth. */
export async function readCocoGroundTruth(file: string): Promise<CocoGroundTruth> {
  const content = readJson(file) as Partial<CocoGroundTruth> | null;
  for (const list of lists) if (!Array.isArray(content?.[list])) throw lacksList(file, list);
  return content as CocoGroundTruth;
}

/** FILE_NOT_FOUND if there is no such file, ANNOTATIONS_INVALID if it is not a list of results. */
export async function readCocoResults(file: string): Promise<CocoResults> {
  const content = readJson(file);
  if (!Array.isArray(content)) throw notResults(file);
  return content as CocoResults;
}

function readJson(file: string): unknown {
  return withFile(file, (window) => {
    const content = takeJson(window);
    expectEnd(window);
    return content;
  });
}
