/** Data sets that have a name. */
import { RegisteredDataset } from "../../gen/cassl/v1/controller_service.js";
import type { Database, Row } from "../sqlite.js";
import { optional } from "./rows.js";

export interface DatasetTable {
  saveDataset(dataset: RegisteredDataset): void;
  findDataset(name: string): RegisteredDataset | undefined;
  /** By name. */
  listDatasets(): RegisteredDataset[];
}

export function datasetTable(database: Database): DatasetTable {
  const save = database.prepare("INSERT OR REPLACE INTO datasets VALUES (?, ?)");
  const find = database.prepare("SELECT dataset FROM datasets WHERE name = ?");
  const list = database.prepare("SELECT dataset FROM datasets ORDER BY name");
  return {
    saveDataset: (dataset) => save.run(dataset.name, JSON.stringify(RegisteredDataset.toJSON(dataset))),
    findDataset: (name) => optional(find.get(name), toDataset),
    listDatasets: () => list.all().map(toDataset),
  };
}

function toDataset({ dataset }: Row): RegisteredDataset {
  return RegisteredDataset.fromJSON(JSON.parse(String(dataset)));
}
