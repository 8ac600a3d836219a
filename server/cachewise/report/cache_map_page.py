"""The page around cache maps: its policy, its style and its script.

Nothing is fetched and nothing may run but the one script, which the policy names by its hash, or by
the nonce of the editor that shows the page. Colours come from the editor's theme where there is
one, else from the two themes below; no statement rests on colour alone.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterable, Iterator
from html import escape

from cachewise import __version__
from cachewise.report.visible import visible

GENERATOR = '<meta name="generator" content="Cachewise'
"""By this a page is known as one of ours."""

_NONCE = re.compile(r"[A-Za-z0-9+/_-]{16,128}={0,2}")


def page(title: str, parts: Iterable[str], *, nonce: str | None = None) -> Iterator[str]:
    """A whole page, piece by piece. ``nonce`` is the editor's; without one hashes are used.

    Raises ``ValueError`` when the nonce is none.
    """
    if nonce is not None and not _NONCE.fullmatch(nonce):
        raise ValueError("A nonce has 16 to 128 characters of base64.")
    mark = f' nonce="{nonce}"' if nonce is not None else ""
    style = f"'nonce-{nonce}'" if nonce is not None else _hash(STYLE)
    script = f"'nonce-{nonce}'" if nonce is not None else _hash(SCRIPT)
    yield (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta http-equiv="Content-Security-Policy" content="'
        f"default-src 'none'; style-src {style}; script-src {script}; "
        "base-uri 'none'; form-action 'none'\">"
        f'<meta name="viewport" content="width=device-width">{GENERATOR} {__version__}">'
        f"<title>{escape(visible(title))}</title><style{mark}>{STYLE}</style></head>\n<body>"
        f"{_PATTERNS}<main>"
    )
    yield from parts
    yield f"</main>\n<script{mark}>{SCRIPT}</script></body></html>\n"


def _hash(content: str) -> str:
    digest = hashlib.sha256(content.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"


def _pattern(name: str, size: int, path: str) -> str:
    return (
        f'<pattern id="cw-{name}" width="{size}" height="{size}" patternUnits="userSpaceOnUse">'
        f'<path d="{path}"/></pattern>'
    )


_PATTERNS = (
    '<svg class="patterns" width="0" height="0" aria-hidden="true"><defs>'
    + _pattern("1h", 8, "M-2 2l4 -4M0 8l8 -8M6 10l4 -4")
    + _pattern("5m", 8, "M-2 6l4 4M0 0l8 8M6 -2l4 4")
    + _pattern("under-minimum", 6, "M0 0l6 6M0 6l6 -6")
    + _pattern("implicit", 6, "M0 3h6")
    + _pattern("stable", 6, "M3 0v6")
    + _pattern("uncached", 6, "M2 3h2")
    + _pattern("varies", 6, "M3 2v2")
    + _pattern("volatile", 5, "M0 2.5h5M2.5 0v5")
    + _pattern("unseen", 6, "M0 6l6 -6")
    + "</defs></svg>"
)
"""The hatches. They stand once on a page, at its start, and every picture uses them."""

_BANDS = ("1h", "5m", "under-minimum", "implicit", "stable", "varies", "uncached")

STYLE = (
    """
:root { color-scheme: light dark;
  --ink: var(--vscode-foreground, #1f2328);
  --dim: var(--vscode-descriptionForeground, #59636e);
  --paper: var(--vscode-editor-background, #ffffff);
  --soft: var(--vscode-editorWidget-background, #f6f8fa);
  --rule: var(--vscode-panel-border, #d1d9e0);
  --edge: var(--vscode-contrastBorder, transparent);
  --focus: var(--vscode-focusBorder, #0969da);
  --link: var(--vscode-textLink-foreground, #0969da);
  --b-1h: var(--vscode-charts-blue, #4c9be8);
  --b-5m: var(--vscode-charts-green, #57ab5a);
  --b-under-minimum: var(--vscode-charts-orange, #d68a2e);
  --b-implicit: var(--vscode-charts-purple, #9a7bd0);
  --b-stable: var(--vscode-charts-green, #57ab5a);
  --b-uncached: var(--soft); --b-varies: var(--soft);
  --warn: var(--vscode-charts-orange, #bf6a02);
  --alarm: var(--vscode-charts-red, #cf222e); }
@media (prefers-color-scheme: dark) { :root {
  --ink: var(--vscode-foreground, #e6edf3);
  --dim: var(--vscode-descriptionForeground, #9198a1);
  --paper: var(--vscode-editor-background, #0d1117);
  --soft: var(--vscode-editorWidget-background, #1b222b);
  --rule: var(--vscode-panel-border, #3d444d);
  --focus: var(--vscode-focusBorder, #4493f8);
  --link: var(--vscode-textLink-foreground, #4493f8);
  --warn: var(--vscode-charts-orange, #d68a2e);
  --alarm: var(--vscode-charts-red, #f85149); } }
@media (forced-colors: active) { :root {
  --ink: CanvasText; --dim: CanvasText; --paper: Canvas; --soft: Canvas; --rule: CanvasText;
  --edge: CanvasText; --focus: Highlight; --link: LinkText; --alarm: CanvasText;
  --warn: CanvasText;
  --b-1h: Canvas; --b-5m: Canvas; --b-under-minimum: Canvas; --b-implicit: Canvas;
  --b-stable: Canvas; --b-uncached: Canvas; --b-varies: Canvas; } }
body.vscode-dark, body.vscode-high-contrast { color-scheme: dark; }
body.vscode-light, body.vscode-high-contrast-light { color-scheme: light; }
* { box-sizing: border-box; }
body { margin: 0; padding: 12px 16px 32px; color: var(--ink); background: var(--paper);
  font: 13px/1.5 var(--vscode-font-family, system-ui, sans-serif); overflow-wrap: anywhere; }
main { max-width: 1120px; margin: 0 auto; }
h1, h2, h3, h4 { font-weight: 600; line-height: 1.3; margin: 22px 0 6px; }
h1 { font-size: 18px; margin-top: 4px; } h2 { font-size: 14px; } h3, h4 { font-size: 13px; }
p { margin: 4px 0; }
a { color: var(--link); }
.about, .small, .dim { color: var(--dim); }
.small { font-size: 12px; }
.note { border-left: 3px solid var(--warn); padding: 2px 8px; margin: 6px 0;
  background: var(--soft); outline: 1px solid var(--edge); }
.spoken { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%);
  white-space: nowrap; }
.patterns { position: absolute; }

.sums { display: grid; grid-template-columns: repeat(auto-fit, minmax(132px, 1fr)); gap: 8px;
  margin: 12px 0; }
.sums div { background: var(--soft); border: 1px solid var(--rule); border-radius: 4px;
  padding: 6px 10px; }
.sums dt { color: var(--dim); font-size: 12px; }
.sums dd { margin: 0; font-size: 16px; font-variant-numeric: tabular-nums; }

.picture { margin: 16px 0 4px; padding: 0 12px; }
.prefix { display: block; overflow: visible; }
svg text { fill: var(--ink); font: 11px var(--vscode-font-family, system-ui, sans-serif);
  font-variant-numeric: tabular-nums; }
svg text.dim { fill: var(--dim); }
svg text.on { paint-order: stroke; stroke: var(--paper); stroke-width: 4px; stroke-linejoin: round;
  fill: var(--ink); font-weight: 600; }
svg text.least { fill: var(--ink); font-weight: 600; }
line.rule { stroke: var(--rule); }
line.least { stroke: var(--ink); stroke-width: 1.5; stroke-dasharray: 4 3; }
.band { stroke: var(--edge); }
.band.b-uncached, .band.b-varies { stroke: var(--rule); }
.hatch { pointer-events: none; }
pattern path { fill: none; stroke: var(--ink); stroke-width: 1; stroke-opacity: .5; }
.block { fill: var(--ink); stroke: var(--edge); stroke-opacity: .3; }
.tools.even { fill-opacity: .72; } .tools.odd { fill-opacity: .6; }
.system.even { fill-opacity: .46; } .system.odd { fill-opacity: .36; }
.messages.even { fill-opacity: .24; } .messages.odd { fill-opacity: .14; }
.block.here { stroke: var(--ink); stroke-width: 3; stroke-opacity: 1; }
.flag line { stroke: var(--ink); stroke-width: 1.5; }
.flag path { fill: var(--ink); stroke: var(--ink); stroke-width: 1.5; }
.flag text { fill: var(--paper); font-weight: 600; }
.flag.unsure path, .flag.fails path { fill: var(--paper); }
.flag.unsure text, .flag.fails text { fill: var(--ink); }
.flag.fails path { stroke-dasharray: 3 2; }
.flag.fails line { stroke-dasharray: 3 3; }
.window { fill: var(--ink); fill-opacity: .12; stroke: var(--ink); }
.unseen { fill: none; stroke: var(--alarm); stroke-dasharray: 3 2; }
#cw-volatile path { stroke: var(--alarm); stroke-opacity: 1; }
#cw-unseen path { stroke: var(--alarm); stroke-opacity: .8; }
.narrow { display: none; }
.editor [data-block], .editor [data-breakpoint] { cursor: pointer; }

.legend { list-style: none; display: flex; flex-wrap: wrap; gap: 4px 16px; margin: 12px -12px 0;
  padding: 0; font-size: 12px; color: var(--dim); }
.legend li { display: flex; align-items: center; gap: 6px; }
.legend svg { flex: none; overflow: visible; }

.runs > p:has(input) { display: grid; grid-template-columns: 170px minmax(90px, 380px) 76px;
  align-items: center; gap: 10px; margin: 6px 0; }
.runs input { width: 100%; margin: 0; accent-color: var(--link); }
.value { font-weight: 600; font-variant-numeric: tabular-nums; }
.answer { display: block; margin: 10px 0; padding: 6px 10px; background: var(--soft);
  border: 1px solid var(--rule); border-radius: 4px; }
.best { font-weight: 600; } .best:not(:empty) { margin-left: 8px; }
.best:not(:empty)::before { content: "✓ "; }
tr[aria-current="true"] th::before { content: "▸ "; }

.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; margin: 4px 0; overflow-wrap: break-word; }
.costs th[scope="row"], .costs td:nth-child(2) { min-width: 110px; overflow-wrap: anywhere; }
.blocks bdi { overflow-wrap: anywhere; }
th, td { text-align: left; vertical-align: top; padding: 3px 8px 3px 0;
  border-bottom: 1px solid var(--rule); font-weight: normal; }
thead th { color: var(--dim); font-size: 12px; }
.n { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
td.n + td, th.n + th { padding-left: 10px; }
td.n:first-child, th.n:first-child { width: 42px; padding-right: 12px; }
.choices, .bills { max-width: 640px; }
tr.here td { background: var(--soft); }
tr.here td:first-child { box-shadow: inset 3px 0 var(--focus); }
.excerpt, .changes { display: block; color: var(--dim); font-size: 12px; }
.changes::before { content: "~ "; font-weight: 700; color: var(--alarm); }
.mark { white-space: nowrap; }
abbr { display: inline-block; width: 16px; text-align: center; font-size: 11px; margin-right: 4px;
  text-decoration: none; border: 1px solid var(--rule); border-radius: 3px; color: var(--dim); }
details { margin: 4px 0; } summary { cursor: pointer; }
button { font: inherit; color: var(--link); background: none; border: 0; padding: 0;
  cursor: pointer; text-decoration: underline; }
:focus-visible { outline: 2px solid var(--focus); outline-offset: 2px; }
.severity { font-weight: 600; }
.severity::before { content: "●"; margin-right: 5px; }
.severity.error::before { content: "✕"; color: var(--alarm); }
.severity.warning::before { content: "▲"; color: var(--warn); }
.findings { list-style: none; padding: 0; } .findings li { margin: 8px 0; }
code { font: 12px var(--vscode-editor-font-family, ui-monospace, monospace); }
pre { margin: 4px 0; padding: 6px 8px; background: var(--soft); border: 1px solid var(--rule);
  border-radius: 4px; white-space: pre-wrap;
  font: 12px/1.4 var(--vscode-editor-font-family, ui-monospace, monospace); }
.excerpted { background: none; color: inherit; text-decoration: underline wavy var(--alarm); }

@media (max-width: 560px) {
  .wide { display: none; } .narrow { display: inline; }
  body { padding: 8px 10px 24px; }
  .runs > p:has(input) { grid-template-columns: 1fr 64px; }
  .runs label { grid-column: 1 / 3; margin-bottom: -8px; }
  .sums { grid-template-columns: 1fr 1fr; }
  th, td { padding-right: 6px; }
}
@media (forced-colors: active) {
  svg { forced-color-adjust: none; }
  pattern path { stroke-opacity: 1; }
  .window { fill: Canvas; }
}
@media (prefers-reduced-motion: no-preference) { .block { transition: fill-opacity .12s; } }
"""
    + "\n".join(
        f".band.b-{kind} {{ fill: var(--b-{kind}); }} .h-{kind} {{ fill: url(#cw-{kind}); }}"
        for kind in _BANDS
    )
    + "\n.h-volatile { fill: url(#cw-volatile); } .h-unseen { fill: url(#cw-unseen); }\n"
)

SCRIPT = """
"use strict";
(() => {
  const main = document.querySelector("main");
  const host = typeof acquireVsCodeApi === "function" ? acquireVsCodeApi() : null;
  if (host) document.body.classList.add("editor");

  const plural = (n) => `${n.toLocaleString("en")} call${n === 1 ? "" : "s"}`;

  /** Shows the figures of the chosen cadence and lifetime; all were worked out beforehand. */
  function show(box, data) {
    const calls = box.querySelector(".calls");
    const ttl = box.querySelector(".ttl");
    const cadence = data.calls[calls.value];
    const chosen = ttl ? Number(ttl.value) : 0;
    const [name, figures] = data.choices[chosen];
    const [writes, reads, hour, day, against] = figures[calls.value];
    tell(calls, `${plural(cadence)} per hour`, cadence.toLocaleString("en"));
    if (ttl) tell(ttl, name, name);
    let said = `${plural(cadence)} per hour, ${name}:`;
    if (writes || reads) {
      said += ` ${plural(writes)} ${writes === 1 ? "writes" : "write"}, `;
      said += `${reads.toLocaleString("en")} only read;`;
    }
    said += ` ${hour} an hour, ${day} a day${against ? ` (${against})` : ""}.`;
    box.querySelector(".answer").textContent = said;
    const best = data.choices.length > 1 ? data.cheapest[calls.value] : -1;
    box.querySelectorAll("tbody tr").forEach((row, at) => {
      const figure = data.choices[at][1][calls.value];
      row.cells[1].textContent = figure[2];
      row.cells[2].textContent = figure[3];
      row.cells[3].firstChild.textContent = figure[4];
      row.querySelector(".best").textContent = at === best ? "cheapest" : "";
      if (at === chosen) row.setAttribute("aria-current", "true");
      else row.removeAttribute("aria-current");
    });
  }

  function tell(slider, spoken, written) {
    slider.setAttribute("aria-valuetext", spoken);
    slider.parentElement.querySelector(".value").textContent = written;
  }

  /** Brings the sliders of a new content to life, where the user had left them. */
  function wake() {
    const kept = host?.getState()?.sliders ?? {};
    for (const box of document.querySelectorAll(".runs")) {
      const data = JSON.parse(box.dataset.runs);
      const calls = box.querySelector(".calls");
      const ttl = box.querySelector(".ttl");
      const cadence = data.calls.indexOf(kept.calls);
      if (cadence >= 0) calls.value = cadence;
      const lifetime = data.choices.findIndex(([name]) => name === kept.ttl);
      if (ttl && lifetime >= 0) ttl.value = lifetime;
      for (const slider of [calls, ttl]) {
        slider?.addEventListener("input", () => {
          show(box, data);
          keep({
            sliders: {
              calls: data.calls[calls.value],
              ttl: ttl ? data.choices[ttl.value][0] : kept.ttl,
            },
          });
        });
      }
      show(box, data);
    }
  }

  function keep(more) {
    host?.setState({ ...host.getState(), ...more });
  }

  /** Takes a new content; what was open stays open, and the focus where it was. */
  function replace(html) {
    const open = new Map([...main.querySelectorAll("details")].map((one) => [one.id, one.open]));
    const focused = main.contains(document.activeElement) ? document.activeElement : null;
    const again = focused && (focused.id ? `#${focused.id}` : pathOf(focused));
    main.innerHTML = html;
    for (const one of main.querySelectorAll("details")) {
      if (open.has(one.id)) one.open = open.get(one.id);
    }
    wake();
    if (again) main.querySelector(again)?.focus({ preventScroll: true });
  }

  function pathOf(button) {
    for (const what of ["block", "breakpoint"]) {
      const number = Number(button.dataset[what]);
      if (Number.isInteger(number) && number > 0) return `button[data-${what}="${number}"]`;
    }
    return null;
  }

  /** Marks the block at the editor's cursor, in the picture and in the table. */
  function here(number) {
    for (const one of main.querySelectorAll(".here")) one.classList.remove("here");
    if (!Number.isInteger(number)) return;
    for (const one of main.querySelectorAll("rect.block[data-block]")) {
      const { block, last } = one.dataset;
      if (Number(block) <= number && number <= Number(last)) one.classList.add("here");
    }
    main.querySelector(`tr[data-row="${number}"]`)?.classList.add("here");
  }

  if (host) {
    main.addEventListener("click", (event) => {
      const target = event.target.closest("[data-block], [data-breakpoint]");
      if (!target) return;
      const what = target.dataset.breakpoint === undefined ? "block" : "breakpoint";
      const number = Number(target.dataset[what]);
      if (Number.isSafeInteger(number)) host.postMessage({ type: "reveal", what, number });
    });
    window.addEventListener("message", ({ data }) => {
      if (data?.type === "show" && typeof data.body === "string") replace(data.body);
      if (data?.type === "show" || data?.type === "here") {
        here(data.here);
        // By this the editor finds the request again when its window was reloaded.
        if (data.at) keep({ at: data.at });
      }
    });
    wake();
    host.postMessage({ type: "ready" });
  } else {
    wake();
  }
})();
"""
