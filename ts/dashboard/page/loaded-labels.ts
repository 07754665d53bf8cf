/** The pseudo labels of a run, as a browser has them. */
import { type JudgedTable, labelTable, matchImage } from "../view/label-table.js";
import type { LabelSet } from "../wire/labels.js";
import { get, getFloats } from "./api.js";

export interface LoadedLabels extends JudgedTable {
  readonly runId: string;
  readonly set: LabelSet;
  /** Scope and set. */
  readonly question: URLSearchParams;
  /** Whether the objects of some image are known. */
  readonly hasTruth: boolean;
}

/** @param asked scope, empty for the last one, and set. */
export async function loadLabels(runId: string, asked: URLSearchParams): Promise<LoadedLabels> {
  const path = `runs/${encodeURIComponent(runId)}`;
  const set = await get<LabelSet>(`${path}/labels?${asked}`);
  // What was the last scope then need not be the last one now.
  const question = new URLSearchParams({ scope: set.scope, set: set.set });
  const table = labelTable(set.files, await getFloats(`${path}/boxes?${question}`));
  const matches = set.files.map((_, image) => matchImage(table, image));
  return { runId, set, question, table, matches, hasTruth: matches.some((match) => match !== undefined) };
}
