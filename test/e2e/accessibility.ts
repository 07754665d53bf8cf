/** What makes a page unusable without eyes or without a mouse: the checks that a program can make. */
import axe from "axe-core";
import type { Page } from "playwright-core";

interface Violation {
  readonly id: string;
  readonly impact: string | null;
  readonly help: string;
  readonly nodes: readonly { readonly html: string; readonly failureSummary?: string }[];
}

const SCHEMES = ["light", "dark"] as const;

/** What axe-core finds in the light and in the dark scheme, however serious: WCAG up to 2.2, level AA, and its best practices. */
export async function accessibilityFaults(page: Page): Promise<string[]> {
  await page.evaluate(axe.source);
  const faults: string[] = [];
  for (const colorScheme of SCHEMES) {
    await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
    const violations = await page.evaluate<Violation[]>("axe.run(document).then(({ violations }) => violations)");
    faults.push(...violations.map((violation) => `${colorScheme}: ${describe(violation)}`));
  }
  return faults;
}

function describe({ id, impact, help, nodes }: Violation): string {
  const where = nodes.map(({ html, failureSummary = "" }) => `${html.slice(0, 200)}\n    ${failureSummary}`);
  return `${id} (${impact}): ${help}\n  ${where.join("\n  ")}`;
}
