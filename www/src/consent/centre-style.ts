/** How the preference centre looks, beside the style of both elements. */
export const CENTRE_STYLE = `
[tabindex="-1"]:focus { outline: none; }
.row .field { display: block; }
.centre { max-width: var(--idoine-width, 720px); margin: 0 auto; padding: 24px; }
.centre:has(> .sections:empty) { min-height: 100vh; }
.head { display: flex; align-items: start; justify-content: space-between; gap: 16px; margin-bottom: 24px; }
.centre [part="title"] { font-size: 1.7em; font-weight: 700; line-height: 1.3; }
[part="heading"] { font-size: 1.15em; font-weight: 650; line-height: 1.3; }
.sections { display: grid; gap: 32px; }
.sections:empty { display: none; }
section { display: grid; gap: 12px; align-content: start; }
section > .rows { border-block: 1px solid var(--hair); }
.pair { display: flex; flex-wrap: wrap; justify-content: space-between; gap: 2px 16px; }
.centre .buttons { display: flex; flex-wrap: wrap; }
.small { padding-top: 4px; }
.small button, .close { min-height: 36px; padding: 4px 12px; font-size: .9em; }
.done { border-color: var(--accent); background: var(--accent); color: var(--on-accent); }
.edit { display: grid; gap: 8px; padding-top: 8px; }
.field { display: block; }
[part="input"] { width: 100%; min-height: 44px; padding: 8px 12px; border: 1px solid var(--line); border-radius: 8px; background: var(--paper); color: var(--ink); font: inherit; font-size: max(16px, 1em); }
fieldset { min-width: 0; }
legend { margin-bottom: 4px; }
.option { display: flex; align-items: center; gap: 10px; min-height: 36px; cursor: pointer; }
.row .option { justify-content: start; }
.option input { flex: none; width: 20px; height: 20px; margin: 0; accent-color: var(--accent); }
summary { min-height: 32px; cursor: pointer; color: var(--accent); font-weight: 600; }
.erase, .danger { border-color: var(--alert); color: var(--alert); }
.danger { background: var(--alert); color: var(--paper); }
.like { display: grid; gap: 8px; }
.told { position: sticky; bottom: 0; margin-top: 16px; padding: 12px 0; background: var(--paper); font-weight: 600; }
.told:empty { display: none; }
dialog { width: 100%; height: 100%; max-width: calc(var(--idoine-width, 720px) + 2px); max-height: calc(100dvh - 32px); padding: 0; border: 1px solid var(--hair); border-radius: var(--radius); background: var(--paper); color: var(--ink); overscroll-behavior: contain; }
dialog::backdrop { background: rgb(10 14 30 / .5); }
.confirm { height: fit-content; width: min(420px, calc(100vw - 32px)); padding: 20px; font-weight: 600; }
.confirm .buttons { margin-top: 16px; }
@media (max-width: 520px) { .centre { padding: 20px 16px; } }
`;
