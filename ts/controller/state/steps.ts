/** Finished steps. */
import type { StepRecord, StepStore } from "../../pipeline/step.js";
import type { Database } from "../sqlite.js";

export function stepTable(database: Database): StepStore {
  const find = database.prepare("SELECT * FROM steps WHERE key = ?");
  const save = database.prepare("INSERT OR REPLACE INTO steps (key, name, output, seconds) VALUES (?, ?, ?, ?)");
  return {
    findStep: (key) => find.get(key) as StepRecord | undefined,
    saveStep: ({ key, name, output, seconds }) => save.run(key, name, output, seconds),
  };
}
