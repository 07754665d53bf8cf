import assert from "node:assert/strict";
import fc from "fast-check";
import { decodeCounts, encodeCounts } from "../../../ts/masks/index.js";
import { refuses } from "./refuses.js";

describe("encodeCounts and decodeCounts", () => {
  it("give back all counts", () => {
    const counts = fc.array(fc.oneof(fc.nat(40), fc.nat(2 ** 31 - 1))).map((values) => Uint32Array.from(values));
    fc.assert(fc.property(counts, (runs) => assert.deepEqual(decodeCounts(encodeCounts(runs)), runs)));
  });

  it("write differences from the fourth run on", () => {
    assert.equal(encodeCounts(Uint32Array.of(6, 1, 40, 4, 5, 4, 5, 4, 21)), "61X13mN000`0");
  });

  it("refuse broken texts", () => {
    refuses(() => decodeCounts("61X"), /"61X" cannot be read: it is cut off/);
    refuses(() => decodeCounts("61 X1"), /byte 2 is not one of 0 to o/);
    refuses(() => decodeCounts("6\u01301"), /byte 1 is not one of 0 to o/);
    refuses(() => decodeCounts("oo 1"), /byte 2 is not one of 0 to o/);
    refuses(() => decodeCounts("1oooo"), /"1oooo" .* cut off/);
    refuses(() => decodeCounts("00oooooO1"), /run at position 2 is -?[0-9]+ px long/);
    refuses(() => decodeCounts("O"), /run at position 0 is -1 px long/);
    refuses(() => decodeCounts("ooooooo0"), /number from byte 0 has more than 32 bits/);
    refuses(() => decodeCounts(`p${"0".repeat(90)}`), /"p0{39}\.\.\."/);
  });
});
