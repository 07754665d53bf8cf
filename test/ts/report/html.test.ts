import assert from "node:assert/strict";
import fc from "fast-check";
import { escapeHtml, html } from "../../../ts/report/html.js";
import { assertWellFormed } from "./well-formed.js";

describe("html", () => {
  it("escapes text, in elements and in attributes", () => {
    const name = `<script>"it's" & more`;
    assert.equal(html`<b title="${name}">${name}</b>`.html, `<b title="${escapeHtml(name)}">${escapeHtml(name)}</b>`);
    assert.equal(escapeHtml(name), "&lt;script&gt;&quot;it&#39;s&quot; &amp; more");
  });

  it("leaves HTML as it is, in lists too, and writes nothing for undefined", () => {
    const items = ["a", "b"].map((item) => html`<li>${item}</li>`);
    assert.equal(html`<ul>${items}${undefined}</ul>${3}`.html, "<ul><li>a</li><li>b</li></ul>3");
  });

  it("stays well-formed whatever the text", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => assertWellFormed(html`<p title="${text}">${text}</p>`.html)),
    );
  });
});
