/**
 * Edits on the live document: the only place in the browser that changes the page's content.
 *
 * `show(edits)` makes the page show exactly these edits. It is declarative: an edit that is already in place is left
 * alone, one that is no longer wanted is taken back, and what was there before is remembered as the element's own nodes,
 * so that listeners survive. What the page itself has changed since is never overwritten with an old baseline.
 *
 * As long as edits stand the page is watched: elements may come later, and a framework may render over an edit. Where it does,
 * the edit is put back before the next paint, up to three times in a row; then after a pause of one second, two, four and so on, so that
 * a page that fights has its way all but a dozen times in an hour. What has stood for five seconds is put back at once again. Looking
 * takes at most a twentieth of the time.
 *
 * What the visitor is using is not taken away: the focus, what they have entered, what they have scrolled, what plays. The edit waits
 * until they are done. What frameworks hold of a page stays where they find it (docs/frameworks.md). What is needed for that once an edit
 * stands comes in a chunk of its own, edits.ts.
 */
import { trusted } from "./trusted.ts";
import type { Edit, Op } from "./types.ts";

/**
 * What no element of such a name takes, as name and the first letter of the cell. What is in the first is no content of the page but
 * code, a document of its own, or nothing that is shown; the others hold the page together.
 * `no[efs]...` are noembed, noframes and noscript.
 */
const REFUSED =
  /^((script|style|xmp|iframe|no[efs]\w+|plaintext) [cfl]|html [abflmr]|(head|body) [abmr])/i;

/** One property of one element, under an edit. */
interface Change {
  readonly edit: Edit;
  /** Whether the page still shows what the edit wrote. */
  ours(): unknown;
  put(): unknown;
  undo(): unknown;
  /** What was brought beside the element's own content, or in its place. Where there is such a thing, `undo` does no harm at any time. */
  readonly nodes?: readonly ChildNode[];
  /** Whose children it changed, and where those are meanwhile. */
  readonly parent?: Element | undefined;
  readonly stash?: DocumentFragment;
}

/** Something for each property of each element. */
type Cells<T> = Map<Element, Map<string, T>>;

/** How to make, recognise and take back an edit on an element. */
type Hand = Omit<Change, "edit">;

/** Parses HTML that the site's own program holds. Throws where the page's Trusted Types refuse the policy. */
function parse(html: string): HTMLTemplateElement {
  const template = document.createElement("template");
  template.innerHTML = trusted(html);
  return template;
}

/** edits.ts, once an edit stands. */
let more: typeof import("./edits.ts") | undefined;

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
  if (op === "reorder") return "order";
  return name && op !== "move" ? "@" + name : op;
}

/** An edit of what is read and written whole. */
function property<T>(wanted: T, read: () => T, write: (value: T) => unknown): Hand {
  const before = read();
  return { ours: () => JSON.stringify(read()) === JSON.stringify(wanted), put: () => write(wanted), undo: () => write(before) };
}

/** How to make, recognise and take back an edit on an element. */
function handle(element: Element, { op, name = "", value = "" }: Edit): Hand {
  const baseline = element.firstChild;
  const isText = op === "text";
  switch (op) {
    case "text": {
      // A lone text node is kept and changed in place: the framework that made it still holds it.
      const before = (baseline as Text | null)?.data;
      const ours = () => !element.firstElementChild && element.textContent === value;
      if (ours() || (baseline === element.lastChild && baseline?.nodeType === 3))
        return {
          ours,
          put: () => (baseline!.textContent = value),
          undo() {
            baseline!.textContent = before!;
            if (baseline!.parentNode !== element) element.replaceChildren(baseline!);
          },
        };
      break;
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
  }
  // This throws for an operation of a newer core, or a fragment that has not come: better no edit than a wrong one.
  const [method, near] = PLACES[isText ? "html" : op]!;
  const template = isText ? undefined : parse(value);
  const html = template?.innerHTML!;
  // The last one stays where scripts take the others away, as when a visitor closes a message: that is not brought again then.
  const nodes: ChildNode[] = [...(template?.content.childNodes ?? [new Text(value)]), new Text()];
  template?.content.replaceChildren();
  // What the edge wrote is not brought again.
  const same = near
    ? (element[near] as Text | null)?.data === "idoine"
    : method === "replaceChildren"
      ? html === element.innerHTML
      : html.includes(element.outerHTML) && element.parentElement?.innerHTML.includes(html);
  const stash = new DocumentFragment();
  const parent = near ? undefined : method === "replaceWith" ? element.parentElement! : element;
  const left = (): ChildNode[] => nodes.filter((node) => node.parentNode);

  return {
    nodes,
    parent,
    stash,
    // Scripts may go on changing what is inside; it stays ours while any of it is left.
    ours: () =>
      same || (near && more ? more.isBeside(element, near, nodes, brought) : left()[0] && (parent === element || near || (stash.firstChild === element && stash.lastChild === element))),
    put() {
      const again = left();
      if (parent === element) stash.append(...element.childNodes);
      for (const node of nodes) brought.add(node);
      element[method](...(again[0] ? again : nodes));
      if (parent !== element && parent) stash.append(element);
    },
    undo() {
      const place = left()[0];
      if (place && parent === element) element.replaceChildren(stash);
      else if (parent) place?.replaceWith(stash);
      for (const node of nodes) node.remove();
    },
  };
}

/** Whether changing this property would take something away that the visitor is using; before edits.ts is there to tell, whether that may be. */
function inUse(element: Element, cell: string, nodes: readonly Node[] = []): boolean {
  const active = document.activeElement as HTMLElement | null;
  const away = /^[chr]/.test(cell);
  const all = away ? [element, ...nodes] : nodes;
  return (
    (more ? more.isBusy(all) : away && !!element.querySelector("input,textarea,select,video,audio")) ||
    (active !== document.body &&
      all.some((node) => node.contains(active) && (active !== node || cell !== "content" || active!.isContentEditable || active!.localName === "textarea")))
  );
}

/** Makes the page show exactly these edits; with none, its baseline. */
export type Show = (edits: readonly Edit[]) => void;

/** A renderer for this document. It does nothing, and watches nothing, until it is given edits. */
export function createRenderer(): Show {
  let wanted: readonly Edit[] = [];
  let changes: Cells<Change> = new Map();
  let observer: MutationObserver | undefined;
  let loading = false;

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
  function make(element: Element, cell: string, edit: Edit): Change | undefined {
    try {
      const hand = /^[mo]/.test(cell) ? more?.arrange(element, edit, isBrought, inUse, (ours, put, undo, nodes) => ({ ours, put, undo, nodes })) : handle(element, edit);
      if (!hand || hand.ours()) return undefined;
      if (inUse(element, cell)) return void more?.wait();
      hand.put();
      guard(hand);
      return { edit, ...hand };
    } catch {
      // What this page does not allow (Trusted Types, an invalid name) is left out; the other edits still apply.
    }
  }

  /** What frameworks do to nodes that are out of the page is done where they are, and looked at. */
  function guard({ parent, stash, nodes }: Hand): void {
    if (parent) more?.redirect(parent, stash!, nodes!, observer);
  }

  /**
   * Brings the page in line with `wanted`. An edit may change the very attribute that its selector reads, so a change
   * stays although its element is no longer found, until edits are shown anew (`renewed`).
   */
  function settle(renewed?: boolean): void {
    if (more) wanted = more.resolve(wanted, settle);
    const before = changes;
    const kept: Cells<Change> = new Map();
    let targets = find();
    let undone = false;
    for (const [element, cells] of before) {
      const isConnected = element.isConnected;
      // What stands in its place is there for it.
      const replacement = cells.get("replace");
      const isThere = isConnected || (replacement?.ours() && replacement.nodes!.some((node) => node.isConnected));
      for (const [cell, change] of cells) {
        const { edit, nodes } = change;
        const stays = (one: Edit): boolean =>
          one === edit || (!isConnected && JSON.stringify(one) === JSON.stringify(edit));
        const wish = targets.get(element)?.get(cell) ?? (isThere ? wanted.find(stays) : undefined);
        if (!isThere) more?.lose(edit);
        if (wish?.op === edit.op && wish.name === edit.name && wish.value === edit.value) {
          put(kept, element, cell, { ...change, edit: wish });
          if (!change.ours() && (renewed || more?.isDue(edit, true))) {
            if (!nodes?.some((node) => node.parentNode)) put(kept, element, cell, make(element, cell, wish));
            else if (!inUse(element, cell, nodes)) change.put();
          }
        } else if (inUse(element, cell, nodes)) {
          put(kept, element, cell, change);
          more?.wait();
        } else if (nodes || change.ours()) {
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
        if (!kept.get(element)?.has(cell) && more?.isDue(edit) !== false) put(kept, element, cell, make(element, cell, edit));
      }
    }
    // Our own writes are no reason to look again.
    observer?.takeRecords();
  }

  /** Begins to watch the page, or ends it. */
  function watch(): void {
    if (!wanted.some((edit) => edit.selector)) observer?.disconnect();
    else if (observer) more!.watch(observer);
    else if (!loading) {
      loading = true;
      import("./edits.ts").then(
        (part) => {
          more = part;
          observer = part.follow(settle);
          for (const cells of changes.values()) cells.forEach(guard);
          settle();
          watch();
        },
        () => (loading = false),
      );
    }
  }

  return (edits) => {
    wanted = edits;
    settle(true);
    watch();
  };
}

function put<T>(cells: Cells<T>, element: Element, cell: string, value: T | undefined): void {
  if (value) cells.set(element, (cells.get(element) || new Map<string, T>()).set(cell, value));
}
