/** The name, or the first of `<name>-2`, `<name>-3`, ... that is not taken. */
export function withFreeSuffix(name: string, isTaken: (name: string) => boolean): string {
  let candidate = name;
  for (let suffix = 2; isTaken(candidate); suffix++) candidate = `${name}-${suffix}`;
  return candidate;
}
