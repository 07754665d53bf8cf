/** The list of runs and the page of one, in a browser. */
import assert from "node:assert/strict";
import { accessibilityFaults } from "./accessibility.js";
import { openGuardedLab } from "./guarded-lab.js";
import { openLab } from "./lab.js";
import { browserSuite } from "./suite.js";

const HOSTILE = `<img src=x onerror="alert(1)">.json`;

describe("dashboard, runs", function () {
  this.timeout(240_000);
  const suite = browserSuite(async (lab) => {
    lab.work();
    await lab.finish("first");
    const validation = { ...lab.config.data!.validation!, annotations: `/${HOSTILE}` };
    await lab.finish("hostile", { data: { ...lab.config.data!, validation } });
    await lab.finish("gated", { gates: { ...lab.config.gates!, min_pseudo_labels: 1000 } });
  });

  it("lists runs with state and AP, and finds one by its id", async () => {
    const page = await suite.open("/");
    await page.getByRole("row", { name: /first.*succeeded/ }).waitFor();
    assert.match(await page.getByRole("row", { name: /gated/ }).innerText(), /failed[\s\S]*GATE_FAILED/);
    await page.getByLabel("Filter runs").fill("firs");
    await page.getByText("1 of 3 runs").waitFor();
    await page.getByLabel("State", { exact: true }).selectOption("failed");
    await page.getByText("No run matches the filter.").waitFor();
    await page.close();
  });

  it("shows a run that is under way as it goes on, and cancels it once that is confirmed", async () => {
    const other = await openLab();
    try {
      await other.create("live");
      const page = await suite.browser.open(`${other.dashboard.url}/runs/live`);
      await page.getByRole("listitem").filter({ hasText: "finetune" }).filter({ hasText: "at it" }).waitFor();
      await page.getByRole("button", { name: "Cancel", exact: true }).click();
      await page.getByRole("button", { name: "Keep as it is" }).click();
      await page.getByRole("button", { name: "Cancel", exact: true }).click();
      await page.getByRole("button", { name: "Cancel the run" }).click();
      await page.getByText("The run was cancelled.").first().waitFor();
      await page.getByRole("button", { name: "Retry" }).click();
      await page.getByRole("button", { name: "Go on" }).click();
      other.work();
      await page.getByText("Average precision on the validation set").waitFor();
      await page.locator(".facts").getByText("succeeded").waitFor();
      await page.close();
    } finally {
      await other.remove();
    }
  });

  it("overrides a failed gate once that is confirmed", async () => {
    const page = await suite.open("/runs/gated");
    const row = page.getByRole("row", { name: /min_pseudo_labels/ });
    assert.match(await row.innerText(), /1000[\s\S]*failed/);
    await page.getByRole("button", { name: "Override gate" }).click();
    const dialog = page.getByRole("dialog");
    assert.match(await dialog.innerText(), /min_pseudo_labels/);
    await dialog.getByRole("button", { name: "Override the gate" }).click();
    await page.locator(".facts").getByText("succeeded").waitFor();
    await page.locator(".facts").getByText("gates overridden: min_pseudo_labels").waitFor();
    await page.getByRole("row", { name: /min_pseudo_labels.*overridden/ }).waitFor();
    await page.close();
  });

  it("shows names that look like markup, and does not run them", async () => {
    const page = await suite.open("/runs/hostile");
    await page.locator(".notice").getByText(HOSTILE).waitFor();
    await page.locator(".log").getByText(HOSTILE).first().waitFor();
    assert.equal(await page.locator("img[src=x]").count(), 0);
    await page.close();
  });

  it("goes on by itself when the controller is back", async () => {
    const page = await suite.open("/");
    await page.getByRole("row", { name: /first/ }).waitFor();
    await suite.lab.stop();
    await page.getByText("The controller does not answer.").waitFor();
    await suite.lab.start();
    await page.getByText("The controller does not answer.").waitFor({ state: "hidden" });
    await page.getByRole("link", { name: "first" }).focus();
    await suite.lab.create("later", { seed: 5 });
    await page.getByRole("row", { name: /later.*running/ }).waitFor();
    // Who goes through the list with the keyboard is not thrown out by what is new in it.
    assert.equal(await page.evaluate("document.activeElement.textContent"), "first");
    // That nobody listened is what the console had to say.
    assert.ok(
      suite.browser.complaints.splice(0).every((text) => /ERR_CONNECTION_REFUSED|ERR_INCOMPLETE|ERR_EMPTY/.test(text)),
    );
    await page.close();
  });

  it("can be used with the keyboard, and names what it shows", async () => {
    for (const path of ["/", "/runs/first"]) {
      const page = await suite.open(path);
      await page.getByRole("heading", { level: 1 }).waitFor();
      await page.keyboard.press("Tab");
      assert.equal(await page.evaluate("document.activeElement.textContent"), "Skip to content");
      assert.deepEqual(await accessibilityFaults(page), []);
      await page.close();
    }
  });

  it("asks for a token where one is demanded, and forgets it when asked to", async () => {
    const guarded = await openGuardedLab(suite.lab.folder);
    try {
      const page = await suite.browser.open(guarded.url);
      await page.getByLabel("Token").fill(guarded.tokens["read-only"]);
      await page.getByRole("button", { name: "Sign in" }).click();
      await page.getByText("No run yet.").waitFor();
      assert.deepEqual(await accessibilityFaults(page), []);
      await page.getByRole("button", { name: "Sign out" }).click();
      await page.getByRole("heading", { name: "Sign in" }).waitFor();
      assert.equal((await page.request.get(`${guarded.url}/api/overview`)).status(), 401);
      await page.close();
    } finally {
      await guarded.stop();
    }
  });

  it("says what is missing where there is no such run", async () => {
    const page = await suite.open("/runs/nothing");
    await page.getByRole("heading", { name: "There is no run `nothing`." }).waitFor();
    assert.ok(suite.browser.complaints.splice(0).every((text) => /404/.test(text)));
    await page.close();
  });
});
