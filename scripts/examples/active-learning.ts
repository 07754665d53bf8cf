/**
 * Label what the model is least sure of: in each round, the images whose pseudo labels are the most uncertain are written to a
 * COCO file to be corrected, and the next run has the corrected ones in its labeled set.
 *
 *     node dist/scripts/examples/active-learning.js cassl.yaml answers.json 3 20
 *
 * Here the corrections are those of answers.json, COCO annotations of the unlabeled images, which stand in for whoever labels.
 * `data.labeled.images` is the folder that holds all images, so that file names mean the same everywhere.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { CasslClient, type PseudoLabeledImage, parseConfigText, toRunConfig } from "cassl";

interface Coco {
  images: { id: number; file_name: string }[];
  annotations: { id: number; image_id: number }[];
}

const [file = "cassl.yaml", answersFile = "answers.json", rounds = "3", count = "20"] = process.argv.slice(2);
const config = parseConfigText(readFileSync(file, "utf8"), file);
const client = new CasslClient(process.env["CASSL_CONTROLLER"] ?? "127.0.0.1:7070");
const readCoco = (path: string): Coco => JSON.parse(readFileSync(path, "utf8")) as Coco;

let labeled = readCoco(config.data.labeled.annotations);
for (let round = 1; round <= Number(rounds); round++) {
  const annotations = join(dirname(file), `labeled-${round}.json`);
  writeFileSync(annotations, JSON.stringify(labeled));
  const data = { ...config.data, labeled: { ...config.data.labeled, annotations } };
  const runId = `${config.name}-round-${round}`;
  await client.createRun(runId, toRunConfig({ ...config, arms: ["class_agnostic"], data }));
  const { arms } = await client.resultOf(runId);
  console.log(`${labeled.images.length} labeled images: AP ${(100 * (arms[0]?.ap ?? 0)).toFixed(1)}`);

  const uncertain = [];
  for await (const image of client.streamPseudoLabels(runId, "class_agnostic")) uncertain.push(image);
  const chosen = uncertain.sort((a, b) => certainty(a) - certainty(b)).slice(0, Number(count));
  writeFileSync(join(dirname(file), `to-correct-${round}.json`), JSON.stringify(chosen, null, 1));
  labeled = joined(labeled, correctionsOf(chosen));
}
client.close();

/** How far the scores of an image are from an even bet, on average. */
function certainty({ labels }: PseudoLabeledImage): number {
  return labels.reduce((sum, { score }) => sum + Math.abs(score - 0.5), 0) / Math.max(1, labels.length);
}

function correctionsOf(chosen: readonly PseudoLabeledImage[]): Coco {
  const { images, annotations } = readCoco(answersFile);
  const corrected = images.filter(({ file_name }) => chosen.some((image) => image.file_name === file_name));
  return {
    images: corrected,
    annotations: annotations.filter((one) => corrected.some(({ id }) => id === one.image_id)),
  };
}

/** Both sets, the ids of the second one moved behind those of the first. */
function joined(first: Coco, second: Coco): Coco {
  const behind = (items: readonly { id: number }[]): number => items.reduce((last, { id }) => Math.max(last, id), 0);
  const [image, annotation] = [behind(first.images), behind(first.annotations)];
  const images = second.images.map((one) => ({ ...one, id: one.id + image }));
  const annotations = second.annotations.map((one) => ({
    ...one,
    id: one.id + annotation,
    image_id: one.image_id + image,
  }));
  return { ...first, images: [...first.images, ...images], annotations: [...first.annotations, ...annotations] };
}
