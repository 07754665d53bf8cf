import { CasslError, type Reason } from "../core/errors.js";

const SHOWN = 5;

/**
 * Throws if there is any fault. The message names the first five.
 * @param count of all faults, if `faults` are only the first.
 */
export function failOnFaults(
  reason: Reason,
  subject: string,
  faults: readonly string[],
  remedy: string,
  count: number = faults.length,
): void {
  if (count === 0) return;
  const shown = faults.slice(0, SHOWN);
  const more = count > shown.length ? [`and ${count - shown.length} more`] : [];
  const message = count === 1 ? `${subject}: ${shown[0]}.` : [`${subject}:`, ...shown, ...more].join("\n  ");
  throw new CasslError(reason, message, remedy);
}
