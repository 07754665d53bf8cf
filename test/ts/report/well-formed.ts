import assert from "node:assert/strict";

/** Fails unless every tag is closed in its place, every attribute is quoted and every `<` and `&` of the text is escaped. */
export function assertWellFormed(page: string): void {
  const open: string[] = [];
  const text = page
    .replace(/^<!DOCTYPE html>/, "")
    .replace(
      /<(\/?)([a-z0-9]+)((?: [a-z0-9:-]+="[^"<]*")*)(\/?)>/gi,
      (_, end: string, name: string, __, selfClosed) => {
        if (end === "/") assert.equal(open.pop(), name, `</${name}> closes another element`);
        else if (selfClosed === "") open.push(name);
        return "";
      },
    );
  assert.deepEqual(open, [], "elements are left open");
  assert.doesNotMatch(text, /</, "there is a stray <");
  assert.doesNotMatch(page, /&(?!(amp|lt|gt|quot|#39);)/, "there is a stray &");
}
