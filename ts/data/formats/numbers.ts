const NUMBER = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i;
const SNAP = 1e6;

/** A finite decimal number; undefined for any other text, such as `NaN`, `0x1` or nothing. */
export function parseNumber(text: string): number | undefined {
  const value = NUMBER.test(text) ? Number(text) : Number.NaN;
  return Number.isFinite(value) ? value : undefined;
}

/** To a millionth of a pixel, which takes away the noise of fractions of the image that were made pixels. */
export function snapPx(px: number): number {
  // Plus 0, which makes -0 the 0 that it is.
  return Math.round(px * SNAP) / SNAP + 0;
}
