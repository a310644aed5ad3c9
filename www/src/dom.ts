/**
 * Edits on the live document: the only place in the browser that changes the page's content.
 *
 * `show(edits)` makes the page show exactly these edits. It is declarative: an edit that is already in place is left
 * alone, one that is no longer wanted is taken back, and what was there before is remembered as the element's own nodes,
 * so that listeners survive. What the page itself has changed since is never overwritten with an old baseline.
 *
 * Elements may come later, and a framework may render over an edit right after a route change. Both are followed for a
 * bounded time and a bounded number of tries; after that the page has the last word.
 */
import { trusted } from "./trusted.ts";
import type { Edit, Op } from "./types.ts";

/** How long the page is watched after `show`; while the document is still being parsed, it is watched for as long again. */
const WATCH_MS = 3000;
/** How often an edit is put back where the page replaced the content, or the element itself. */
const MAX_TRIES = 3;
/**
 * What no element of such a name takes, as name and the first letter of the cell. What is in the first is no content of the page but
 * code, a document of its own, or nothing that is shown; the others hold the page together.
 * `no[efs]...` are noembed, noframes and noscript.
 */
const REFUSED =
  /^((script|style|xmp|iframe|no[efs]\w+|plaintext) [cfl]|html [abflr]|(head|body) [abr])/i;

/** One property of one element, under an edit. */
interface Change {
  readonly edit: Edit;
  /** How often it had to be put back, here or on the elements that this one stands for. */
  readonly tries: number;
  /** Whether the page still shows what the edit wrote. */
  ours(): unknown;
  undo(): unknown;
  /** What was brought beside the element's own content, or in its place. */
  readonly nodes?: readonly ChildNode[];
}

/** Something for each property of each element. */
type Cells<T> = Map<Element, Map<string, T>>;

type Hand = Omit<Change, "edit" | "tries"> & { put(): unknown };

/** Parses HTML that the site's own program holds. Throws where the page's Trusted Types refuse the policy. */
function parse(html: string): HTMLTemplateElement {
  const template = document.createElement("template");
  template.innerHTML = trusted(html);
  return template;
}

/** Everything that edits brought: it is not searched for slots again; the edge does not do so either. */
const brought = new WeakSet<Node>();

function isBrought(node: Node | null): boolean | null {
  return node && (brought.has(node) || isBrought(node.parentNode));
}

/** How an element takes HTML; and where the edge leaves a mark beside what it has brought. */
const PLACES: Partial<
  Record<
    Op | "content",
    | readonly ["before" | "after" | "prepend" | "append", "previousSibling" | "nextSibling" | "firstChild" | "lastChild"]
    | readonly ["replaceWith" | "replaceChildren"]
  >
> = {
  html: ["replaceChildren"],
  content: ["replaceChildren"],
  replace: ["replaceWith"],
  remove: ["replaceWith"],
  before: ["before", "previousSibling"],
  after: ["after", "nextSibling"],
  first: ["prepend", "firstChild"],
  last: ["append", "lastChild"],
};

/**
 * The property of an element that an edit is about; two edits of the same one exclude each other, the later wins. What is put
 * around an element or its content is as many things as there are slots that do so. By their first letters cells are told apart
 * (`content`, `hide`, `replace` and `before`, `after`, `first`, `last` of a slot, `@attribute`, `.class`), and are in the order in which
 * they are filled: what is added to the content behind what replaces it, and what takes the element away last.
 */
function cellOf({ slot, op, name, value }: Edit): string {
  const [method, near] = PLACES[op] ?? [];
  if (op === "text" || method === "replaceChildren") return "content";
  if (method) return near ? op + " " + slot : "replace";
  if (op.startsWith("class")) return "." + value;
  return name ? "@" + name : op;
}

/** An edit of what is read and written whole. */
function property<T>(wanted: T, read: () => T, write: (value: T) => unknown): Hand {
  const before = read();
  return { ours: () => JSON.stringify(read()) === JSON.stringify(wanted), put: () => write(wanted), undo: () => write(before) };
}

/** How to make, recognise and take back an edit on an element. */
function handle(element: Element, { op, name = "", value = "" }: Edit): Hand {
  const baseline = [...element.childNodes];
  switch (op) {
    case "text": {
      // A lone text node is kept and changed in place: the framework that made it still holds it.
      const only = baseline.length === 1 && baseline[0]?.nodeType === 3 ? (baseline[0] as Text) : undefined;
      const before = only?.data;
      return {
        ours: () => !element.firstElementChild && element.textContent === value,
        put: () => ((only ?? element).textContent = value),
        undo() {
          if (only) only.data = before!;
          if (only?.parentNode !== element) element.replaceChildren(...baseline);
        },
      };
    }
    case "attribute":
    case "remove_attribute":
      return property(
        op === "attribute" ? value : null,
        () => element.getAttribute(name),
        (text) => (text === null ? element.removeAttribute(name) : element.setAttribute(name, text)),
      );
    case "class_add":
    case "class_remove":
      return property(
        op === "class_add",
        () => element.classList.contains(value),
        (on) => element.classList.toggle(value, on),
      );
    case "hide": {
      const style = (element as HTMLElement).style;
      const styled = element.hasAttribute("style");
      return property<[boolean, string, string]>(
        [true, "none", "important"],
        () => [element.hasAttribute("hidden"), style.display, style.getPropertyPriority("display")],
        ([hidden, display, priority]) => {
          element.toggleAttribute("hidden", hidden);
          style.setProperty("display", display, priority);
          if (!styled && !style.length) element.removeAttribute("style");
        },
      );
    }
    default: {
      // This throws for an operation of a newer core, or a fragment that has not come: better no edit than a wrong one.
      const [method, near] = PLACES[op]!;
      const template = parse(value);
      const html = template.innerHTML;
      const nodes = [...template.content.childNodes];
      // What the edge wrote is not brought again.
      const same = near
        ? (element[near] as Text | null)?.data === "idoine"
        : method === "replaceChildren"
          ? html === element.innerHTML
          : html.includes(element.outerHTML) && element.parentElement?.innerHTML.includes(html);
      // Stays where scripts take the others away, as when a visitor closes a message: that is not brought again then.
      nodes.push(new Text());
      const there = (): ChildNode | undefined => nodes.find((node) => node.isConnected);
      return {
        nodes,
        // Scripts may go on changing what is inside; it stays ours while any of it is left.
        ours: () => same || there(),
        put() {
          for (const node of nodes) brought.add(node);
          element[method](...nodes);
        },
        undo() {
          if (method === "replaceWith") there()?.replaceWith(element);
          for (const node of nodes) node.remove();
          if (method === "replaceChildren") element.replaceChildren(...baseline);
        },
      };
    }
  }
}

/** Whether changing this property would take the keyboard away from what the visitor is using. */
function inUse(element: Element, cell: string, nodes: readonly Node[] = []): boolean {
  const active = document.activeElement as HTMLElement | null;
  return (
    !!active &&
    active !== document.body &&
    (nodes.some((node) => node.contains(active)) ||
      (/^[chr]/.test(cell) &&
        element.contains(active) &&
        (active !== element || cell !== "content" || active.isContentEditable || active.localName === "textarea")))
  );
}

/** Makes the page show exactly these edits; with none, its baseline. */
export type Show = (edits: readonly Edit[]) => void;

/** A renderer for this document. It does nothing, and watches nothing, until it is given edits. */
export function createRenderer(): Show {
  let wanted: readonly Edit[] = [];
  let changes: Cells<Change> = new Map();
  /**
   * The tries that an edit starts with on an element that was not there before. A framework may make the element anew
   * each time it renders: the new one goes on counting where the removed one was, else the two would never end.
   */
  let inherited = new Map<Edit, number>();
  /** The HTML of fragments by their paths: each is asked for once. */
  const fragments = new Map<string | undefined, string | undefined>();
  const observer = new MutationObserver(schedule);
  let timer: ReturnType<typeof setTimeout> | undefined;
  let scheduled = false;

  function find(): Cells<Edit> {
    const targets: Cells<Edit> = new Map();
    for (const edit of wanted) {
      try {
        for (const element of document.querySelectorAll(edit.selector)) {
          const cell = cellOf(edit);
          if (isBrought(element) || REFUSED.test(element.localName + " " + cell)) continue;
          put(targets, element, cell, edit);
        }
      } catch {
        // No selector, as the edit is about no element; or one that this browser does not know: its slot keeps the baseline.
      }
    }
    return targets;
  }

  /** Makes one edit on one element. Nothing is returned when nothing had to be changed, or nothing may be. */
  function make(element: Element, cell: string, edit: Edit, tries: number): Change | undefined {
    try {
      if (edit.op === "fragment" && !fragments.has(edit.value)) void bring(edit.value);
      const hand = handle(element, edit);
      if (hand.ours()) return undefined;
      if (inUse(element, cell)) return waitForFocus();
      hand.put();
      return { edit, tries, ...hand };
    } catch {
      // What this page does not allow (Trusted Types, an invalid name) is left out; the other edits still apply.
    }
  }

  /**
   * Brings the page in line with `wanted`. An edit may change the very attribute that its selector reads, so a change
   * stays although its element is no longer found, until edits are shown anew (`renewed`).
   */
  function settle(renewed?: boolean): void {
    scheduled = false;
    const before = changes;
    if (renewed) inherited = new Map();
    const kept: Cells<Change> = new Map();
    let targets = find();
    let undone = false;
    for (const [element, cells] of before) {
      const isConnected = element.isConnected;
      // What stands in its place is there for it.
      const isThere = isConnected || cells.get("replace")?.ours();
      for (const [cell, change] of cells) {
        const { edit, tries } = change;
        const stays = (one: Edit): boolean =>
          one === edit || (!isConnected && JSON.stringify(one) === JSON.stringify(edit));
        const next = targets.get(element)?.get(cell) ?? (isThere ? wanted.find(stays) : undefined);
        if (!renewed && !isThere) inherited.set(edit, Math.max(inherited.get(edit) ?? 0, tries + 1));
        if (next?.op === edit.op && next.value === edit.value) {
          const rest = change.ours() || (!renewed && tries >= MAX_TRIES);
          const again = rest ? undefined : make(element, cell, next, renewed ? 0 : tries + 1);
          put(kept, element, cell, again ?? { ...change, edit: next });
        } else if (inUse(element, cell, change.nodes)) {
          put(kept, element, cell, change);
          waitForFocus();
        } else if (change.ours()) {
          try {
            change.undo();
          } catch {
            // Trusted Types may refuse to have even an old value written: the edit stays.
          }
          undone = true;
        }
      }
    }
    changes = kept;
    // The baseline that came back may be found where the edited page was not.
    if (undone) targets = find();
    for (const [element, cells] of targets) {
      for (const [cell, edit] of [...cells].sort(([a], [b]) => a.charCodeAt(0) - b.charCodeAt(0))) {
        const tries = inherited.get(edit) ?? 0;
        if (tries > MAX_TRIES || kept.get(element)?.has(cell)) continue;
        put(kept, element, cell, make(element, cell, edit, tries));
      }
    }
    // Our own writes are no reason to look again.
    observer.takeRecords();
  }

  function schedule(): void {
    if (scheduled) return;
    scheduled = true;
    // Before the next paint, so that nothing flickers, and at most once per frame. A hidden page has no frames.
    (document.hidden ? queueMicrotask : requestAnimationFrame)(() => settle());
  }

  const resume = () => setTimeout(settle);

  function waitForFocus(): undefined {
    // However often it is added, it is there once.
    document.addEventListener("focusout", resume, { once: true });
  }

  /** Begins to watch the page, anew if it is watched; or ends it. */
  function watch(on: boolean): void {
    clearTimeout(timer);
    observer.disconnect();
    if (!on) return;
    observer.observe(document, { childList: true, subtree: true, characterData: true, attributes: true });
    timer = setTimeout(() => watch(document.readyState === "loading"), WATCH_MS);
  }

  /** A fragment that has come is an edit like others. */
  function resolve(edit: Edit): Edit {
    const value = edit.op === "fragment" ? fragments.get(edit.value) : undefined;
    return value === undefined ? edit : { ...edit, op: edit.name as Op, value };
  }

  /** Asks this site for a fragment, and shows it when it has come. Without it the page stays as it is. */
  async function bring(path: string | undefined): Promise<void> {
    fragments.set(path, undefined);
    try {
      const response = await fetch(location.origin + path, { mode: "same-origin" });
      if (response.ok && /html/.test(response.headers.get("content-type")!)) fragments.set(path, await response.text());
      wanted = wanted.map(resolve);
      settle();
    } catch {}
  }

  return (edits) => {
    wanted = edits.map(resolve);
    settle(true);
    watch(edits.some((edit) => edit.selector));
  };
}

function put<T>(cells: Cells<T>, element: Element, cell: string, value: T | undefined): void {
  if (value) cells.set(element, (cells.get(element) || new Map<string, T>()).set(cell, value));
}
