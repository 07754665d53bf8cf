/** The data of a run, in a browser. */
import assert from "node:assert/strict";
import { copyFile, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Page } from "playwright-core";
import sharp from "sharp";
import { accessibilityFaults } from "./accessibility.js";
import { browserSuite } from "./suite.js";

const HOSTILE = `<img src=x onerror="alert(1)">.png`;

/** Photos with copies among them: of one another, of the validation image, and one under a name that looks like markup. */
async function makeFound(folder: string): Promise<string> {
  const found = join(folder, "found");
  await mkdir(found);
  for (const [name, seed] of Object.entries({ "a.png": 1, "b.png": 2, [HOSTILE]: 3 })) {
    const pixels = Buffer.from(Array.from({ length: 64 * 48 * 3 }, (_, at) => (at * at * seed) % 251));
    await sharp(pixels, { raw: { width: 64, height: 48, channels: 3 } })
      .png()
      .toFile(join(found, name));
  }
  await copyFile(join(found, HOSTILE), join(found, `z${HOSTILE}`));
  await copyFile(join(folder, "val-1.png"), join(found, "leak.png"));
  await writeFile(join(found, "broken.png"), "no image");
  return found;
}

describe("dashboard, data", function () {
  this.timeout(240_000);
  const suite = browserSuite(async (lab) => {
    lab.work();
    const data = lab.config.data!;
    const unlabeled = { ...data.unlabeled!, images: [await makeFound(lab.folder)] };
    await lab.finish("first", { arms: ["supervised"], data: { ...data, unlabeled, bad_images: "drop" } });
  });

  const open = async (run = "first"): Promise<Page> => {
    const page = await suite.open(`/runs/${run}`);
    await page.getByRole("link", { name: "Data" }).click();
    return page;
  };
  const region = (page: Page, name: string) => page.getByRole("region", { name, exact: true });

  it("accounts for every image, and counts objects by set and by class", async () => {
    const page = await open();
    const fates = region(page, "Images by fate and set");
    await fates.getByRole("row", { name: "used 2 3 1 6" }).waitFor();
    await fates.getByRole("row", { name: "dropped: cannot be decoded 0 1 0 1" }).waitFor();
    await fates.getByRole("row", { name: "all 2 6 1 9" }).waitFor();
    await region(page, "Images and objects of each set").getByRole("row", { name: "validation 1 0 2 2" }).waitFor();
    await region(page, "Objects and images of each class")
      .getByRole("row", { name: "blue 2 50 % 2 1 50 % 1" })
      .waitFor();
    await page.close();
  });

  it("shows leaks and duplicates side by side, and names that look like markup as they are", async () => {
    const page = await open();
    const leak = region(page, "Leaks: what shows the same as a validation image").locator(".pair");
    await leak.getByText("found/leak.png").waitFor();
    assert.match(await leak.innerText(), /dropped, unlabeled[\s\S]*kept, validation[\s\S]*val-1\.png/);
    const copy = region(page, "Duplicates: unlabeled images with the content of another one").locator(".pair");
    await copy.getByText(`found/z${HOSTILE}`).waitFor();
    await copy.getByText(`found/${HOSTILE}`).waitFor();
    for (const image of await page.locator(".pair img").all()) {
      await image.scrollIntoViewIfNeeded();
      await image.evaluate("(image) => image.decode()");
    }
    assert.equal(await page.locator("img[src=x]").count(), 0);
    await page.close();
  });

  it("finds an image in the ledger by its name, its set and its fate, and shows it in large", async () => {
    const page = await open();
    const ledger = region(page, "Ledger");
    await ledger.getByText("1 to 9 of 9").waitFor();
    await page.getByLabel("Fate", { exact: true }).selectOption("dropped");
    await ledger.getByText("1 to 3 of 3").waitFor();
    await page.getByLabel("Fate", { exact: true }).selectOption("cannot be decoded");
    await ledger.getByRole("row", { name: /found\/broken\.png/ }).waitFor();
    await page.getByLabel("Fate", { exact: true }).selectOption("");
    await page.getByLabel("Set", { exact: true }).selectOption("labeled");
    await page.getByLabel("Filter images").fill("TRAIN-2");
    await ledger.getByText("1 to 1 of 1").waitFor();
    await ledger.getByRole("button", { name: "train-2.png" }).press("Enter");
    await page.getByRole("dialog", { name: "train-2.png" }).waitFor();
    await page.keyboard.press("Escape");
    await page.getByRole("dialog").waitFor({ state: "detached" });
    await page.getByLabel("Filter images").fill("nothing of the kind");
    await ledger.getByText("No image matches.").waitFor();
    await page.close();
  });

  it("can be used without eyes or mouse as far as a program can tell", async () => {
    const page = await open();
    await region(page, "Ledger").getByText("1 to 9 of 9").waitFor();
    assert.deepEqual(await accessibilityFaults(page), []);
    await page.close();
  });

  it("says so where a run has not come to its images, and shows them once it has", async () => {
    const { lab } = suite;
    const annotations = join(lab.folder, "later.json");
    await lab.finish("waiting", {
      arms: ["supervised"],
      data: { ...lab.config.data!, labeled: { ...lab.config.data!.labeled!, annotations } },
    });
    const page = await open("waiting");
    await page.getByRole("heading", { name: "The run `waiting` has not looked at its images yet." }).waitFor();
    await copyFile(lab.config.data!.labeled!.annotations, annotations);
    await lab.client.retryRun("waiting");
    await region(page, "Images by fate and set")
      .getByRole("row", { name: /^all 2 \d+ 1/ })
      .waitFor();
    await region(page, "Ledger")
      .getByRole("row", { name: /train-2\.png/ })
      .waitFor();
    await page.close();
  });
});
