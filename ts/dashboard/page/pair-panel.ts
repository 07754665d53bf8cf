/** Images that were dropped, each beside the one that shows the same. */
import { formatNumber } from "../../report/format.js";
import { type ImagePair, PAIRS_AT_ONCE, type PairedImage, type PairKind, type PairPage } from "../wire/data.js";
import { get } from "./api.js";
import { card } from "./card.js";
import { type Child, element } from "./dom.js";
import { createPager } from "./pager.js";
import { pictureUrl } from "./picture.js";

export function pairPanel(runId: string, kind: PairKind, title: string): HTMLElement {
  const pager = createPager(title, PAIRS_AT_ONCE, async (offset) => {
    const path = `runs/${encodeURIComponent(runId)}/pairs?kind=${kind}&offset=${offset}`;
    const { total, pairs } = await get<PairPage>(path);
    return { content: total > 0 && pairList(runId, pairs), shown: pairs.length, total };
  });
  void pager.show(0);
  return card({ id: kind, title, beside: pager.controls }, pager.place);
}

function pairList(runId: string, pairs: readonly ImagePair[]): Child {
  return element(
    "ul",
    { class: "pairs" },
    pairs.map(({ dropped, kept, isExact, distance = 0, mirrored = false }) =>
      element(
        "li",
        {},
        element("div", { class: "pair" }, pairedImage(runId, dropped, "dropped"), pairedImage(runId, kept, "kept")),
        element(
          "p",
          { class: "quiet" },
          isExact ? "equal files" : `distance ${formatNumber(distance)}${mirrored ? ", mirrored" : ""}`,
        ),
      ),
    ),
  );
}

function pairedImage(runId: string, { name, split }: PairedImage, fate: "dropped" | "kept"): HTMLElement {
  return element(
    "figure",
    {},
    element("img", { src: pictureUrl(runId, name, 240), alt: name, loading: "lazy" }),
    element(
      "figcaption",
      {},
      element("span", { class: `badge ${fate === "kept" ? "succeeded" : "failed"}` }, `${fate}, ${split}`),
      element("span", { class: "file", title: name }, name),
    ),
  );
}
