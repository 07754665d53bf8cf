/** The address of a comparison of runs. */
export function comparisonPath(ids: Iterable<string>): string {
  return `/compare?${new URLSearchParams([...ids].map((id) => ["run", id]))}`;
}
