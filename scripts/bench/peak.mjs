import { existsSync, readFileSync } from "node:fs";

/**
 * Of resident memory. Not resourceUsage, which starts from the peak of the process that started this one.
 * @param pid of a process that lives, on Linux; else of this one.
 */
export function peakMb(pid = "self") {
  const status = `/proc/${pid}/status`;
  if (pid === "self" && !existsSync(status)) return process.resourceUsage().maxRSS / 1024;
  return Number(/VmHWM:\s*(\d+)/.exec(readFileSync(status, "utf8"))[1]) / 1024;
}
