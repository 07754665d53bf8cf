/** Records of JSON lists, of which only some members matter. */
import type { ByteWindow } from "../../../core/json/byte-window.js";
import { isNumberStart, readNumber } from "../../../core/json/number.js";
import { QUOTE, stringEnd } from "../../../core/json/string.js";
import {
  another,
  CLOSE_BRACE,
  enter,
  keyTable,
  OPEN_BRACE,
  OPEN_BRACKET,
  peek,
  readKey,
  readLiteral,
  skipValue,
  takeJson,
} from "../../../core/json/tokens.js";

const number = new Float64Array(1);

/** Takes a value of any kind; NaN and Infinity too, which Python writes. */
export function takeValue(window: ByteWindow): unknown {
  const first = peek(window);
  if (isNumberStart(first)) {
    readNumber(window, number, 0);
    return number[0];
  }
  if (first === QUOTE) return takeString(window);
  return first === OPEN_BRACE || first === OPEN_BRACKET ? takeJson(window) : readLiteral(window);
}

function takeString(window: ByteWindow): string {
  const end = stringEnd(window);
  const { bytes, position } = window;
  const text = Buffer.from(bytes.buffer, bytes.byteOffset + position + 1, end - position - 2).toString();
  window.position = end;
  return text.includes("\\") ? (JSON.parse(`"${text}"`) as string) : text;
}

/** Makes a reader of the members of these names; it passes over others, and takes what is no object as it is. */
export function recordReader(names: readonly string[]): (window: ByteWindow) => unknown {
  const keys = keyTable(names);
  return (window) => {
    if (peek(window) !== OPEN_BRACE) return takeValue(window);
    const record: Record<string, unknown> = {};
    for (let more = enter(window, OPEN_BRACE, CLOSE_BRACE); more; more = another(window, CLOSE_BRACE)) {
      const name = names[readKey(window, keys)];
      if (name === undefined) skipValue(window);
      else record[name] = takeValue(window);
    }
    return record;
  };
}
