/** Sample images with their boxes: the image as a small embedded JPEG, the boxes as SVG over it. */
import { readThumbnail } from "../images/thumbnail.js";
import { type Html, html } from "./html.js";
import { maskPath } from "./mask-path.js";
import type { SampleBox, SampleGroup, SampleImage } from "./report-input.js";

const THUMBNAIL_PX = 400;
/** A report has dozens of them, and is one file. */
const JPEG_QUALITY = 72;

/** The names of the kinds, in the order in which they are drawn. */
const KINDS: Readonly<Record<SampleBox["kind"], string>> = {
  ground_truth: "ground truth",
  pseudo_label: "pseudo label",
  detection: "detection",
};

/** The figures of each group, in the order of its images. */
export async function groupFigures(groups: readonly SampleGroup[]): Promise<Html[][]> {
  const figures: Html[][] = [];
  for (const { images } of groups) figures.push(await sampleFigures(images));
  return figures;
}

/** An image that cannot be read any more is left out of its figure: its boxes still tell something. */
export async function sampleFigures(samples: readonly SampleImage[]): Promise<Html[]> {
  const figures: Html[] = [];
  for (const sample of samples) figures.push(figure(sample, await thumbnail(sample.image_path).catch(() => undefined)));
  return figures;
}

/** The kinds that the samples have, each with its colour. */
export function legend(samples: readonly SampleImage[]): Html {
  const present = new Set(samples.flatMap(({ boxes }) => boxes.map(({ kind }) => kind)));
  const entries = Object.entries(KINDS).filter(([kind]) => present.has(kind as SampleBox["kind"]));
  return html`<p class="legend">${entries.map(([kind, name]) => html`<span class="key ${kind}">${name}</span> `)}</p>`;
}

/** A data URL. */
async function thumbnail(path: string): Promise<string> {
  const jpeg = await readThumbnail(path, THUMBNAIL_PX, JPEG_QUALITY);
  return `data:image/jpeg;base64,${jpeg.toString("base64")}`;
}

function figure({ title, width_px, height_px, boxes }: SampleImage, image: string | undefined): Html {
  const unit = Math.max(width_px, height_px) / THUMBNAIL_PX;
  const sorted = Object.keys(KINDS).flatMap((kind) => boxes.filter((box) => box.kind === kind));
  return html`<figure class="sample">
    <svg viewBox="0 0 ${width_px} ${height_px}" role="img" aria-label="${describe(title, boxes)}" style="font-size:${(8 * unit).toFixed(2)}px">
      ${image === undefined ? undefined : html`<image href="${image}" width="${width_px}" height="${height_px}"/>`}
      ${sorted.map((box) => overlay(box, unit, height_px))}
    </svg>
    <figcaption>${title}${image === undefined ? " (the image cannot be read any more)" : ""}</figcaption>
  </figure>`;
}

/**
 * Ground truth has its label inside, at the bottom; what a model found has it at the top, so that both can be read.
 * @param unit px of the image for one px of the thumbnail.
 */
function overlay(box: SampleBox, unit: number, heightPx: number): Html {
  const {
    box_xywh: [x, y, width, height],
    label,
    score,
    kind,
    mask,
  } = box;
  const text = score === undefined ? label : `${label} ${score.toFixed(2)}`;
  const above = Math.max(y - 2.5 * unit, 8 * unit);
  const baseline = kind === "ground_truth" ? y + height - 3 * unit : above;
  return html`<g class="box ${kind}"><title>${KINDS[kind]}: ${text}</title>
    ${mask === undefined ? undefined : html`<path d="${maskPath(mask, heightPx, Math.max(1, Math.round(unit)))}"/>`}
    <rect x="${x}" y="${y}" width="${width}" height="${height}"/>
    <text x="${(x + 2 * unit).toFixed(1)}" y="${baseline.toFixed(1)}" stroke-width="${(2 * unit).toFixed(2)}">${text}</text></g>`;
}

function describe(title: string, boxes: readonly SampleBox[]): string {
  const counts = Object.entries(KINDS)
    .map(([kind, name]) => [boxes.filter((box) => box.kind === kind).length, name] as const)
    .filter(([count]) => count > 0)
    .map(([count, name]) => `${count} x ${name}`);
  return counts.length === 0 ? `${title}: no boxes` : `${title}: ${counts.join(", ")}`;
}
