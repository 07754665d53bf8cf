import { existsSync, readFileSync } from "node:fs";

/** Of this process. Not resourceUsage, which starts from the peak of the process that started this one. */
export function peakMb() {
  const status = "/proc/self/status";
  if (!existsSync(status)) return process.resourceUsage().maxRSS / 1024;
  return Number(/VmHWM:\s*(\d+)/.exec(readFileSync(status, "utf8"))[1]) / 1024;
}
