/** Precision-recall curves. Pure functions. */

/** The mean at each recall over the classes with objects; empty without any. @param curves of classes, empty without objects. */
export function meanCurve(curves: readonly (readonly number[])[]): number[] {
  const known = curves.filter((curve) => curve.length > 0);
  return (known[0] ?? []).map((_, at) => known.reduce((sum, curve) => sum + (curve[at] as number), 0) / known.length);
}
