/** The browser of pseudo labels. */
import type { ImageSet, LabelSet } from "../wire.js";
import { select } from "./choice.js";
import { element, replace } from "./dom.js";
import { createLabelBrowser } from "./label-browser.js";
import { loadLabels } from "./loaded-labels.js";
import { heading, runPath, runTabs, type Shell } from "./shell.js";

const NAMES: Readonly<Record<ImageSet, string>> = { unlabeled: "unlabeled images", held_out: "held-out images" };

export async function showLabels({ main, session }: Shell, runId: string): Promise<void> {
  const asked = new URLSearchParams(location.search);
  const question = new URLSearchParams({ scope: asked.get("scope") ?? "", set: asked.get("set") ?? "unlabeled" });
  const trail = [element("a", { href: "/" }, "Runs"), element("a", { href: runPath(runId) }, runId)];
  replace(main, heading("Pseudo labels", trail), runTabs(runId, "labels"), element("p", {}, "Loading ..."));
  const labels = await loadLabels(runId, question);
  const browser = createLabelBrowser(labels, session.mayChange);
  replace(main, heading("Pseudo labels", trail, choices(runId, labels.set)), runTabs(runId, "labels"), browser);
}

function choices(runId: string, { scope, scopes, set, sets }: LabelSet): HTMLElement {
  const options = scopes.flatMap((name) =>
    sets.map((images) => [addressOf(runId, name, images), `${name}, ${NAMES[images]}`] as const),
  );
  const choice = select("Labels", options, addressOf(runId, scope, set));
  choice.addEventListener("change", () => location.assign(choice.value));
  return choice;
}

function addressOf(runId: string, scope: string, set: ImageSet): string {
  return `${runPath(runId)}/labels?${new URLSearchParams({ scope, set })}`;
}
