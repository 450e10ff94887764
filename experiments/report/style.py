"""How a report looks: on a wide and on a narrow screen, by day and by night, in print."""

STYLE = """
:root {
  color-scheme: light dark;
  --paper: #ffffff; --ink: #1b1f24; --soft: #57606a; --line: #d8dee4; --faint: #f4f6f8; --link: #0a58a8;
  --good: #116329; --bad: #b3261e; --bar: #cfe3f5; --shadow: rgb(27 31 36 / 22%);
  --sans: system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", "Noto Sans", Arial, sans-serif;
  --mono: ui-monospace, SFMono-Regular, Menlo, Consolas, "Liberation Mono", monospace;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #14171b; --ink: #e3e7eb; --soft: #a1abb6; --line: #343b44; --faint: #1d2228; --link: #7db8f5;
    --good: #6fd08c; --bad: #ff938a; --bar: #23466a; --shadow: rgb(0 0 0 / 60%);
  }
}
* { box-sizing: border-box; }
html { scroll-padding-top: 1rem; -webkit-text-size-adjust: 100%; text-size-adjust: 100%; }
body {
  margin: 0 auto; padding: 0 1.25rem 4rem; max-width: 66rem;
  background: var(--paper); color: var(--ink); font: 1rem/1.55 var(--sans);
}
h1, h2, h3, h4, h5 { line-height: 1.2; margin: 0; text-wrap: balance; overflow-wrap: anywhere; }
h1 { font-size: 2rem; font-weight: 650; letter-spacing: -0.015em; }
h2 { font-size: 1.625rem; font-weight: 650; letter-spacing: -0.01em; }
h3 { font-size: 1.3125rem; font-weight: 650; }
h4 { font-size: 1.125rem; font-weight: 600; }
h5 { font-size: 1rem; font-weight: 600; margin: 1.75rem 0 0.5rem; }
p, ul, ol, dl, pre { margin: 0.5rem 0; }
p, ul { max-width: 44rem; }
a { color: var(--link); text-underline-offset: 0.15em; text-decoration-thickness: 1px; }
a:focus-visible, button:focus-visible, summary:focus-visible, [tabindex]:focus-visible {
  outline: 2px solid var(--link); outline-offset: 2px;
}
.skip { position: absolute; left: -100vw; background: var(--paper); padding: 0.25rem 0.5rem; }
.skip:focus { left: 0.5rem; top: 0.25rem; }
code, pre { font-family: var(--mono); font-size: 0.875em; }
code, .long { overflow-wrap: anywhere; }
pre { padding: 0.75rem 1rem; background: var(--faint); border-radius: 6px; white-space: pre-wrap;
  overflow-wrap: anywhere; }
sup, sub { font-size: 0.72em; line-height: 0; }
small { font-size: 0.8125rem; color: var(--soft); }
.none, .unit { color: var(--soft); font-weight: 400; }
.status { white-space: nowrap; }
.good { color: var(--good); } .bad { color: var(--bad); font-weight: 600; }

header { padding: 2.5rem 0 1.5rem; border-bottom: 1px solid var(--line); }
.kind { margin: 0 0 0.25rem; color: var(--soft); font-size: 0.875rem; letter-spacing: 0.02em; }
.runs { list-style: none; margin: 1.25rem 0 0; padding: 0; }
.runs li { padding: 0.3rem 0; }
.runs a { display: inline-block; font-weight: 600; margin-right: 0.6rem; }
.runs code { color: var(--soft); margin-right: 0.6rem; }
.line { color: var(--soft); font-variant-numeric: tabular-nums; display: block; font-size: 0.9375rem; }

nav { padding: 1.25rem 0; border-bottom: 1px solid var(--line); font-size: 0.9375rem; }
nav h2 { display: inline; font-size: 0.9375rem; font-weight: 600; letter-spacing: 0; }
nav details { margin: 0; padding: 0; border: 0; }
nav ol { list-style: none; margin: 0.6rem 0 0; padding: 0; }
nav ol ol { margin: 0 0 0.4rem; padding-left: 0.9rem; } nav ol ol ol { margin: 0; }
nav li { padding: 0.1rem 0; overflow-wrap: anywhere; }
nav a { text-decoration: none; } nav a:hover { text-decoration: underline; }
nav details > ol > li > a { color: var(--ink); font-weight: 600; }
nav ol ol ol a { color: var(--soft); }

.phenomenon { padding-top: 3rem; }
.phenomenon + .phenomenon { margin-top: 3.5rem; border-top: 1px solid var(--soft); }
article { padding-top: 1.5rem; }
article + article { margin-top: 2.5rem; padding-top: 2.5rem; border-top: 1px solid var(--line); }
article section { padding-top: 1.75rem; }
.lead { font-size: 1.0625rem; color: var(--soft); }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 0.15rem 1rem; font-size: 0.9375rem; }
dt { font-weight: 600; } dd { margin: 0; color: var(--soft); }
.note, .notes { font-size: 0.875rem; color: var(--soft); }
.notes { list-style: none; padding: 0; margin-bottom: 1.5rem; } .notes li { margin: 0.2rem 0; }
.notes:empty { display: none; }
.plain { padding-left: 1.1rem; } .plain small { display: block; }
footer { margin-top: 4rem; padding-top: 1rem; border-top: 1px solid var(--line); font-size: 0.875rem;
  color: var(--soft); }

.scroll { overflow-x: auto; margin: 1rem 0 0.5rem; background:
    linear-gradient(to left, var(--paper) 40%, transparent) right / 2rem 100% no-repeat local,
    linear-gradient(to left, var(--shadow), transparent) right / 0.6rem 100% no-repeat scroll; }
table { border-collapse: collapse; font-size: 0.875rem; line-height: 1.4; font-variant-numeric: tabular-nums;
  min-width: 100%; }
caption { text-align: left; padding-bottom: 0.5rem; font-size: 0.9375rem; }
caption div { position: sticky; left: 0; width: fit-content; max-width: calc(100vw - 2rem); }
.about { color: var(--soft); } .about::before { content: "  "; white-space: pre; }
th, td { text-align: left; vertical-align: baseline; padding: 0.32rem 0.9rem 0.32rem 0; font-weight: 400; }
th:last-child, td:last-child { padding-right: 0.5rem; }
thead th { color: var(--soft); font-weight: 500; vertical-align: bottom; border-bottom: 1px solid var(--soft); }
thead tr:not(:last-child) th:not([rowspan]) { border-bottom: 0; padding-bottom: 0; color: var(--ink); }
tbody tr { border-bottom: 1px solid var(--line); }
:is(tbody tr, thead tr:first-child) > th:first-child { position: sticky; left: 0; background: var(--paper); }
td small { display: block; }
.numbers td, .numbers thead th { text-align: right; white-space: nowrap; }
.numbers thead tr:first-child th:first-child { text-align: left; }
.numbers strong { font-weight: 600; }
.claims td:nth-child(2), .claims thead th:nth-child(2) { text-align: left; }
.sweep { font-size: 0.8125rem; } .sweep th, .sweep td { padding-right: 0.6rem; } .sweep .group { padding-left: 0.6rem; }
.sweep tbody th { text-align: right; white-space: nowrap; }
.sweep thead th[rowspan] { white-space: normal; max-width: 5.5rem; text-align: right; }
.atlas :is(td, thead th):nth-child(-n + 4) { text-align: left; white-space: normal; min-width: 9rem; }
.numbers td.more { text-align: left; color: var(--soft); }
.bar { display: inline-block; width: 4rem; height: 0.55rem; margin-left: 0.6rem; background: var(--faint)
  linear-gradient(var(--bar), var(--bar)) no-repeat 0 / calc(var(--share) * 100%) 100%; }
.numbers thead .digits, .digits:not(:has(.bar)) { padding-right: 5.1rem; }
.claims tbody th { min-width: 16rem; } .claims small { display: block; }
.pairs { min-width: 0; } .pairs th { white-space: nowrap; padding-right: 2rem; color: var(--soft); }
.variables th { white-space: nowrap; } .variables td:not(:last-child) { min-width: 15rem; }
.layout { min-width: 0; } .layout td { padding-left: 1.5rem; }
.aloud { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }

details { margin-top: 1.75rem; border-top: 1px solid var(--line); padding-top: 0.9rem; }
details details, article section details { margin-top: 1rem; border: 0; padding: 0; }
summary { cursor: pointer; font-size: 0.9375rem; color: var(--link); }
summary h4 { display: inline; color: var(--ink); }

figure { margin: 1.25rem 0 2.25rem; }
.card { overflow-x: auto; width: fit-content; max-width: 100%; padding: 0.75rem;
  background: #fff; border: 1px solid var(--line); border-radius: 8px; }
.sheet { position: relative; width: calc(1.6 * var(--natural)); min-width: min(var(--natural), 40rem);
  max-width: 100%; }
.sheet svg { display: block; width: 100%; height: auto; }
.sheet button { position: absolute; inset: 0; width: 100%; border: 0; background: none; cursor: zoom-in; }
figcaption { margin-top: 0.6rem; font-size: 0.875rem; color: var(--soft); max-width: 44rem; }
figcaption b { color: var(--ink); font-weight: 600; }
.problem { color: var(--bad); font-size: 0.875rem; }
.large { display: none; }
.large:popover-open { display: block; }
.large { position: fixed; inset: 0; width: 100vw; height: 100vh; height: 100dvh; max-width: none; max-height: none;
  margin: 0; padding: 0; border: 0; background: #fff; overflow: auto; overscroll-behavior: contain; }
.large > div { display: grid; place-items: center; width: max-content; min-width: 100%; min-height: 100%;
  padding: 1rem; }
.large svg { display: block; width: max(var(--least), min(100vw - 2rem, calc((100dvh - 2rem) * var(--ratio))));
  height: auto; }
.large > button { position: fixed; top: 0.6rem; right: 0.6rem; width: 2.5rem; height: 2.5rem; border-radius: 50%;
  border: 1px solid #d8dee4; background: #fff; color: #1b1f24; font: 1.4rem/1 var(--sans); cursor: pointer;
  box-shadow: 0 1px 4px rgb(0 0 0 / 20%); }

@media (min-width: 48rem) {
  .comparison { table-layout: fixed; min-width: 0; width: 100%; max-width: 66rem; }
  .comparison th:first-child { width: 29%; } .comparison th:last-child { width: 16%; }
}
@media (min-width: 78rem) {
  body { max-width: 87rem; }
  body:has(nav) { display: grid; grid-template-columns: 14rem minmax(0, 1fr); column-gap: 3rem; }
  header, footer { grid-column: 1 / -1; }
  nav { position: sticky; top: 0; align-self: start; max-height: 100vh; overflow-y: auto; border: 0; padding: 3rem 0; }
  nav details::details-content { display: block; height: auto; content-visibility: visible; }
}
@supports selector(::details-content) {
  @media (min-width: 78rem) { nav summary { list-style: none; color: var(--ink); pointer-events: none; } }
}
@media (max-width: 40rem) {
  body { padding: 0 1rem 3rem; }
  nav li { padding: 0.25rem 0; }
  header { padding-top: 1.5rem; }
  .large > button { top: auto; bottom: 1rem; }
  h1 { font-size: 1.625rem; } h2 { font-size: 1.4375rem; } h3 { font-size: 1.25rem; }
  dl { grid-template-columns: 1fr; gap: 0; } dd { margin-bottom: 0.5rem; }
  table { font-size: 0.8125rem; }
  :is(.comparison, .claims, .variables, .measurements) tbody th { min-width: 8rem; max-width: 10rem;
    overflow-wrap: break-word; }
  .variables th { white-space: normal; } .variables td:not(:last-child) { min-width: 10rem; }
  .pairs { table-layout: fixed; width: 100%; } .pairs td { overflow-wrap: anywhere; }
  .pairs th { width: 36%; white-space: normal; padding-right: 0.6rem; }
}
@media print {
  :root { --paper: #fff; --ink: #000; --soft: #444; --line: #ccc; --faint: #f4f4f4; --link: #000; --good: #000;
    --bad: #a00; }
  @page { size: A4; margin: 16mm 14mm; }
  html { font-size: 9.5pt; }
  body, body:has(nav) { max-width: none; padding: 0; display: block; }
  nav, .sheet button, .large { display: none; }
  .scroll, .card { overflow: visible; }
  .scroll { background: none; } table { font-size: 8.5pt; }
  .sweep, .measurements { font-size: 7pt; } th, td { padding: 0.15rem 0.6rem 0.15rem 0; }
  .sweep .group { padding-left: 0.3rem; } .bar { display: none; }
  .numbers thead .digits, .digits:not(:has(.bar)) { padding-right: 0; }
  tr, figure, .notes { break-inside: avoid; } h2, h3, h4, h5, caption, summary { break-after: avoid; }
  thead { display: table-header-group; }
  .card { border: 0; padding: 0; } .sheet { min-width: 0; width: var(--natural); }
  article > details::details-content { content-visibility: visible; height: auto; }
  article section details, details details { display: none; }
  summary { list-style: none; }
}
"""
