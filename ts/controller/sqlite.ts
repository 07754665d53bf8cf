/** The door to SQLite: a database whose failures are CasslErrors. */
import { DatabaseSync } from "@photostructure/sqlite";
import { storageFailed } from "./storage.js";

export type Value = string | number | Uint8Array | null;
export type Row = Record<string, Value>;

export interface Statement {
  run(...values: Value[]): void;
  get(...values: Value[]): Row | undefined;
  all(...values: Value[]): Row[];
}

export interface Database {
  exec(sql: string): void;
  prepare(sql: string): Statement;
  /** All of the work or none of it. */
  transaction<T>(work: () => T): T;
  close(): void;
}

const SQLITE_BUSY = 5;

/** Opens or creates a database. STORAGE_FAILED if that cannot be done, here and in everything that is done with it. */
export function openDatabase(file: string): Database {
  const guarded = <T>(work: () => T): T => {
    try {
      return work();
    } catch (error) {
      throw isSqliteError(error) && error.errcode !== SQLITE_BUSY
        ? storageFailed(`The database ${file} failed: ${error.message}.`, error)
        : error;
    }
  };
  const database = guarded(() => new DatabaseSync(file));
  const exec = (sql: string): void => guarded(() => database.exec(sql));

  return {
    exec,
    prepare(sql) {
      const statement = guarded(() => database.prepare(sql));
      return {
        run: (...values) => void guarded(() => statement.run(...values)),
        get: (...values) => guarded(() => statement.get(...values) as Row | undefined),
        all: (...values) => guarded(() => statement.all(...values) as Row[]),
      };
    },
    transaction(work) {
      exec("BEGIN IMMEDIATE");
      try {
        const result = work();
        exec("COMMIT");
        return result;
      } catch (error) {
        rollback(database);
        throw error;
      }
    },
    close: () => database.close(),
  };
}

/**
 * Makes writing quick, and waits for other connections, be it one that is only just being closed. What the last seconds before a
 * power cut have brought may be lost.
 */
export function useWriteAheadLog(database: Database): void {
  // Waiting comes first: the change of the journal needs a lock too.
  database.exec("PRAGMA busy_timeout = 5000; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL");
}

/** Whether another connection, mostly of another process, holds the lock that a statement needs. */
export function isBusy(error: unknown): boolean {
  return isSqliteError(error) && error.errcode === SQLITE_BUSY;
}

/** SQLite has rolled back by itself after some failures, such as a full disk. */
function rollback(database: InstanceType<typeof DatabaseSync>): void {
  if (database.isTransaction) database.exec("ROLLBACK");
}

function isSqliteError(error: unknown): error is Error & { errcode: number } {
  return error instanceof Error && "errcode" in error && typeof error.errcode === "number";
}
