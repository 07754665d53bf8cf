import assert from "node:assert/strict";
import { formatAp, formatDuration, formatNumber, formatShare, formatTime } from "../../../ts/report/format.js";

describe("format", () => {
  it("shows AP times 100, and none as a dash", () => {
    assert.deepEqual([0.41249, 0, 1, -1].map(formatAp), ["41.2", "0.0", "100.0", "-"]);
  });

  it("shows durations in the units that fit", () => {
    assert.deepEqual([0.04, 9.94, 41.2, 59.6, 185, 3599.7, 7620].map(formatDuration), [
      "0.0 s",
      "9.9 s",
      "41 s",
      "1 min 00 s",
      "3 min 05 s",
      "1 h 00 min",
      "2 h 07 min",
    ]);
  });

  it("shows three significant digits without trailing zeros", () => {
    assert.deepEqual([0.0013249, 0.8, 153.4, 12345, 0].map(formatNumber), ["0.00132", "0.8", "153", "12345", "0"]);
  });

  it("shows shares as per cent and times in UTC", () => {
    assert.deepEqual([20 / 292, 1].map(formatShare), ["6.8 %", "100 %"]);
    assert.equal(formatTime(new Date("2026-03-01T14:05:09.500Z")), "2026-03-01 14:05:09 UTC");
  });
});
