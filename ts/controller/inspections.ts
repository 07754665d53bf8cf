/**
 * What images were found to be, in SQLite, by path, size and time of the last change: a cache. Curation that was interrupted goes on
 * where it stopped, and only what is new in a folder is decoded. Deleting the file costs time and nothing else.
 */
import { INSPECTION_VERSION, type Inspection, type InspectionCache } from "../data/inspect-image.js";
import { type Database, openDatabase, type Row, useWriteAheadLog } from "./sqlite.js";

const SCHEMA = `
  DROP TABLE IF EXISTS inspections;
  CREATE TABLE inspections (
    path TEXT PRIMARY KEY,
    size_bytes INTEGER NOT NULL,
    mtime_ms REAL NOT NULL,
    sha256 TEXT NOT NULL,
    width_px INTEGER NOT NULL,
    height_px INTEGER NOT NULL,
    turned INTEGER NOT NULL,            -- 0 or 1
    hashes BLOB NOT NULL                -- 32 words, little endian
  ) STRICT, WITHOUT ROWID;
  PRAGMA user_version = ${INSPECTION_VERSION};
`;

export interface Inspections extends InspectionCache {
  close(): void;
}

/** STORAGE_FAILED if the file cannot be used, here and in everything that is done with it. */
export function openInspections(file: string): Inspections {
  const database = openDatabase(file);
  try {
    useWriteAheadLog(database);
    const version = Number(database.prepare("PRAGMA user_version").get()?.["user_version"]);
    if (version !== INSPECTION_VERSION) database.transaction(() => database.exec(SCHEMA));
    return { ...inspectionTable(database), close: database.close };
  } catch (error) {
    database.close();
    throw error;
  }
}

function inspectionTable(database: Database): InspectionCache {
  const find = database.prepare("SELECT * FROM inspections WHERE path = ? AND size_bytes = ? AND mtime_ms = ?");
  const save = database.prepare("INSERT OR REPLACE INTO inspections VALUES (?, ?, ?, ?, ?, ?, ?, ?)");
  return {
    find(path, { size_bytes, mtime_ms }) {
      const row = find.get(path, size_bytes, mtime_ms);
      return row === undefined ? undefined : toInspection(row);
    },
    save(path, { size_bytes, mtime_ms }, { info: { sha256, width_px, height_px, turned }, hashes }) {
      save.run(path, size_bytes, mtime_ms, sha256, width_px, height_px, Number(turned), new Uint8Array(hashes.buffer));
    },
  };
}

function toInspection({ sha256, size_bytes, width_px, height_px, turned, hashes }: Row): Inspection {
  return {
    info: {
      sha256: String(sha256),
      size_bytes: Number(size_bytes),
      width_px: Number(width_px),
      height_px: Number(height_px),
      turned: turned === 1,
    },
    hashes: new Uint32Array(Uint8Array.from(hashes as Uint8Array).buffer),
  };
}
