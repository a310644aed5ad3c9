/** Tabs, as the ARIA patterns have them: arrows move between them, one is in the tab order. */
import { h } from "../element.ts";

export interface Section {
  readonly name: string;
  readonly title: string;
  /** What it holds. Called whenever it is chosen; `stop` is called when it is left. */
  content(): { readonly element: HTMLElement; readonly stop?: () => void };
}

export interface Tabs {
  readonly element: HTMLElement;
  /** Ends what the chosen section has begun. */
  stop(): void;
}

/** Tabs for these sections, of which the one named `chosen` is shown, or the first. `onChoose` hears of another one. */
export function tabs(label: string, sections: readonly Section[], chosen: string | null, onChoose: (name: string) => void): Tabs {
  let stop: (() => void) | undefined;
  const panel = h("div", { role: "tabpanel", id: "tabpanel", class: "tabpanel", tabindex: "0" });

  const buttons = sections.map((section, index) =>
    h(
      "button",
      {
        type: "button",
        role: "tab",
        id: `tab-${section.name}`,
        "aria-controls": "tabpanel",
        onclick: () => {
          // What is open in the section that is shown stays open.
          if (buttons[index]!.tabIndex === 0) return;
          show(index);
          onChoose(section.name);
        },
      },
      section.title,
    ),
  );

  function show(index: number): void {
    stop?.();
    const section = sections[index]!;
    buttons.forEach((button, at) => {
      button.setAttribute("aria-selected", String(at === index));
      button.tabIndex = at === index ? 0 : -1;
    });
    const { element, stop: end } = section.content();
    stop = end;
    panel.setAttribute("aria-labelledby", `tab-${section.name}`);
    panel.replaceChildren(element);
  }

  const list = h(
    "div",
    {
      role: "tablist",
      "aria-label": label,
      class: "tabs",
      onkeydown: (event) => {
        const { key } = event as KeyboardEvent;
        const at = buttons.indexOf(event.target as HTMLButtonElement);
        const last = buttons.length - 1;
        const to = { ArrowRight: at === last ? 0 : at + 1, ArrowLeft: at === 0 ? last : at - 1, Home: 0, End: last }[key];
        if (at < 0 || to === undefined) return;
        event.preventDefault();
        buttons[to]!.focus();
        buttons[to]!.click();
      },
    },
    ...buttons,
  );
  show(Math.max(0, sections.findIndex(({ name }) => name === chosen)));
  return { element: h("div", { class: "tabbed" }, list, panel), stop: () => stop?.() };
}
