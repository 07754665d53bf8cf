/** HTML as a value. What is put into a template is escaped unless it is HTML already, so a class named `<script>` stays text. */
export interface Html {
  readonly html: string;
}

export type HtmlPart = Html | string | number | undefined | readonly HtmlPart[];

/** @example html`<b>${name}</b>` */
export function html(strings: TemplateStringsArray, ...parts: readonly HtmlPart[]): Html {
  return { html: strings.map((text, index) => text + render(parts[index])).join("") };
}

function render(part: HtmlPart): string {
  if (part === undefined) return "";
  if (typeof part === "string" || typeof part === "number") return escapeHtml(String(part));
  return "html" in part ? part.html : part.map(render).join("");
}

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/** Text and attribute values. */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ENTITIES[character] as string);
}
