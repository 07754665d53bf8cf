import assert from "node:assert/strict";
import { classifyErrors, type ErrorKind, errorKinds } from "../../../../ts/evaluation/diagnosis/index.js";
import { matchesOf, placed } from "./fixtures.js";

describe("classifyErrors", () => {
  /** Kinds of the detections, in the order of the results; "" where there is no error. */
  const kindsOf = async (objects: string, detections: string, minScore?: number): Promise<(ErrorKind | "")[]> => {
    const matches = await matchesOf(placed(objects, detections));
    const { kind } = classifyErrors(matches, minScore === undefined ? {} : { minScore });
    const kinds: (ErrorKind | "")[] = [];
    matches.detections.row.forEach((result, d) => {
      kinds[result] = errorKinds[kind[d] as number] ?? "";
    });
    return kinds;
  };

  it("decides at an IoU of just the threshold as TIDE does", async () => {
    // 20 px of 40 are covered from above: an IoU of 1/2.
    assert.deepEqual(await kindsOf("1 cat 0", "1 cat 0, 1 cat 0 0 40 20"), ["", "localization"]);
    assert.deepEqual(await kindsOf("1 cat 0", "1 dog 0 0 40 20"), ["classification"]);
    // 4 px of 40: an IoU of 1/10.
    assert.deepEqual(await kindsOf("1 cat 0", "1 cat 0 0 40 4, 1 dog 0 0 40 4"), ["localization", "background"]);
  });

  it("prefers a wrong place to a wrong class, and a wrong class to a second detection", async () => {
    assert.deepEqual(await kindsOf("1 cat 0, 1 dog 30", "1 cat 30"), ["localization"]);
    assert.deepEqual(await kindsOf("1 cat 0, 1 dog 2", "1 cat 0, 1 cat 1"), ["", "classification"]);
  });

  it("names the object that is meant, which then is not missed", async () => {
    const matches = await matchesOf(placed("1 cat 0, 1 dog 100, 2 owl 0", "1 dog 0, 1 dog 120"));
    const { target, isMissed, isFound } = classifyErrors(matches);
    assert.deepEqual([...target], [0, 1]);
    assert.deepEqual([...isMissed], [0, 0, 1]);
    assert.deepEqual([...isFound], [0, 0, 0]);
  });

  it("has no errors of detections below the score", async () => {
    assert.deepEqual(await kindsOf("1 cat 0", "1 cat 300, 1 cat 0, 1 cat 300", 0.895), ["background", "", ""]);
  });
});
