/** A box [x, y, width, height] in absolute pixels; the form at rest and on the wire. */
export type BoxXywh = readonly [x: number, y: number, width: number, height: number];

/** A box [left, top, right, bottom] in absolute pixels; the form of geometry. */
export type BoxXyxy = readonly [left: number, top: number, right: number, bottom: number];

export function toXyxy([x, y, width, height]: BoxXywh): BoxXyxy {
  return [x, y, x + width, y + height];
}

export function toXywh([left, top, right, bottom]: BoxXyxy): BoxXywh {
  return [left, top, right - left, bottom - top];
}

/** One of N boxes. @param boxesXyxy (N * 4). */
export function xywhAt(boxesXyxy: ArrayLike<number>, box: number): BoxXywh {
  const corner = (side: 0 | 1 | 2 | 3): number => boxesXyxy[4 * box + side] as number;
  return toXywh([corner(0), corner(1), corner(2), corner(3)]);
}

/** Intersection over union in [0, 1]; 0 where the union is empty. */
export function boxIou(a: BoxXyxy, b: BoxXyxy): number {
  const width = Math.min(a[2], b[2]) - Math.max(a[0], b[0]);
  const height = Math.min(a[3], b[3]) - Math.max(a[1], b[1]);
  if (width <= 0 || height <= 0) return 0;
  const intersection = width * height;
  return intersection / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - intersection);
}

/** The part of the box inside an image of the given size; may be of no area. */
export function clipXywh([x, y, width, height]: BoxXywh, widthPx: number, heightPx: number): BoxXywh {
  const left = Math.min(Math.max(x, 0), widthPx);
  const top = Math.min(Math.max(y, 0), heightPx);
  const right = Math.min(Math.max(x + width, 0), widthPx);
  const bottom = Math.min(Math.max(y + height, 0), heightPx);
  return [left, top, right - left, bottom - top];
}
