/** What the leak firewall has kept out of training, and some of it as pairs of pictures. */

import type { LeakEvidence } from "../data/evidence.js";
import { htmlTextTable } from "./document.js";
import { type Html, html } from "./html.js";

const MOST_LISTED = 200;

/** For a reader who sees no pictures. */
export function leakSentence(leaks: readonly LeakEvidence[]): string {
  if (leaks.length === 0) return "No image shows the same as a validation image.";
  const exact = leaks.filter(({ kind }) => kind === "exact").length;
  const kinds = [
    `${count(exact, "exact copy", "exact copies")}`,
    count(leaks.length - exact, "near-duplicate", "near-duplicates"),
  ];
  return `Kept out of training: ${kinds.join(" and ")} of validation images.`;
}

export function leakFigures(leaks: readonly LeakEvidence[]): Html {
  const pictured = leaks.filter(({ previews }) => previews !== undefined);
  const pairs = html`<details open="open"><summary>${pictured.length} of the near-duplicates, each beside its validation image</summary>
    <div class="pairs">${pictured.map(figure)}</div>
  </details>`;
  return html`<p>${leakSentence(leaks)}</p>${pictured.length === 0 ? undefined : pairs}${leaks.length === 0 ? undefined : list(leaks)}`;
}

function list(leaks: readonly LeakEvidence[]): Html {
  const shown = leaks.slice(0, MOST_LISTED);
  const which = shown.length < leaks.length ? `The first ${shown.length} of ${leaks.length}` : `All ${leaks.length}`;
  const rows = shown.map(({ file_name, split, validation, kind, distance }) => {
    return [file_name, split, validation, kind, distance.toFixed(3)];
  });
  return html`<details><summary>${which}, by name</summary>
    ${htmlTextTable("Images that show the same as a validation image; report.json has all", { header: ["image", "of the set", "validation image", "copy", "distance"], rows })}
  </details>`;
}

function figure({ file_name, split, validation, distance, mirrored, previews }: LeakEvidence): Html {
  const picture = (jpeg: string | undefined, name: string): Html =>
    html`<img src="data:image/jpeg;base64,${jpeg}" alt="${name}"/>`;
  return html`<figure class="pair">
    <div>${picture(previews?.image, file_name)}${picture(previews?.validation, validation)}</div>
    <figcaption>${split} ${file_name}, validation ${validation}: distance ${distance.toFixed(3)}${mirrored ? ", mirrored" : ""}</figcaption>
  </figure>`;
}

function count(number: number, one: string, many: string): string {
  return `${number} ${number === 1 ? one : many}`;
}
