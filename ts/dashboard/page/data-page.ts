/** The data of a run: what became of every image, which show the same, the sets and the classes in them. */
import { formatNumber, formatShare } from "../../report/format.js";
import type { ClassRow, DataSummary, FateRow, SetRow } from "../wire/data.js";
import type { TextTable } from "../wire/requests.js";
import { get } from "./api.js";
import { shareBar } from "./bar.js";
import { card } from "./card.js";
import { type Child, element } from "./dom.js";
import { ledgerPanel } from "./ledger-panel.js";
import { pairPanel } from "./pair-panel.js";
import { type Part, showView } from "./run-view.js";
import type { Shell } from "./shell.js";
import { table, textTable } from "./table.js";

const MOST_CLASSES = 100;

export function showData(shell: Shell, runId: string): void {
  showView(shell, runId, {
    name: "data",
    isThere: ({ has_data }) => has_data,
    waiting: {
      message: `The run \`${runId}\` has not looked at its images yet.`,
      remedy: "They are shown here when its first step, curate, is done.",
    },
    async load() {
      const data = await get<DataSummary>(`runs/${encodeURIComponent(runId)}/data`);
      return { parts: [countPart(data), imagePart(runId, data.fates)] };
    },
  });
}

/** What is held out is known a little later than the rest. */
function countPart(data: DataSummary): Part {
  const draw = (): Child => [
    element("div", { class: "columns even" }, fatePanel(data.fateTable), setPanel(data)),
    classPanel(data),
  ];
  return { version: JSON.stringify(data), draw };
}

function imagePart(runId: string, fates: readonly FateRow[]): Part {
  const draw = (): Child => [
    pairPanel(runId, "leaks", "Leaks: what shows the same as a validation image"),
    pairPanel(runId, "copies", "Duplicates: unlabeled images with the content of another one"),
    ledgerPanel(runId, fates),
  ];
  return { version: JSON.stringify(fates), draw };
}

function fatePanel(fates: TextTable): HTMLElement {
  return card({ id: "fates", title: "What became of every image" }, textTable("Images by fate and set", fates));
}

function setPanel({ sets, labeledFraction, isTorn, boxes }: DataSummary): HTMLElement {
  const number = (name: string) => ({ name, kind: "number" as const });
  const columns = [
    { name: "set" },
    ...["images", "without objects", "objects", "an image"].map((name) => number(name)),
  ];
  const repaired = boxes.filter(({ clipped, dropped }) => clipped + dropped > 0);
  return card(
    { id: "sets", title: "Splits" },
    table("Images and objects of each set", columns, sets.map(setCells)),
    element(
      "p",
      { class: "quiet" },
      `${formatShare(labeledFraction)} of the images in the annotation file are labeled.`,
    ),
    isTorn && element("p", { class: "warning" }, "Images of one series are both in training and held out."),
    repaired.map(({ set, clipped, dropped }) =>
      element(
        "p",
        { class: "quiet" },
        `Boxes of the ${set} set: ${clipped} clipped to the image, ${dropped} left out.`,
      ),
    ),
  );
}

function setCells({ name, images, objects, emptyImages }: SetRow): Child[] {
  const isPart = name === "training" || name === "held out";
  return [
    isPart ? element("span", { class: "part" }, name) : name,
    String(images),
    emptyImages === undefined ? "-" : String(emptyImages),
    objects === undefined ? "-" : String(objects),
    objects === undefined ? "-" : formatNumber(objects / Math.max(1, images)),
  ];
}

function classPanel({ classes }: DataSummary): HTMLElement {
  const total = (set: "labeled" | "validation"): number =>
    Math.max(
      1,
      classes.reduce((sum, row) => sum + row[set].objects, 0),
    );
  const totals = { labeled: total("labeled"), validation: total("validation") };
  const most = Math.max(
    ...classes.flatMap((row) => [row.labeled.objects / totals.labeled, row.validation.objects / totals.validation]),
    Number.EPSILON,
  );
  const cells = (row: ClassRow): Child[] => [
    row.name,
    ...(["labeled", "validation"] as const).flatMap((set): Child[] => {
      const share = row[set].objects / totals[set];
      const bar = shareBar(share / most, set === "labeled" ? "a" : "b");
      return [String(row[set].objects), [bar, ` ${formatShare(share)}`], String(row[set].images)];
    }),
  ];
  const sorted = [...classes].sort((a, b) => b.labeled.objects - a.labeled.objects);
  const columns = [
    { name: "class" },
    ...(["labeled", "validation"] as const).flatMap((set) => [
      { name: `${set} objects`, kind: "number" as const },
      { name: "of all" },
      { name: "images", kind: "number" as const },
    ]),
  ];
  const rest = sorted.slice(MOST_CLASSES);
  return card(
    { id: "classes", title: "Classes" },
    table("Objects and images of each class", columns, sorted.slice(0, MOST_CLASSES).map(cells)),
    rest.length > 0 &&
      element(
        "details",
        {},
        element("summary", {}, `${rest.length} rarer classes`),
        table("Objects and images of rarer classes", columns, rest.map(cells)),
      ),
  );
}
