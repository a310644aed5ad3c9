/** The bar's looks. Everything inside a shadow root: the site's styles do not reach in, these do not reach out. */
export const STYLE = `
:host {
  all: initial;
  color-scheme: light dark;
  --ink: #1a1d29; --soft: #5b6072; --line: #d9dce6; --paper: #ffffff; --raised: #f5f6fa;
  --accent: #4b3fd6; --on-accent: #ffffff; --good: #0b6b3f; --good-paper: #e2f5ea; --test: #7a4a00; --test-paper: #fdf0d5;
  --alert: #a8201a; --alert-paper: #fdeceb;
}
@media (prefers-color-scheme: dark) {
  :host {
    --ink: #eceef6; --soft: #a7adc2; --line: #383d50; --paper: #191c28; --raised: #232736;
    --accent: #a59cff; --on-accent: #14112e; --good: #7fe0ac; --good-paper: #12372a; --test: #ffcf7a; --test-paper: #40300d;
    --alert: #ff9f98; --alert-paper: #45191a;
  }
}
@media print { :host { display: none; } }
*, *::before, *::after { box-sizing: border-box; }
[hidden] { display: none !important; }
.root { font: 14px/1.45 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; color: var(--ink); text-align: start; }
button, input, select { font: inherit; color: inherit; }
button { cursor: pointer; }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
h2, h3, p, ul, dl, dd { margin: 0; padding: 0; }
h2 { font-size: 16px; font-weight: 650; }
h4 { margin: 0 0 4px; font-size: 13px; font-weight: 600; }
h3 { margin-top: 0; }
h3, .column > details > summary { font-size: 12px; font-weight: 650; letter-spacing: .04em; text-transform: uppercase; color: var(--soft); margin-bottom: 8px; }
.soft { color: var(--soft); }
.pill, .panel { position: fixed; z-index: 2147483647; box-shadow: 0 6px 28px rgb(10 12 30 / .28); }
.pill {
  left: 16px; bottom: 16px; translate: 0 calc(0px - var(--idoine-banner-room, 0px)); max-width: calc(100vw - 32px); min-height: 40px; padding: 0 16px; display: flex; align-items: center; gap: 8px;
  border: 1px solid var(--line); border-radius: 999px; background: var(--paper); font-weight: 600;
}
.pill > .soft { min-width: 0; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.pill:hover { border-color: var(--accent); }
.dot { width: 10px; height: 10px; border-radius: 50%; background: var(--accent); flex: none; }
.panel {
  left: 16px; right: 16px; bottom: 16px; max-width: 1080px; margin: 0 auto; max-height: min(70vh, 640px);
  display: flex; flex-direction: column; background: var(--paper); border: 1px solid var(--line); border-radius: 14px; overflow: hidden;
}
header { display: flex; align-items: center; gap: 12px; padding: 12px 16px; border-bottom: 1px solid var(--line); }
header .soft { flex: 1; min-width: 0; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.columns { display: grid; grid-template-columns: minmax(280px, 2fr) 3fr; min-height: 0; flex: 1; }
.column { padding: 16px; overflow: auto; overscroll-behavior: contain; display: flex; flex-direction: column; gap: 18px; }
.column + .column { border-inline-start: 1px solid var(--line); background: var(--raised); }
.pill.travelling { border-color: var(--test); background: var(--test-paper); }
.pill.travelling .soft { color: var(--test); }
.pill.travelling .dot { background: var(--test); }
.travel { display: flex; flex-wrap: wrap; align-items: center; justify-content: space-between; gap: 6px 12px; padding: 8px 16px; background: var(--test-paper); color: var(--test); border-bottom: 1px solid var(--line); }
.travel .plain { color: var(--ink); }
.time { display: flex; align-items: end; gap: 8px; margin-bottom: 8px; }
.time .field { flex: 1; }
.tabs { position: sticky; top: 0; z-index: 1; display: flex; flex-wrap: wrap; gap: 2px 4px; margin-bottom: 12px; border-bottom: 1px solid var(--line); background: var(--raised); }
.column, .columns { scroll-padding-top: 60px; }
.tabs button { min-height: 36px; padding: 4px 10px; border: 0; border-bottom: 3px solid transparent; border-radius: 6px 6px 0 0; background: none; color: var(--soft); }
.tabs button:hover { color: var(--ink); }
.tabs button[aria-selected="true"] { border-bottom-color: var(--accent); color: var(--ink); font-weight: 600; }
.tabpanel { border-radius: 6px; }
.profile > section, .profile > .held { margin-top: 12px; }
.profile > details { margin-top: 12px; }
.tree { display: flex; flex-direction: column; margin-top: 8px; font-size: 13px; }
.tree details, .tree .leaf { padding-inline-start: 12px; overflow-wrap: anywhere; }
.consents + p { margin: 8px 0 12px; }
.consents td { vertical-align: middle; }
.events { list-style: none; margin: 0; padding: 0; display: flex; flex-direction: column; gap: 8px; }
.event { background: var(--paper); border: 1px solid var(--line); border-radius: 10px; padding: 8px 12px; }
.event time { font-size: 12px; }
.event strong { min-width: 0; overflow-wrap: anywhere; }
.event pre { margin: 0; padding: 8px; overflow: auto; max-height: 200px; border-radius: 6px; background: var(--raised); font: 12px/1.5 ui-monospace, "SF Mono", Menlo, Consolas, monospace; }
.badge.sent { background: var(--good-paper); border-color: transparent; color: var(--good); }
.badge.waiting { background: var(--test-paper); border-color: transparent; color: var(--test); }
.badge.refused, .badge.failed { background: var(--alert-paper); border-color: transparent; color: var(--alert); }
.brief { font-size: 12px; color: var(--soft); }
.brief code, .clause code { font: 12px/1.5 ui-monospace, "SF Mono", Menlo, Consolas, monospace; }
.chips { display: flex; flex-wrap: wrap; gap: 6px; }
.chip, .plain, .primary { min-height: 34px; padding: 4px 12px; border-radius: 8px; border: 1px solid var(--line); background: var(--paper); }
.chip { border-radius: 999px; }
.chip:hover, .plain:hover { border-color: var(--accent); }
.chip[aria-pressed="true"], .primary { background: var(--accent); border-color: var(--accent); color: var(--on-accent); font-weight: 600; }
.primary:hover { filter: brightness(1.08); }
.fields { display: grid; grid-template-columns: 1fr 1fr; gap: 10px; }
.fields .wide { grid-column: 1 / -1; }
label.field { display: flex; flex-direction: column; gap: 3px; font-size: 12px; color: var(--soft); min-width: 0; }
.field input, .field select { width: 100%; min-height: 34px; padding: 4px 8px; border: 1px solid var(--line); border-radius: 8px; background: var(--paper); color: var(--ink); font-size: 14px; }
.field input::placeholder { color: var(--soft); opacity: .75; }
.actions { display: flex; gap: 8px; margin-top: 12px; }
label.switch { display: flex; align-items: center; gap: 10px; min-height: 34px; }
.switch input { width: 18px; height: 18px; margin: 0; accent-color: var(--accent); }
.slots { list-style: none; display: flex; flex-direction: column; gap: 10px; }
.slots + p { margin-top: 10px; }
.slot { background: var(--paper); border: 1px solid var(--line); border-radius: 10px; padding: 10px 12px; }
.slot:hover, .slot:focus-within { border-color: var(--accent); }
.line { display: flex; flex-wrap: wrap; align-items: center; gap: 4px 8px; }
.line strong { overflow-wrap: anywhere; }
.line .end { margin-inline-start: auto; }
.badge { padding: 1px 8px; border-radius: 999px; font-size: 12px; background: var(--raised); border: 1px solid var(--line); }
.badge.personalization { background: var(--good-paper); border-color: transparent; color: var(--good); }
.badge.experiment { background: var(--test-paper); border-color: transparent; color: var(--test); }
.find { border: 0; background: none; padding: 4px; color: var(--accent); text-decoration: underline; text-underline-offset: 2px; font-size: 13px; }
summary { cursor: pointer; color: var(--soft); padding: 4px 0; font-size: 13px; }
table { width: 100%; border-collapse: collapse; font-size: 13px; }
th, td { text-align: start; padding: 4px 8px 4px 0; vertical-align: top; border-top: 1px solid var(--line); overflow-wrap: anywhere; }
thead th { border: 0; color: var(--soft); font-weight: 500; }
tbody th { font-weight: 500; width: 42%; }
tr.won td, tr.won th { color: var(--good); font-weight: 600; }
.opener { border: 0; background: none; padding: 0; text-align: start; color: var(--accent); text-decoration: underline; text-underline-offset: 2px; }
.opener::after { display: inline-block; margin-inline-start: 4px; content: " \\25b8"; }
.opener[aria-expanded="true"]::after { content: " \\25be"; }
tr.more td { border: 0; padding: 0 0 8px; }
.why { display: flex; flex-direction: column; gap: 6px; padding: 8px 10px; border-radius: 8px; background: var(--raised); }
.clauses, .clauses ul { list-style: none; font-size: 13px; }
.clauses ul { margin-inline-start: 3px; padding-inline-start: 10px; border-inline-start: 1px solid var(--line); }
.clause { padding: 2px 0; overflow-wrap: anywhere; }
.clause .read { color: var(--soft); margin-inline-start: 6px; }
.truth { display: inline-block; padding: 0 6px; border-radius: 999px; font-size: 11px; font-weight: 600; background: var(--good-paper); color: var(--good); }
.false > .truth { background: var(--alert-paper); color: var(--alert); }
.unknown > .truth, .denied > .truth { background: var(--test-paper); color: var(--test); }
dl { display: grid; grid-template-columns: minmax(0, 2fr) minmax(0, 3fr); font-size: 13px; gap: 2px 10px; }
dt { color: var(--soft); overflow-wrap: anywhere; }
dd { overflow-wrap: anywhere; }
.alert { margin-bottom: 12px; padding: 8px 12px; border-radius: 8px; background: var(--alert-paper); color: var(--alert); overflow-wrap: anywhere; }
.mark { position: fixed; z-index: 2147483646; pointer-events: none; border: 2px solid var(--accent); border-radius: 4px; box-shadow: 0 0 0 2px var(--paper); }
.mark span { position: absolute; inset-block-end: 100%; inset-inline-start: -2px; padding: 1px 8px; background: var(--accent); color: var(--on-accent); font-size: 12px; font-weight: 600; white-space: nowrap; border-radius: 4px 4px 0 0; }
.mark.inside span { inset-block-end: auto; inset-block-start: 0; border-radius: 0 0 4px 0; }
@media (max-width: 720px) {
  .panel { left: 0; right: 0; bottom: 0; max-height: 75vh; max-height: 75dvh; border-radius: 14px 14px 0 0; border-width: 1px 0 0; }
  .columns { display: block; overflow: auto; overscroll-behavior: contain; }
  .column { overflow: visible; }
  .personas { flex-wrap: nowrap; overflow-x: auto; margin: 0 -16px; padding: 3px 16px; }
  .personas .chip { flex: none; }
  .column + .column { border: 0; border-top: 1px solid var(--line); }
  .tabs button { padding: 4px 7px; font-size: 13px; }
  .chip, .plain, .primary, .opener, .tabs button, .field input, .field select, label.switch { min-height: 42px; }
  .field input, .field select { font-size: 16px; }
  tbody th, tbody td { vertical-align: middle; }
}
`;
