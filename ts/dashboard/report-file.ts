/** Reports, which are shown by the browser beside the dashboard, but with nothing of its rights. */
import { createReadStream, existsSync } from "node:fs";
import { basename } from "node:path";
import type { NextFunction, Response } from "express";

const TYPES: Readonly<Record<string, string>> = {
  "report.html": "text/html",
  "report.md": "text/plain",
  "report.json": "application/json",
};
/** A report is one page with its style in it, and needs nothing else. */
const POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; sandbox";

/** What is no report, or not there, is left to the next handler. */
export function sendReport(path: string, response: Response, next: NextFunction): void {
  const type = TYPES[basename(path)];
  if (type === undefined || !existsSync(path)) {
    next();
    return;
  }
  response.set({ "Content-Type": `${type}; charset=utf-8`, "Content-Security-Policy": POLICY });
  createReadStream(path).on("error", next).pipe(response);
}
