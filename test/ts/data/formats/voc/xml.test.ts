import assert from "node:assert/strict";
import { child, childText, parseXml } from "../../../../../ts/data/formats/voc/xml.js";

describe("an XML file", () => {
  it("is a tree of elements with trimmed texts", () => {
    const root = parseXml(
      "<?xml version='1.0'?><!-- c --><a> <b k='1'> x &amp; y </b><b><![CDATA[<z>]]></b><c/></a>\n",
    );
    assert.equal(root.name, "a");
    assert.deepEqual(
      root.children.map(({ name, text }) => [name, text]),
      [
        ["b", "x & y"],
        ["b", "<z>"],
        ["c", ""],
      ],
    );
    assert.equal(childText(root, "b"), "x & y");
    assert.equal(childText(root, "c"), undefined);
    assert.equal(child(root, "d"), undefined);
  });

  const laughs = Array.from({ length: 9 }, (_, index) => `<!ENTITY l${index + 1} "${`&l${index};`.repeat(10)}">`).join(
    "",
  );
  const refused: [what: string, text: string, fault: RegExp][] = [
    ["entities that grow", `<!DOCTYPE a [<!ENTITY l0 "lol">${laughs}]><a>&l9;</a>`, /undefined entity/],
    ["an external entity", '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>', /undefined entity/],
    ["an entity of its own", '<!DOCTYPE a [<!ENTITY x "1">]><a>&x;</a>', /undefined entity/],
    ["too many levels", `${"<a>".repeat(40)}${"</a>".repeat(40)}`, /nested deeper than 32/],
    ["an element that is not closed", "<a><b></a>", /1:10: unexpected close tag/],
    ["no element", "just text", /text data outside/],
    ["nothing", "", /root element/],
    ["two roots", "<a/><b/>", /only one root/],
  ];
  for (const [what, text, fault] of refused) {
    it(`is refused with ${what}`, () => {
      assert.throws(() => parseXml(text), fault);
    });
  }

  it("may declare a document type and entities that it does not use: neither is followed", () => {
    const external = '<!DOCTYPE a SYSTEM "http://127.0.0.1:1/a.dtd" [<!ENTITY x SYSTEM "file:///etc/passwd">]>';
    assert.equal(parseXml(`${external}<a>1</a>`).text, "1");
  });
});
