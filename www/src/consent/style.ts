/**
 * How the banner and the preference centre look. Everything is inside of shadow roots: the site's styles do not reach in but by the variables
 * named here (`--idoine-...`, set on the elements or anywhere around them) and by `::part()`. Colours follow the page's `color-scheme`: a
 * site that is light in the dark keeps a light banner.
 */
export const STYLE = `
:host {
  all: initial; color-scheme: inherit; display: block;
  --ink: var(--idoine-ink, #1b1e27); --soft: var(--idoine-soft, #555b6b); --line: var(--idoine-line, #868c9c);
  --hair: var(--idoine-hair, #e2e4ea); --paper: var(--idoine-paper, #fff); --accent: var(--idoine-accent, #1f4fd8);
  --on-accent: var(--idoine-on-accent, #fff); --note: var(--idoine-note, #f2f4f9); --alert: var(--idoine-alert, #b3261e);
  --radius: var(--idoine-radius, 12px);
}
@supports (color: light-dark(red, red)) {
  :host {
    --ink: var(--idoine-ink, light-dark(#1b1e27, #eceef4)); --soft: var(--idoine-soft, light-dark(#555b6b, #b0b6c6));
    --line: var(--idoine-line, light-dark(#868c9c, #7d8496)); --hair: var(--idoine-hair, light-dark(#e2e4ea, #343946));
    --paper: var(--idoine-paper, light-dark(#fff, #1b1e26)); --accent: var(--idoine-accent, light-dark(#1f4fd8, #9db8ff));
    --on-accent: var(--idoine-on-accent, light-dark(#fff, #10182e)); --note: var(--idoine-note, light-dark(#f2f4f9, #262a35));
    --alert: var(--idoine-alert, light-dark(#b3261e, #ffb4ab));
  }
}
:host(idoine-consent) { display: contents; }
:host([hidden]) { display: none; }
*, *::before { box-sizing: border-box; }
[hidden] { display: none !important; }
.panel, .centre { font: var(--idoine-font-size, 15px)/1.5 var(--idoine-font, system-ui, -apple-system, "Segoe UI", Roboto, sans-serif); color: var(--ink); background: var(--paper); }
h1, h2, h3, h4, h5, h6, p, ul, fieldset, legend { margin: 0; padding: 0; border: 0; font: inherit; list-style: none; }
p, h1, h2, h3, h4, h5, h6, legend, span, button, a, summary { unicode-bidi: plaintext; overflow-wrap: anywhere; }
a, ::slotted(a) { color: var(--accent); text-underline-offset: 2px; justify-self: start; }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; border-radius: 4px; }
.sr { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
.soft, .names { color: var(--soft); }
.soft { font-size: .9em; }
.names { font-weight: 600; color: var(--ink); }
.note { padding: 8px 12px; border-radius: 8px; background: var(--note); font-size: .9em; }
.alert { color: var(--alert); font-weight: 600; }
.alert:empty { display: none; }
.panel {
  position: fixed; z-index: var(--idoine-z, 2147483000); inset-inline-start: 16px; bottom: 16px; width: var(--idoine-width, 460px); max-width: calc(100vw - 32px);
  max-height: calc(100vh - 32px); max-height: calc(100dvh - 32px); display: flex; flex-direction: column; gap: 12px; padding: 20px;
  border: 1px solid var(--hair); border-radius: var(--radius); box-shadow: 0 8px 40px rgb(10 14 30 / .22);
}
.panel h2 { font-size: 1.15em; font-weight: 650; line-height: 1.3; }
.scroll { display: grid; gap: 10px; overflow: auto; overscroll-behavior: contain; padding: 3px; margin: -3px; }
.buttons { display: grid; grid-template-columns: 1fr 1fr; gap: 8px; }
button {
  min-height: 44px; padding: 8px 16px; border: 1px solid var(--line); border-radius: min(var(--radius), 10px); background: none; color: var(--ink);
  font: inherit; font-weight: 600; text-align: center; cursor: pointer;
}
.accept, .refuse, .save { background: var(--accent); border-color: var(--accent); color: var(--on-accent); }
.choose, .save { grid-column: 1 / -1; }
button:hover { border-color: var(--accent); }
.accept:hover, .refuse:hover, .save:hover { filter: brightness(1.1); }
.rows { display: grid; }
.row { padding: 12px 0; display: grid; gap: 4px; }
.row + .row { border-top: 1px solid var(--hair); }
.row label { display: flex; align-items: center; justify-content: space-between; gap: 16px; min-height: 32px; cursor: pointer; }
.name { font-weight: 600; }
[role="switch"] {
  appearance: none; flex: none; position: relative; width: 44px; height: 26px; margin: 0; border: 2px solid var(--line); border-radius: 99px; background: var(--paper); cursor: pointer;
}
[role="switch"]::before { content: ""; position: absolute; inset-block-start: 3px; inset-inline-start: 3px; width: 16px; height: 16px; border-radius: 50%; background: var(--line); }
[role="switch"]:checked { background: var(--accent); border-color: var(--accent); }
[role="switch"]:checked::before { background: var(--on-accent); inset-inline-start: 21px; }
[role="switch"]:focus-visible { border-radius: 99px; }
:disabled { opacity: .55; cursor: not-allowed; }
@media (max-width: 520px) {
  .panel { inset-inline: 0; bottom: 0; width: auto; max-width: none; max-height: 85vh; max-height: 85dvh; border-width: 1px 0 0; border-radius: var(--radius) var(--radius) 0 0; padding-bottom: max(20px, env(safe-area-inset-bottom)); }
  .panel button { padding-inline: 8px; }
}
@media (prefers-reduced-motion: no-preference) {
  .panel { animation: come .18s ease-out; }
  [role="switch"]::before { transition: inset-inline-start .12s; }
  @keyframes come { from { opacity: 0; transform: translateY(8px); } }
}
@media (forced-colors: active) {
  [role="switch"]::before { background: ButtonText; }
  [role="switch"]:checked::before { background: Highlight; }
}
@media print { :host(idoine-consent) { display: none; } }
`;
