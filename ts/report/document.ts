/** What all pages have in common. */
import { type Html, type HtmlPart, html } from "./html.js";
import { STYLE } from "./style.js";
import type { Table } from "./tables.js";

/** One page that needs nothing beside it, asks nobody for anything and runs no script. */
export function htmlDocument(title: string, content: readonly Html[]): Html {
  return html`<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8"/>
<meta name="viewport" content="width=device-width, initial-scale=1"/>
<meta name="color-scheme" content="light dark"/>
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:"/>
<title>${title} - cassl</title>
<style>${STYLE}</style>
</head>
<body>
<main>
${content.map(
  (part) => html`${part}
`,
)}</main>
</body>
</html>
`;
}

export function htmlTable(caption: string, { header, rows }: Table): Html {
  return htmlTableOf(caption, header, rows);
}

/** Of words rather than numbers: they begin at the left and wrap. */
export function htmlTextTable(caption: string, { header, rows }: Table): Html {
  return html`<div class="text">${htmlTableOf(caption, header, rows)}</div>`;
}

/** A table whose cells may be more than text. */
export function htmlTableOf(caption: string, header: readonly string[], rows: readonly (readonly HtmlPart[])[]): Html {
  return html`<div class="scroll"><table>
    <caption>${caption}</caption>
    <thead><tr>${header.map((cell) => html`<th scope="col">${cell}</th>`)}</tr></thead>
    <tbody>${rows.map(([first, ...rest]) => html`<tr><th scope="row">${first}</th>${rest.map((cell) => html`<td>${cell}</td>`)}</tr>`)}</tbody>
  </table></div>`;
}
