/**
 * One controller per workspace. The lock is one that the operating system holds for a process (an open transaction on
 * a database file), so it ends with the process however that ends: there are no stale locks. The file says whose it is.
 */
import { hostname } from "node:os";
import { CasslError } from "../core/errors.js";
import { type Database, isBusy, openDatabase } from "./sqlite.js";

export interface WorkspaceLock {
  release(): void;
}

/** WORKSPACE_LOCKED, naming the process, if another controller has the workspace. */
export function lockWorkspace(workspace: string, file: string): WorkspaceLock {
  const database = openDatabase(file);
  try {
    database.exec("PRAGMA busy_timeout = 300");
    database.exec("BEGIN IMMEDIATE");
    database.exec("CREATE TABLE IF NOT EXISTS holder (pid INTEGER NOT NULL, host TEXT NOT NULL)");
    // No prepared statement: an open one would outlive the database, and hold the lock.
    const host = hostname().replaceAll("'", "''");
    database.exec(`DELETE FROM holder; INSERT INTO holder VALUES (${process.pid}, '${host}'); COMMIT`);
    database.exec("BEGIN IMMEDIATE");
  } catch (error) {
    const failure = isBusy(error) ? lockedBy(ownerOf(database), workspace) : error;
    database.close();
    throw failure;
  }
  return { release: () => database.close() };
}

function ownerOf(database: Database): string {
  try {
    const { pid, host } = database.prepare("SELECT pid, host FROM holder").get() as { pid: number; host: string };
    return `process ${pid} on ${host}`;
  } catch {
    // The other process is just writing it.
    return "another process";
  }
}

function lockedBy(owner: string, workspace: string): CasslError {
  return new CasslError(
    "WORKSPACE_LOCKED",
    `The workspace ${workspace} is in use by ${owner}.`,
    "Stop that controller, send it the run with `cassl submit`, or choose another --workspace.",
  );
}
