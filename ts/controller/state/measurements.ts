/** How long work has taken. */
import type { Database } from "../sqlite.js";

/** How long a kind of work took on a device. */
export interface Measurement {
  /** Of a Work. */
  readonly profile: string;
  readonly device: string;
  readonly seconds_per_unit: number;
  /** What is not for units, such as loading. */
  readonly overhead_seconds: number;
  /** Of the artifacts that it left. */
  readonly bytes: number;
}

export interface MeasurementTable {
  /** In place of an earlier one of the same work on the same device. */
  saveMeasurement(measurement: Measurement): void;
  listMeasurements(): Measurement[];
}

export function measurementTable(database: Database): MeasurementTable {
  const save = database.prepare("INSERT OR REPLACE INTO measurements VALUES (?, ?, ?, ?, ?)");
  const list = database.prepare("SELECT * FROM measurements ORDER BY profile, device");
  return {
    saveMeasurement: ({ profile, device, seconds_per_unit, overhead_seconds, bytes }) =>
      save.run(profile, device, seconds_per_unit, overhead_seconds, bytes),
    listMeasurements: () => list.all() as unknown as Measurement[],
  };
}
