/** Forms begun, handed in and given up: the form's name and those of its fields. What is written in a field is never looked at. */
import { mark } from "./markup.ts";
import type { Scope } from "./scope.ts";

/** Forms that are followed in one view, and fields that are named of one. */
const MOST_FORMS = 20;
const MOST_FIELDS = 30;

interface Begun {
  readonly name: string;
  readonly fields: Set<string>;
  last: string;
  /** Handed in, or by a script taken up: not given up. */
  isDone: boolean;
}

/** An element's name. A form's own properties may be hidden behind fields that are called like them. */
const nameOf = (element: Element): string => element.getAttribute("name") || element.getAttribute("id") || "";

export function forms(scope: Scope): void {
  let begun = new Map<Element, Begun>();

  /** The form of an event, as far as it is followed. */
  function follow(form: HTMLFormElement): Begun | undefined {
    let known = begun.get(form);
    if (!known && begun.size < MOST_FORMS) {
      known = { name: mark(form, "form") || nameOf(form), fields: new Set(), last: "", isDone: false };
      begun.set(form, known);
    }
    return known;
  }

  scope.on(document, "input change", ({ target, isTrusted }: Event) => {
    const form = (target as HTMLInputElement).form;
    // What a script fills in is nobody's beginning.
    if (!form || !isTrusted) return;
    const isNew = !begun.has(form);
    const known = follow(form);
    if (!known) return;
    known.last = nameOf(target as Element);
    if (known.last && known.fields.size < MOST_FIELDS) known.fields.add(known.last);
    if (isNew) scope.note("Form Started", { form: known.name, field: known.last });
  });
  scope.on(document, "submit", ({ target }: Event) => {
    const known = follow(target as HTMLFormElement);
    if (!known || known.isDone) return;
    known.isDone = true;
    scope.note("Form Submitted", { form: known.name, fields: [...known.fields] });
  });
  // A script that hands a form in by itself tells nobody, but its fields are gathered then.
  scope.on(document, "formdata", ({ target }: Event) => {
    const known = begun.get(target as Element);
    if (known) known.isDone = true;
  });
  scope.onLeave((how) => {
    if (how === "hidden") return;
    for (const { name, fields, last, isDone } of begun.values()) {
      if (!isDone) scope.note("Form Abandoned", { form: name, field: last, fields: [...fields], path: scope.view.path });
    }
    begun = new Map();
  });
}
