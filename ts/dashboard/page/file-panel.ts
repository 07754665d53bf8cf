/** What the run has left, to be downloaded. */
import { formatBytes } from "../../report/format.js";
import type { ArtifactLink, RunDetail } from "../wire/runs.js";
import { card } from "./card.js";
import { type Child, element } from "./dom.js";

/** What people look for; the rest is folded. */
const WANTED = /(onnx|finetune\/weights|certificate|detections|select\/labels)$/;

export function filePanel({ row, artifacts }: RunDetail): Child {
  if (artifacts.length === 0) return undefined;
  const wanted = artifacts.filter(({ name }) => WANTED.test(name));
  const others = artifacts.filter(({ name }) => !WANTED.test(name));
  return card(
    { id: "files", title: "Artifacts" },
    list(wanted, row.id),
    others.length > 0 && element("details", {}, element("summary", {}, `${others.length} more`), list(others, row.id)),
  );
}

function list(links: readonly ArtifactLink[], runId: string): HTMLElement {
  return element(
    "ul",
    { class: "plain-list files" },
    links.map(({ name, sha256, size_bytes }) => {
      const file = `${runId}-${name.replaceAll("/", "-")}${extension(name)}`;
      return element(
        "li",
        {},
        element("a", { href: `/api/artifacts/${sha256}?name=${encodeURIComponent(file)}`, download: file }, name),
        element("span", { class: "quiet" }, formatBytes(size_bytes)),
      );
    }),
  );
}

function extension(name: string): string {
  if (name.endsWith("/onnx")) return ".onnx";
  if (name.endsWith("/weights")) return ".safetensors";
  if (/(select\/labels|image_table)$/.test(name)) return ".parquet";
  if (/(detections|certificate|predict|predict_held_out)$/.test(name)) return ".json";
  return ".jsonl";
}
