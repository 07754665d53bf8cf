/** What a job writes, line by line. */
import type { RayJobs } from "../../ray/jobs.js";

/** Returns a function that passes on the lines which have come since it was called last. */
export function createLogTail(jobs: RayJobs, id: string, onLine: (line: string) => void): () => Promise<void> {
  let shown = 0;
  return async () => {
    // They are only for who looks on.
    const text = await jobs.logs(id).catch(() => "");
    const whole = text.slice(0, text.lastIndexOf("\n") + 1);
    if (whole.length <= shown) return;
    for (const line of whole.slice(shown, -1).split("\n")) onLine(line);
    shown = whole.length;
  };
}
