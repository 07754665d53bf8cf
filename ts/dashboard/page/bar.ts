import { drawing } from "./dom.js";

/** A share in [0, 1] as a bar beside its number, which says it to those who do not see it. */
export function shareBar(share: number, kind: "a" | "b" = "a"): SVGSVGElement {
  return drawing(
    "svg",
    { class: "share", viewBox: "0 0 100 10", preserveAspectRatio: "none", "aria-hidden": "true" },
    drawing("rect", { class: `bar-${kind}`, x: 0, y: 1, width: Math.max(0, Math.min(100, 100 * share)), height: 8 }),
  );
}
