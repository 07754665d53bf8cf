/** Ellipses as COCO masks. A box is [x, y, width, height] in px. */

const CORNERS = 24;

/** One ring [x1, y1, x2, y2, ...]. */
export function ellipsePolygon([x, y, w, h]) {
  return Array.from({ length: CORNERS }, (_, i) => (2 * Math.PI * i) / CORNERS).flatMap((angle) => [
    x + (w / 2) * (1 + Math.cos(angle)),
    y + (h / 2) * (1 + Math.sin(angle)),
  ]);
}

/** Compressed run-length encoding of the pixels whose centre is inside. */
export function ellipseRle([x, y, w, h], widthPx, heightPx) {
  const runs = [];
  let end = 0;
  for (let column = 0; column < widthPx; column++) {
    const across = (column + 0.5 - (x + w / 2)) / (w / 2);
    if (Math.abs(across) >= 1) continue;
    const half = (h / 2) * Math.sqrt(1 - across ** 2);
    const top = Math.max(0, Math.round(y + h / 2 - half));
    const bottom = Math.min(heightPx, Math.round(y + h / 2 + half));
    if (bottom <= top) continue;
    const start = column * heightPx + top;
    if (start === end && runs.length > 0) runs.push(runs.pop() + bottom - top);
    else runs.push(start - end, bottom - top);
    end = column * heightPx + bottom;
  }
  runs.push(widthPx * heightPx - end);
  return { size: [heightPx, widthPx], counts: compressed(runs) };
}

/** Runs as COCO writes them: differences to the run before the last, five bits a character, lowest first. */
function compressed(runs) {
  return runs.map((run, i) => runText(i > 2 ? run - runs[i - 2] : run)).join("");
}

function runText(value) {
  const bits = value & 31;
  const rest = value >> 5;
  const isLast = rest === (bits & 16 ? -1 : 0);
  return isLast ? String.fromCharCode(48 + bits) : String.fromCharCode(48 + (bits | 32)) + runText(rest);
}
