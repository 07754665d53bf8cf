/** What can be known of processes that the kernel has killed for lack of memory. */
import { readFileSync } from "node:fs";

/** How many the kernel has killed since it was started. Undefined where it does not say, as only Linux does. */
export function memoryKills(): number | undefined {
  try {
    const count = /^oom_kill (\d+)$/m.exec(readFileSync("/proc/vmstat", "utf8"))?.[1];
    return count === undefined ? undefined : Number(count);
  } catch {
    return undefined;
  }
}

/**
 * Why a process may have been killed.
 * @param before `memoryKills` when it was started.
 * @param after `memoryKills` when it had ended.
 */
export function causeOfKill(before: number | undefined, after: number | undefined): string {
  if (before === undefined || after === undefined) return "Mostly that is for lack of memory.";
  if (after > before) return "The kernel has killed for lack of memory meanwhile: most likely this process.";
  return "The kernel has not killed for lack of memory meanwhile: it was someone else, or a limit of a container.";
}
