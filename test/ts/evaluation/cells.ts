/** Images for test/golden/detections-model.onnx, which finds the red and blue ones of an image's 4x3 cells. */
import { join } from "node:path";
import sharp from "sharp";

export const RED = [255, 0, 0] as const;
export const BLUE = [0, 0, 255] as const;
const CELL_PX = 16;
const COLUMNS = 4;
const ROWS = 3;

export interface ColoredCell {
  /** 0..11, row by row. */
  readonly cell: number;
  readonly color: readonly [number, number, number];
}

/** Where a cell is, xywh px. */
export function cellBox(cell: number, scale = 1): [number, number, number, number] {
  const side = CELL_PX * scale;
  return [(cell % COLUMNS) * side, Math.floor(cell / COLUMNS) * side, side, side];
}

/** Writes a black PNG with coloured cells and returns its path. */
export async function writeCells(
  folder: string,
  name: string,
  cells: readonly ColoredCell[],
  scale = 1,
): Promise<string> {
  const width = COLUMNS * CELL_PX * scale;
  const height = ROWS * CELL_PX * scale;
  const pixels = Buffer.alloc(width * height * 3);
  for (const { cell, color } of cells) {
    const [left, top, side] = cellBox(cell, scale);
    for (let y = top; y < top + side; y++) {
      for (let x = left; x < left + side; x++) pixels.set(color, (y * width + x) * 3);
    }
  }
  const path = join(folder, name);
  await sharp(pixels, { raw: { width, height, channels: 3 } })
    .png()
    .toFile(path);
  return path;
}
