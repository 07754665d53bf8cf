/** A section of a page that links at its top lead to. */
import { type Html, type HtmlPart, html } from "./html.js";

export interface Section {
  readonly title: string;
  readonly content: HtmlPart;
}

/** @param title unlike those of the page's other sections. */
export function sectionHtml({ title, content }: Section): Html {
  return html`<section id="${idOf(title)}">
    <h2>${title}</h2>
    ${content}
  </section>`;
}

/** Links to the sections. */
export function contents(sections: readonly Section[]): Html {
  return html`<nav class="contents" aria-label="Sections">${sections.map(
    ({ title }) => html`<a href="#${idOf(title)}">${title}</a> `,
  )}</nav>`;
}

function idOf(title: string): string {
  return title.toLowerCase().replace(/[^a-z0-9]+/g, "-");
}
