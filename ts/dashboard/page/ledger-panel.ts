/** The ledger of curation: every image with its fate, to be searched and leafed through. */
import { formatBytes } from "../../report/format.js";
import { type FateRow, LEDGER_LINES, type LedgerPage, type LedgerRow } from "../wire/data.js";
import { get } from "./api.js";
import { card } from "./card.js";
import { named, select } from "./choice.js";
import { type Child, element } from "./dom.js";
import { createPager } from "./pager.js";
import { table } from "./table.js";
import { openViewer } from "./viewer.js";

const QUIET_MS = 250;
const COLUMNS = [
  { name: "image", kind: "text" },
  { name: "set" },
  { name: "fate", kind: "text" },
  { name: "size in px", kind: "number" },
  { name: "file", kind: "number" },
  { name: "series of", kind: "text" },
] as const;

export function ledgerPanel(runId: string, fates: readonly FateRow[]): HTMLElement {
  const text = element("input", { type: "search", placeholder: "Filter by file name", "aria-label": "Filter images" });
  const split = select("Set", [["", "Every set"], ...named(new Set(fates.map((row) => row.split)))]);
  const reasons = fates.flatMap(({ reason }) => reason ?? []);
  const fate = select("Fate", [["", "Every fate"], ...named(new Set(["used", "dropped", ...reasons]))]);
  const pager = createPager("Pages of the ledger", LEDGER_LINES, async (offset) => {
    const isFate = fate.value === "used" || fate.value === "dropped";
    const query = new URLSearchParams({
      ...{ file: text.value.trim(), split: split.value, offset: String(offset) },
      [isFate ? "fate" : "reason"]: fate.value,
    });
    const { total, lines } = await get<LedgerPage>(`runs/${encodeURIComponent(runId)}/ledger?${query}`);
    const rows = lines.map((line) => cells(runId, line));
    const content =
      total === 0 ? element("p", { class: "empty" }, "No image matches.") : table("Lines of the ledger", COLUMNS, rows);
    return { content, shown: lines.length, total };
  });

  let timer: ReturnType<typeof setTimeout> | undefined;
  text.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(() => void pager.show(0), QUIET_MS);
  });
  for (const choice of [split, fate]) choice.addEventListener("change", () => void pager.show(0));
  void pager.show(0);
  return card(
    { id: "ledger", title: "Ledger", beside: pager.controls },
    element("div", { class: "filters", role: "search" }, text, split, fate),
    pager.place,
  );
}

/** Images that could be decoded can be looked at. */
function cells(runId: string, line: LedgerRow): Child[] {
  const { file_name: name, split, fate, reason, detail, width_px = 0, height_px = 0, size_bytes, series } = line;
  const view = (): void =>
    openViewer(runId, [{ file: { name, width_px, height_px }, boxes: [], note: reason ?? fate }], 0);
  return [
    width_px === 0 ? name : element("button", { class: "link", onclick: view }, name),
    split,
    [reason ?? fate, detail !== undefined && element("p", { class: "quiet" }, detail)],
    width_px === 0 ? "-" : `${width_px} \u00d7 ${height_px}`,
    size_bytes === undefined ? "-" : formatBytes(size_bytes),
    series ?? "",
  ];
}
