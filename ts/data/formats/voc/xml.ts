/**
 * Small XML files as trees. The door to saxes, which follows no external entity and expands none but the five of XML:
 * a file that declares others is refused where it uses one, so that no text grows beyond the file.
 */
import { SaxesParser } from "saxes";

export interface XmlElement {
  readonly name: string;
  readonly children: readonly XmlElement[];
  /** Of the element itself, trimmed. */
  readonly text: string;
}

interface OpenElement {
  readonly name: string;
  readonly children: XmlElement[];
  text: string;
}

const MOST_DEPTH = 32;

/** The root element. Throws an Error that says where the text is not well-formed, or nested deeper than 32 elements. */
export function parseXml(text: string): XmlElement {
  const document: OpenElement = { name: "", children: [], text: "" };
  const open = [document];
  const top = (): OpenElement => open.at(-1) as OpenElement;
  const append = (piece: string): void => {
    top().text += piece;
  };
  const parser = new SaxesParser();
  parser.on("error", (error) => {
    throw error;
  });
  parser.on("opentag", ({ name }) => {
    if (open.length > MOST_DEPTH) throw parser.makeError(`elements are nested deeper than ${MOST_DEPTH}`);
    open.push({ name, children: [], text: "" });
  });
  parser.on("text", append);
  parser.on("cdata", append);
  parser.on("closetag", () => {
    const { name, children, text: own } = open.pop() as OpenElement;
    top().children.push({ name, children, text: own.trim() });
  });
  parser.write(text).close();
  return document.children[0] as XmlElement;
}

/** The first child of the name. */
export function child(element: XmlElement | undefined, name: string): XmlElement | undefined {
  return element?.children.find((one) => one.name === name);
}

/** The text of the first child of the name; undefined if there is none, or it is empty. */
export function childText(element: XmlElement | undefined, name: string): string | undefined {
  return child(element, name)?.text || undefined;
}
