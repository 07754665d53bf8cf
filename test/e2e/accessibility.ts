/** What makes a page unusable without eyes or without a mouse: the checks that a program can make. */
import type { Page } from "playwright-core";

/** Runs in the browser, whose types Node.js does not have. */
const CHECKS = `(() => {
  const faults = [];
  const nameOf = (node) => (node.getAttribute("aria-label") || node.textContent || node.title || "").trim() ||
    (node.getAttribute("aria-labelledby") || "").split(" ").map((id) => document.getElementById(id)?.textContent ?? "").join("") ||
    [...(node.labels ?? [])].map((label) => label.textContent).join("");
  const isShown = (node) => node.getClientRects().length > 0;
  for (const node of document.querySelectorAll("a[href], button, input, select, textarea, progress, [role=img], [role=slider]"))
    if (isShown(node) && nameOf(node) === "") faults.push("no name: " + node.outerHTML.slice(0, 120));
  for (const node of document.querySelectorAll("img:not([alt])")) faults.push("no alt: " + node.outerHTML.slice(0, 120));
  if (document.querySelectorAll("main").length !== 1) faults.push("not one main landmark");
  if (document.querySelectorAll("h1").length !== 1) faults.push("not one first heading");
  if (!document.documentElement.lang) faults.push("no language");
  const ids = [...document.querySelectorAll("[id]")].map((node) => node.id);
  for (const id of ids) if (ids.indexOf(id) !== ids.lastIndexOf(id)) faults.push("id twice: " + id);

  const context = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const rgba = (text) => { context.clearRect(0, 0, 1, 1); context.fillStyle = text; context.fillRect(0, 0, 1, 1); return [...context.getImageData(0, 0, 1, 1).data]; };
  const luminance = ([r, g, b]) => [r, g, b].map((v) => v / 255).map((v) => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const behind = (node) => { for (let at = node; at; at = at.parentElement) { const c = rgba(getComputedStyle(at).backgroundColor); if (c[3] === 255) return c; } return [255, 255, 255]; };
  for (const node of document.querySelectorAll("body *")) {
    const hasText = [...node.childNodes].some((child) => child.nodeType === 3 && child.textContent.trim() !== "");
    if (!hasText || !isShown(node) || node.closest("svg, :disabled, .unseen, .skip")) continue;
    const style = getComputedStyle(node);
    const [a, b] = [luminance(rgba(style.color)), luminance(behind(node))].sort((x, y) => y - x);
    const isLarge = parseFloat(style.fontSize) >= 24 || (parseFloat(style.fontSize) >= 18.7 && style.fontWeight >= 700);
    const contrast = (a + 0.05) / (b + 0.05);
    if (contrast < (isLarge ? 3 : 4.5)) faults.push("contrast " + contrast.toFixed(2) + ": " + node.outerHTML.slice(0, 120));
  }
  return faults;
})()`;

/**
 * Controls without a name, images without a text, missing landmarks, ids that are there twice, and text whose contrast is below
 * that of WCAG 2.2, success criterion 1.4.3, level AA; in the light and in the dark scheme.
 */
export async function accessibilityFaults(page: Page): Promise<string[]> {
  const faults: string[] = [];
  for (const colorScheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme });
    faults.push(...(await page.evaluate<string[]>(CHECKS)).map((fault) => `${colorScheme}: ${fault}`));
  }
  return faults;
}
