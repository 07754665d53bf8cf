/** The browser of pseudo labels: what was opened stays, and newer labels are offered beside it. */
import type { ImageSet, LabelSet } from "../wire/labels.js";
import type { RunDetail } from "../wire/runs.js";
import { select } from "./choice.js";
import { createLabelBrowser, type LabelBrowser } from "./label-browser.js";
import { loadLabels } from "./loaded-labels.js";
import { offer, type Part, showView } from "./run-view.js";
import { runPath, type Shell } from "./shell.js";

const NAMES: Readonly<Record<ImageSet, string>> = { unlabeled: "unlabeled images", held_out: "held-out images" };

export function showLabels(shell: Shell, runId: string): void {
  /** Loaded once: who looks at them has chosen a score and a filter, and may be at a box. */
  let opened: OpenedLabels | undefined;
  showView(shell, runId, {
    name: "labels",
    isThere: ({ labelings }) => labelings.length > 0,
    waiting: {
      message: `The run \`${runId}\` has no pseudo labels yet.`,
      remedy: "The first ones are shown here when a pseudo-labeler has predicted on the unlabeled images.",
    },
    async load({ labelings }) {
      opened ??= await openLabels(runId, shell.session.mayChange);
      const { set, browser } = opened;
      browser.showThresholdOfRun(thresholdOf(set, labelings));
      return {
        choices: choicePart(runId, set, newerThan(set, labelings)),
        parts: [{ version: "opened", draw: () => browser.element }],
      };
    },
  });
}

interface OpenedLabels {
  readonly set: LabelSet;
  readonly browser: LabelBrowser;
}

/** Those that the address asks for. */
async function openLabels(runId: string, mayChange: boolean): Promise<OpenedLabels> {
  const asked = new URLSearchParams(location.search);
  const question = new URLSearchParams({ scope: asked.get("scope") ?? "", set: asked.get("set") ?? "unlabeled" });
  const labels = await loadLabels(runId, question);
  return { set: labels.set, browser: createLabelBrowser(labels, mayChange) };
}

type Labelings = RunDetail["labelings"];

/** The run selects only after its predictions are there. */
function thresholdOf({ scope, threshold }: LabelSet, labelings: Labelings): number | undefined {
  return labelings.find((labeling) => labeling.scope === scope)?.selected?.score_threshold ?? threshold;
}

function newerThan({ scopes }: LabelSet, labelings: Labelings): string[] {
  return labelings.map(({ scope }) => scope).filter((scope) => !scopes.includes(scope));
}

function choicePart(runId: string, set: LabelSet, newer: readonly string[]): Part {
  const offered = (scope: string): HTMLElement => offer(scope, addressOf(runId, scope, set.set));
  return { version: JSON.stringify(newer), draw: () => [newer.map(offered), choices(runId, set, newer)] };
}

function choices(runId: string, { scope, scopes, set, sets }: LabelSet, newer: readonly string[]): HTMLElement {
  const options = [...scopes, ...newer].flatMap((name) =>
    sets.map((images) => [addressOf(runId, name, images), `${name}, ${NAMES[images]}`] as const),
  );
  const choice = select("Labels", options, addressOf(runId, scope, set));
  choice.addEventListener("change", () => location.assign(choice.value));
  return choice;
}

function addressOf(runId: string, scope: string, set: ImageSet): string {
  return `${runPath(runId)}/labels?${new URLSearchParams({ scope, set })}`;
}
