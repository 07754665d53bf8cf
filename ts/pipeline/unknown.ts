/** A value that is not known before a run is done. Whatever is asked of it is unknown too. */

const unknowns = new WeakSet();

/** Stands in for a result of any form: its members, elements and numbers are unknown, NaN where a number must be. */
export function unknownValue<T>(): T {
  const value: object = new Proxy(() => {}, { get: (_, name) => memberOf(name), apply: () => unknownValue<object>() });
  unknowns.add(value);
  return value as T;
}

function memberOf(name: string | symbol): unknown {
  // Waiting for an unknown value gives it as it is.
  if (name === "then") return undefined;
  if (name === Symbol.toPrimitive) return (hint: string) => (hint === "string" ? "unknown" : Number.NaN);
  if (name === Symbol.iterator) return () => [].values();
  return unknownValue();
}

/** Whether a value is unknown, or has a member that is. */
export function holdsUnknown(value: unknown): boolean {
  if (typeof value !== "object" && typeof value !== "function") return false;
  if (value === null) return false;
  return unknowns.has(value) || Object.values(value).some(holdsUnknown);
}
