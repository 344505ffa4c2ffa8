"""The page's one style sheet: light and dark, screens of any width, paper."""

#: Six tints that differ in lightness too, each under text that keeps a contrast of 7 to 1 or more,
#: with lines below it of six kinds: no source is told from another by colour alone.
CSS = """
:root {
  color-scheme: light dark;
  --page: #fbfaf8; --card: #ffffff; --ink: #1c1b1a; --soft: #57534e; --line: #d9d5cf;
  --accent: #1d5c8f; --bad: #b3261e; --good: #2f6b3a; --open: #8a5a00;
  --m0: #ffe0d6; --m1: #dbe9fb; --m2: #e3f1d3; --m3: #f0def7; --m4: #fdf0b8; --m5: #d5f1ef;
  --l0: #b3261e; --l1: #1d5c8f; --l2: #4a6b16; --l3: #7a2f97; --l4: #7a5c00; --l5: #0d6b66;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #161514; --card: #201f1d; --ink: #eeebe6; --soft: #b5afa6; --line: #413e3a;
    --accent: #8fc1ea; --bad: #ff9a8d; --good: #8fd39c; --open: #f0c063;
    --m0: #5c2a20; --m1: #1f3f61; --m2: #35491a; --m3: #4d2a5e; --m4: #524312; --m5: #17494a;
    --l0: #ff9a8d; --l1: #8fc1ea; --l2: #b5d67c; --l3: #dda9f2; --l4: #f0d063; --l5: #7fd8d2;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0 auto; padding: 1.25rem 1rem 4rem; max-width: 62rem; background: var(--page); color: var(--ink);
  font: 1rem/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif;
  overflow-wrap: anywhere;
}
h1, h2, h3 { line-height: 1.25; text-wrap: balance; }
h1 { font-size: 1.7rem; margin: .2rem 0 .4rem; }
h2 { font-size: 1.25rem; margin: 2.6rem 0 .7rem; padding-top: .9rem; border-top: 1px solid var(--line); }
h3 { font-size: 1.02rem; margin: 0; }
p { margin: .5rem 0; max-width: 46rem; }
a { color: var(--accent); }
.soft, figcaption, caption, .fold { color: var(--soft); }
.kicker { margin: 0; color: var(--soft); }
.headline { font-size: 1.15rem; margin: .8rem 0 1rem; }
.proportions { display: block; width: 100%; height: .9rem; border-radius: .45rem; }
.part-found { fill: var(--bad); } .part-not_found { fill: var(--good); } .part-inconclusive { fill: var(--open); }
.tiles { display: grid; gap: .75rem; grid-template-columns: repeat(auto-fit, minmax(10.5rem, 1fr));
  margin: .9rem 0; padding: 0; }
.tiles > div { background: var(--card); border: 1px solid var(--line); border-radius: .6rem;
  border-left: .35rem solid var(--line); padding: .6rem .8rem .7rem; }
.tiles > .found { border-left-color: var(--bad); }
.tiles > .not_found { border-left-color: var(--good); }
.tiles > .inconclusive { border-left-color: var(--open); }
.tiles dt { font-weight: 600; } .tiles dd { margin: 0; }
.tiles .big { font-size: 1.6rem; line-height: 1.25; font-variant-numeric: tabular-nums; }
.tiles .note { font-size: .875rem; color: var(--soft); }
.wide { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: .94rem; }
caption { text-align: left; padding: 0 0 .4rem; }
th, td { text-align: left; vertical-align: top; padding: .35rem .9rem .35rem 0; border-bottom: 1px solid var(--line); }
th:last-child, td:last-child { padding-right: 0; }
thead th { font-weight: 600; color: var(--soft); }
tbody th { font-weight: 500; }
.number { text-align: right; font-variant-numeric: tabular-nums; overflow-wrap: normal; }
.figures { display: grid; gap: 1rem; grid-template-columns: repeat(auto-fit, minmax(min(100%, 19rem), 1fr)); }
figure { margin: 0; background: var(--card); border: 1px solid var(--line); border-radius: .6rem; padding: .8rem; }
figcaption { font-size: .94rem; margin-bottom: .3rem; }
figure svg { display: block; width: 100%; height: auto; }
figure svg text { font: 11px system-ui, sans-serif; fill: var(--ink); }
figure svg .axis { fill: var(--soft); }
.bar { fill: var(--accent); } .base { stroke: var(--soft); stroke-width: 1; }
details { margin-top: .5rem; } summary { cursor: pointer; color: var(--accent); }
.legend { display: flex; flex-wrap: wrap; gap: .4rem 1.1rem; padding: 0; list-style: none; }
.rows { list-style: none; margin: 0; padding: 0; }
.rows > li { background: var(--card); border: 1px solid var(--line); border-radius: .6rem;
  padding: .8rem .9rem; margin: .8rem 0; }
.rows > li:target { border-color: var(--accent); box-shadow: 0 0 0 2px var(--accent); }
.facts { margin: .15rem 0 .3rem; font-size: .875rem; color: var(--soft); max-width: none; }
.column { margin: .6rem 0 0; font-size: .8rem; font-weight: 600; color: var(--soft); }
.text { margin: .1rem 0 0; white-space: pre-wrap; tab-size: 4; }
.fold { font-style: italic; }
mark { color: inherit; padding: .08em 0; border-radius: .15em; text-decoration-thickness: .12em;
  text-underline-offset: .2em; text-decoration-skip-ink: none;
  -webkit-box-decoration-break: clone; box-decoration-break: clone; }
mark sup { font-size: .68em; font-weight: 700; line-height: 0; padding: 0 .2em; user-select: none; }
.s0 { background: var(--m0); text-decoration: underline solid var(--l0); }
.s1 { background: var(--m1); text-decoration: underline dashed var(--l1); }
.s2 { background: var(--m2); text-decoration: underline dotted var(--l2); }
.s3 { background: var(--m3); text-decoration: underline double var(--l3); }
.s4 { background: var(--m4); text-decoration: underline wavy var(--l4); }
.s5 { background: var(--m5); text-decoration: underline overline var(--l5); }
.sign { font: .78em ui-monospace, monospace; border: 1px solid var(--soft); border-radius: .2em;
  padding: 0 .2em; unicode-bidi: isolate; }
code { font: .9em ui-monospace, monospace; unicode-bidi: isolate; }
.id { font-size: .8em; }
footer { margin-top: 3rem; border-top: 1px solid var(--line); padding-top: .8rem; font-size: .875rem;
  color: var(--soft); }
@media (max-width: 34rem) {
  .stack thead { position: absolute; clip-path: inset(50%); width: 1px; height: 1px; overflow: hidden; }
  .stack tr { display: grid; grid-template-columns: 1fr auto; padding: .45rem 0;
    border-bottom: 1px solid var(--line); }
  .stack tbody th { grid-column: 1 / -1; font-weight: 600; }
  .stack th, .stack td { border: 0; padding: .08rem 0; }
  .stack td { display: contents; }
  .stack .name { color: var(--soft); }
  .stack .value { text-align: right; font-variant-numeric: tabular-nums; }
}
@media (min-width: 34.01rem) { .stack .name { display: none; } }
@media print {
  :root {
    --page: #fff; --card: #fff; --ink: #000; --soft: #444; --line: #aaa;
    --accent: #1d5c8f; --bad: #b3261e; --good: #2f6b3a; --open: #8a5a00;
    --m0: #ffe0d6; --m1: #dbe9fb; --m2: #e3f1d3; --m3: #f0def7; --m4: #fdf0b8; --m5: #d5f1ef;
    --l0: #b3261e; --l1: #1d5c8f; --l2: #4a6b16; --l3: #7a2f97; --l4: #7a5c00; --l5: #0d6b66;
  }
  body { max-width: none; padding: 0; font-size: 10pt; }
  .rows > li, figure, .tiles > div, tr { break-inside: avoid; }
  h2, h3, caption { break-after: avoid; }
  .wide { overflow: visible; }
  details { display: none; }
  mark, .part-found, .part-not_found, .part-inconclusive, .bar {
    -webkit-print-color-adjust: exact; print-color-adjust: exact; }
}
"""
