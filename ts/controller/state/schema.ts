/** The tables, and how those of an older cassl become what they are now. */
import { CasslError } from "../../core/errors.js";
import type { Database } from "../sqlite.js";

const TABLES = `
  CREATE TABLE runs (
    run_id TEXT PRIMARY KEY,
    run TEXT NOT NULL                   -- JSON of cassl.v1.Run
  ) STRICT;
  CREATE TABLE events (                 -- append only
    run_id TEXT NOT NULL,
    sequence INTEGER NOT NULL,
    event TEXT NOT NULL,                -- JSON of cassl.v1.RunEvent
    PRIMARY KEY (run_id, sequence)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX progress_by_step ON events (event ->> '$.stepProgress.key');
  CREATE TABLE steps (
    key TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    output TEXT NOT NULL,
    seconds REAL NOT NULL
  ) STRICT;
  CREATE TABLE tasks (
    task_id TEXT PRIMARY KEY,
    attempt INTEGER NOT NULL,           -- of the latest lease
    checkpoint TEXT                     -- JSON of cassl.v1.CheckpointSaved
  ) STRICT;
  CREATE TABLE shards (                 -- committed ones
    task_id TEXT NOT NULL,
    shard INTEGER NOT NULL,
    image_count INTEGER NOT NULL,
    box_count INTEGER NOT NULL,
    sha256 TEXT NOT NULL,
    PRIMARY KEY (task_id, shard)
  ) STRICT, WITHOUT ROWID;
`;

const DATASETS = `
  CREATE TABLE datasets (
    name TEXT PRIMARY KEY,
    dataset TEXT NOT NULL               -- JSON of cassl.v1.RegisteredDataset
  ) STRICT, WITHOUT ROWID;
`;

const MEASUREMENTS = `
  CREATE TABLE measurements (           -- the latest of each kind of work on each device
    profile TEXT NOT NULL,
    device TEXT NOT NULL,
    seconds_per_unit REAL NOT NULL,
    overhead_seconds REAL NOT NULL,
    bytes INTEGER NOT NULL,
    PRIMARY KEY (profile, device)
  ) STRICT, WITHOUT ROWID;
`;

const REVIEWS = `
  CREATE TABLE reviews (                -- what people say of pseudo labels
    run_id TEXT NOT NULL,
    file_name TEXT NOT NULL,
    review TEXT NOT NULL,               -- JSON of Review
    PRIMARY KEY (run_id, file_name)
  ) STRICT, WITHOUT ROWID;
`;

/** What each version of the schema adds. To change tables, add one. */
const MIGRATIONS = [TABLES, DATASETS, MEASUREMENTS, REVIEWS];

/** VERSION_MISMATCH if a newer cassl wrote the file. */
export function migrate(database: Database, file: string): void {
  const found = Number(database.prepare("PRAGMA user_version").get()?.["user_version"]);
  if (found > MIGRATIONS.length) {
    throw new CasslError(
      "VERSION_MISMATCH",
      `${file} was written by a newer cassl: its schema has version ${found}, this one knows ${MIGRATIONS.length}.`,
      "Install the newer cassl, or choose another --workspace.",
    );
  }
  if (found === MIGRATIONS.length) return;
  const missing = MIGRATIONS.slice(found).join("");
  database.transaction(() => database.exec(`${missing} PRAGMA user_version = ${MIGRATIONS.length}`));
}
