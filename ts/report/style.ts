import { type Html, html } from "./html.js";

/** The style of the report: follows the reader's light or dark scheme, and prints on white. */
export const STYLE: Html = html`
:root {
  --paper: #fcfcfb; --ink: #1d2126; --quiet: #636b74; --rule: #e2e4e6; --panel: #f3f4f4;
  --c0: #4a6fa5; --c1: #c9722c; --c2: #4d8f6b; --c3: #8d6aa8; --c4: #a8556a; --c5: #7a7a52;
  --truth: #2e9e5b; --pseudo: #e08a1e; --found: #2f7de0;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #16181b; --ink: #e4e6e8; --quiet: #98a0a8; --rule: #31353a; --panel: #1f2226;
    --c0: #85a9de; --c1: #eb9c5c; --c2: #7cc29b; --c3: #bd9bd8; --c4: #dc8aa0; --c5: #b9b985;
  }
}
@media print {
  :root { --paper: #fff; --ink: #000; --quiet: #444; --rule: #bbb; --panel: #fff;
    --c0: #4a6fa5; --c1: #c9722c; --c2: #4d8f6b; --c3: #8d6aa8; --c4: #a8556a; --c5: #7a7a52; }
  figure, tr, .curve, .timeline { break-inside: avoid; }
  .contents { display: none; }
  h2, h3 { break-after: avoid; }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }
main { max-width: 66rem; margin: 0 auto; padding: 2.5rem 1.5rem 4rem; }
h1 { font-size: 1.7rem; line-height: 1.25; margin: 0 0 .25rem; overflow-wrap: anywhere; }
h2 { font-size: 1.15rem; margin: 3rem 0 1rem; padding-top: 1.25rem; border-top: 1px solid var(--rule); }
h3 { font-size: 1rem; font-weight: 600; margin: 0; grid-column: 1 / -1; }
p { margin: 0 0 1rem; }
code, pre { font: .85em/1.5 ui-monospace, monospace; }
pre { background: var(--panel); padding: 1rem; border-radius: 6px; overflow-x: auto; }
summary { cursor: pointer; color: var(--quiet); }
figure { margin: 0; }
.quiet, caption, figcaption, .tick, .time { color: var(--quiet); fill: var(--quiet); }
.question { font-size: 1.05rem; max-width: 46rem; margin: 1.25rem 0 .5rem; }
.claim { font-size: 1.2rem; font-weight: 600; line-height: 1.4; white-space: pre-line; max-width: 46rem; }
.contents { display: flex; flex-wrap: wrap; gap: .2rem 1.1rem; font-size: .9rem; margin-top: 1.5rem; }
a { color: var(--c0); text-underline-offset: .2em; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: auto; min-width: min(100%, 32rem); margin: 0 0 1.5rem; font-size: .93rem; font-variant-numeric: tabular-nums; }
caption { text-align: left; font-size: .85rem; padding-bottom: .4rem; }
th, td { padding: .35rem .6rem; text-align: right; border-bottom: 1px solid var(--rule); font-weight: 400; white-space: nowrap; }
th:first-child { text-align: left; padding-left: 0; }
td:last-child, th:last-child { padding-right: 0; }
thead th { color: var(--quiet); font-size: .85rem; white-space: normal; vertical-align: bottom; }
tbody th { font-weight: 600; }
figcaption, .legend { font-size: .85rem; }
.legend { margin: 0 0 .4rem; }
.what { color: var(--ink); margin-right: .9rem; }
.key { margin-right: .9rem; white-space: nowrap; }
.key::before { content: ""; display: inline-block; width: .9em; height: .9em; margin-right: .4em; border-radius: 2px; vertical-align: -.1em; background: var(--key); }
.s0 { --key: var(--c0); } .s1 { --key: var(--c1); } .s2 { --key: var(--c2); }
.s3 { --key: var(--c3); } .s4 { --key: var(--c4); } .s5 { --key: var(--c5); }
.wide { max-width: 40rem; margin-bottom: 1.75rem; }
.curve { display: grid; grid-template-columns: repeat(auto-fit, minmax(19rem, 1fr)); gap: .25rem 2rem; margin-bottom: 1.75rem; }
.curve p { grid-column: 1 / -1; margin: 0; }
svg { display: block; width: 100%; height: auto; }
svg text { fill: var(--ink); font-size: 11px; }
svg .tick, svg .time { fill: var(--quiet); }
.grid { stroke: var(--rule); stroke-width: 1; }
.line { fill: none; stroke: var(--key); stroke-width: 1.2; stroke-linejoin: round; opacity: .8; }
.line.s0 { stroke-width: 2; opacity: 1; }
.bar { fill: var(--key); }
.dot { fill: var(--c0); fill-opacity: .55; }
.mean { stroke: var(--c0); stroke-width: 2; }
.reference { stroke: var(--c1); stroke-dasharray: 5 3; stroke-width: 1.5; }
svg.share { width: 8rem; }
.text th, .text td { text-align: left; vertical-align: top; white-space: normal; overflow-wrap: anywhere; }
.text tbody th { white-space: nowrap; }
.findings td:last-child, .findings th:last-child { text-align: left; white-space: normal; }
.findings td p { margin: .4rem 0 0; color: var(--quiet); overflow-wrap: anywhere; }
.timeline { margin-bottom: 1rem; }
.timeline text { font-size: 13px; }
.timeline .time { font-size: 12px; }
.timeline .done rect { fill: var(--c0); }
.timeline .reused rect { fill: var(--paper); stroke: var(--c0); }
.timeline .reused text { fill: var(--quiet); }
.samples { display: grid; grid-template-columns: repeat(auto-fill, minmax(17rem, 1fr)); gap: 1.25rem; }
.samples + h3 { margin-top: 1.75rem; }
.samples { margin-top: .5rem; }
.sample svg { border-radius: 4px; background: var(--panel); }
.sample figcaption { margin-top: .3rem; overflow-wrap: anywhere; }
.pairs { display: grid; grid-template-columns: repeat(auto-fill, minmax(22rem, 1fr)); gap: 1.25rem; margin-top: 1rem; }
.pair div { display: grid; grid-template-columns: 1fr 1fr; gap: .4rem; align-items: start; }
.pair img { width: 100%; border-radius: 4px; background: var(--panel); }
.pair figcaption { margin-top: .3rem; overflow-wrap: anywhere; }
.box rect { fill: none; stroke: var(--key); stroke-width: 1.6px; vector-effect: non-scaling-stroke; }
.box text { fill: #fff; stroke: #000c; paint-order: stroke; font-size: inherit; font-weight: 600; }
.ground_truth { --key: var(--truth); } .pseudo_label { --key: var(--pseudo); } .detection { --key: var(--found); }
.box path { fill: var(--key); fill-opacity: .35; stroke: none; }
.box.pseudo_label rect { stroke-dasharray: 6 3; }
.box.detection rect { stroke-dasharray: 2 2; }
`;
