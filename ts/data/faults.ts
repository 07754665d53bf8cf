import { CasslError, type Reason } from "../core/errors.js";

const SHOWN = 5;

/** Throws if there is any fault. The message names the first five. */
export function failOnFaults(reason: Reason, subject: string, faults: readonly string[], remedy: string): void {
  if (faults.length === 0) return;
  const shown = faults.slice(0, SHOWN);
  const more = faults.length > SHOWN ? [`and ${faults.length - SHOWN} more`] : [];
  const message = faults.length === 1 ? `${subject}: ${faults[0]}.` : [`${subject}:`, ...shown, ...more].join("\n  ");
  throw new CasslError(reason, message, remedy);
}
