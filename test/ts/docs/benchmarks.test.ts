/** docs/benchmarks.md: it names every benchmark, and results are written where it has a place for them. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { packageRoot } from "../../../ts/core/package.js";

const page = readFileSync(join(packageRoot, "docs/benchmarks.md"), "utf8");
const folder = join(packageRoot, "scripts/bench");

interface Limits {
  missedLimits(comparisons: readonly { bench: string; case: string; ratio: number }[]): string[];
}
interface Tables {
  ratioRows(comparisons: readonly object[]): string[][];
  growthRows(points: readonly object[]): string[][];
}

/** Scripts are JavaScript, which the compiler does not see. */
const script = async <T>(name: string): Promise<T> => (await import(join(folder, name))) as T;

describe("docs/benchmarks.md", () => {
  it("names every benchmark and nothing else", () => {
    const named = Array.from(page.matchAll(/^\| `([\w-]+)` \|/gm), ([, name]) => name);
    const sources = readdirSync(folder).filter((file) => file.endsWith(".mjs"));
    const benches = sources.filter((file) =>
      /^export async function compare\(/m.test(readFileSync(join(folder, file), "utf8")),
    );
    assert.deepEqual(named.sort(), benches.map((file) => file.replace(".mjs", "")).sort());
  });

  it("has a place for each table", () => {
    for (const kind of ["ratios", "growth"])
      assert.match(page, new RegExp(`<!-- ${kind} -->\n[^]*<!-- end of ${kind} -->`));
  });

  it("shows ratios, and by which exponent cost grows", async () => {
    const { growthRows, ratioRows } = await script<Tables>("tables.mjs");
    const ours = { seconds: 2, peak_mb: 100, value: 5, unit: "images/s" };
    const compared = { bench: "a", case: "b", ours, reference: { name: "c", ...ours, value: 2.5 }, ratio: 2 };
    assert.deepEqual(ratioRows([compared])[1], ["a", "b", "5.0 images/s", "100", "c", "2.5 images/s", "100", "2.00"]);
    const points = [1, 2, 4].map((size) => ({ case: "n", size, seconds: size ** 2, peak_mb: 10 }));
    assert.deepEqual(
      growthRows(points)
        .slice(1)
        .map((cells) => cells.at(-1)),
      ["", "2.00", "2.00"],
    );
  });

  it("has a limit for each ratio of the quick mode, which ratios below it miss", async () => {
    const { missedLimits } = await script<Limits>("limits.mjs");
    assert.deepEqual(missedLimits([{ bench: "coco", case: "bbox", ratio: 60 }]), []);
    assert.match(missedLimits([{ bench: "coco", case: "bbox", ratio: 1 }]).join(), /coco, bbox: its ratio is 1\.00/);
    assert.match(missedLimits([{ bench: "new", case: "", ratio: 9 }]).join(), /no limit/);
  });
});
