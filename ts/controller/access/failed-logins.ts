/** Counts failed logins by address, so that whoever keeps failing is not even listened to for a while. */

export interface FailedLogins {
  /** Whether the address has failed too often. */
  isShutOut(address: string): boolean;
  note(address: string): void;
}

const WINDOW_MS = 60_000;
const MAX_FAILURES = 30;
/** Of addresses that are remembered: a peer that changes its own costs no more memory than this. */
const MAX_ADDRESSES = 10_000;

/** @param now a clock in ms. */
export function createFailedLogins(now: () => number = () => performance.now()): FailedLogins {
  /** The oldest first. */
  const failures = new Map<string, { count: number; since: number }>();

  function recent(address: string): { count: number; since: number } | undefined {
    const found = failures.get(address);
    return found !== undefined && now() - found.since < WINDOW_MS ? found : undefined;
  }

  return {
    isShutOut: (address) => (recent(address)?.count ?? 0) >= MAX_FAILURES,
    note(address) {
      const known = recent(address);
      if (known !== undefined) {
        known.count++;
        return;
      }
      failures.delete(address);
      failures.set(address, { count: 1, since: now() });
      const [oldest] = failures.keys();
      if (failures.size > MAX_ADDRESSES && oldest !== undefined) failures.delete(oldest);
    },
  };
}
