import assert from "node:assert/strict";
import { readLabelStudio } from "../../../../ts/data/formats/label-studio.js";

describe("an export of Label Studio", () => {
  const addresses: [address: string, file_name: string][] = [
    ["/data/local-files/?d=folder%2Fa%20b.jpg", "a b.jpg"],
    ["/data/local-files/?d=folder/100%.jpg", "100%.jpg"],
    ["https://example.org/images/c.jpg", "c.jpg"],
  ];
  for (const [image, file_name] of addresses) {
    it(`is of the image that ${image} ends with`, () => {
      const text = JSON.stringify([{ data: { image }, annotations: [{ result: [] }] }]);
      const known = { id: 1, file_name, width_px: 4, height_px: 3 };
      const read = readLabelStudio(text, "export.json", { images: [known], categories: [] });
      assert.deepEqual(read, [{ ...known, annotations: [] }]);
    });
  }
});
