/** The selection of a group of shards, which are in memory together. */

import { type GroupFiles, readGroup } from "./predictions.js";
import { type SelectionPolicy, selectRows, takeRows } from "./select-rows.js";
import { countSelection, type PartialStats } from "./selection-stats.js";
import type { StoredBoxes } from "./store.js";

export interface GroupRequest {
  readonly group: GroupFiles;
  readonly masks: boolean;
  readonly policy: SelectionPolicy;
}

export interface GroupSelection {
  readonly labels: StoredBoxes;
  readonly stats: PartialStats;
}

export async function selectGroup({ group, masks, policy }: GroupRequest): Promise<GroupSelection> {
  const predictions = await readGroup(group, masks);
  const { rows, dropped } = selectRows(predictions, policy);
  const labels = takeRows(predictions, rows);
  return { labels, stats: countSelection(predictions, labels, dropped, group.imageCount) };
}
