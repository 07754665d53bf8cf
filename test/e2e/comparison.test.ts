/** Runs side by side, in a browser. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { writeConcluded } from "../ts/dashboard/concluded.js";
import { accessibilityFaults } from "./accessibility.js";
import { browserSuite } from "./suite.js";

const HOSTILE = `<img src=x onerror="alert(1)">.json`;

describe("dashboard, comparison", function () {
  this.timeout(240_000);
  const suite = browserSuite(async (lab) => {
    lab.work();
    await lab.finish("first");
    const { finetune, ...stages } = lab.config.stages!;
    const solver = { ...finetune!.solver!, iterations: finetune!.solver!.iterations + 1 };
    await lab.finish("longer", { stages: { ...stages, finetune: { ...finetune!, solver } } });
    const validation = { ...lab.config.data!.validation!, annotations: `/${HOSTILE}` };
    await lab.finish("hostile", { data: { ...lab.config.data!, validation } });
    await writeConcluded(join(lab.folder, ".cassl", "comparisons", "blood-1"), HOSTILE);
  });

  it("compares the runs that are chosen in the list", async () => {
    const page = await suite.open("/");
    const button = page.getByRole("button", { name: /^Compare/ });
    await page.getByRole("checkbox", { name: "Compare first" }).check();
    assert.equal(await button.isDisabled(), true);
    await page.getByRole("checkbox", { name: "Compare longer" }).check();
    await button.click();
    await page.getByRole("heading", { name: "Comparison" }).waitFor();
    assert.match(page.url(), /\/compare\?run=first&run=longer$/);
    await page.close();
  });

  it("shows APs with paired intervals, against whichever detector is chosen", async () => {
    const page = await suite.open("/compare?run=first&run=longer");
    const table = page.getByRole("region", { name: "Average precision" });
    await page.getByText(/95 % intervals of 1000 samples/).waitFor();
    const rows = table.getByRole("row");
    assert.equal(await rows.count(), 1 + 4);
    assert.match(await rows.nth(1).innerText(), /first\s+supervised[\s\S]*baseline/);
    assert.match(await rows.nth(4).innerText(), /longer\s+class_agnostic[\s\S]*0\.0 \[0\.0, 0\.0\]/);
    await page.getByLabel("Compared with").selectOption("3");
    await table.getByRole("row", { name: /longer class_agnostic.*baseline/ }).waitFor();
    await table.getByRole("row", { name: /first supervised.*\[0\.0, 0\.0\]/ }).waitFor();
    await page.close();
  });

  it("warns of what makes them no fair comparison, and lays their curves over each other", async () => {
    const page = await suite.open("/compare?run=first&run=longer");
    const warnings = page.getByRole("note", { name: "Warnings" });
    assert.match(await warnings.innerText(), /differ in the total of training iterations.*longer training, more AP/);
    await page.getByLabel("Step").selectOption("class_agnostic/finetune");
    const chart = page.getByRole("img", { name: "Training, run by run" });
    await chart.locator("canvas").waitFor();
    assert.match(await chart.innerText(), /first[\s\S]*longer/);
    await page.close();
  });

  it("lists the fields that differ, or all of them", async () => {
    const page = await suite.open("/compare?run=first&run=longer");
    const table = page.getByRole("region", { name: "Configuration" });
    await table.getByRole("row", { name: /stages\.finetune\.solver\.iterations/ }).waitFor();
    assert.equal(await table.getByRole("row").count(), 1 + 1);
    await page.getByRole("checkbox", { name: "All fields" }).check();
    assert.ok((await table.getByRole("row").count()) > 30);
    assert.equal(await table.locator("tr.differs").count(), 1);
    await page.close();
  });

  it("shows values that look like markup, and says which run has no result", async () => {
    const page = await suite.open("/compare?run=first&run=hostile");
    await page.getByRole("region", { name: "Configuration" }).getByText(HOSTILE).waitFor();
    await page.getByText("hostile has no result yet (failed).").waitFor();
    assert.equal(await page.locator("img[src=x]").count(), 0);
    await page.close();
  });

  it("says what is wrong with a comparison that cannot be made", async () => {
    const page = await suite.open("/compare?run=first&run=gone");
    await page
      .getByRole("alert")
      .getByText(/`gone`/)
      .waitFor();
    suite.browser.complaints.length = 0;
    await page.close();
  });

  it("can be used without eyes or mouse as far as a program can tell", async () => {
    const page = await suite.open("/compare?run=first&run=longer");
    await page.getByText(/95 % intervals/).waitFor();
    assert.deepEqual(await accessibilityFaults(page), []);
    for (const path of ["/comparisons", "/comparisons/blood-1"]) {
      await page.goto(suite.lab.dashboard.url + path);
      await page.getByText(/class_agnostic helps by 4\.1 AP/).waitFor();
      assert.deepEqual(await accessibilityFaults(page), []);
    }
    await page.close();
  });

  it("lists what `cassl compare` has concluded, and opens it with verdict, table, intervals and report", async () => {
    const page = await suite.open("/");
    await page.getByRole("link", { name: "Comparisons" }).click();
    const row = page.getByRole("row", { name: /blood-1.*2.*class_agnostic helps by 4\.1 AP over supervised/ });
    await row.getByRole("link", { name: "blood-1" }).click();
    const group = page.getByRole("region", { name: "10 % of the labels: 29 labeled images, light", exact: true });
    await group.getByRole("row", { name: /^class_agnostic 2 34\.1 . 1\.0/ }).waitFor();
    await group.getByRole("row", { name: /^class_agnostic supervised 4\.1 . 1\.0 1\.2 to 7\.0 \(95 %\)/ }).waitFor();
    await page.getByText(HOSTILE).waitFor();
    const opened = page.waitForEvent("popup");
    await page.getByRole("link", { name: "Report" }).click();
    const report = await opened;
    await report.getByRole("heading", { name: "Does it help?" }).waitFor();
    await report.close();
    await page.goBack();
    await page.getByRole("heading", { name: "Comparisons" }).waitFor();
    await page.close();
  });
});
