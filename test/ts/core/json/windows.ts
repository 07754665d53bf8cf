/** Byte windows on texts, for tests. */
import { type ByteWindow, openWindow } from "../../../../ts/core/json/byte-window.js";

/** @param size of the window at first. @param most as many bytes as one reading gives. Both in bytes. */
export function windowOn(text: string, size = 2 ** 10, most = Number.POSITIVE_INFINITY): ByteWindow {
  let rest: Uint8Array = Buffer.from(text);
  const read = (into: Uint8Array): number => {
    const count = Math.min(rest.length, into.length, most);
    into.set(rest.subarray(0, count));
    rest = rest.subarray(count);
    return count;
  };
  return openWindow({ name: "test.json", size: rest.length, read }, size);
}
