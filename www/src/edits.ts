/**
 * What the renderer (dom.ts) needs once an edit stands: a chunk of its own. How often an edit is put back; that frameworks find what they made;
 * and the edits that change where elements are, `move` and `reorder`.
 *
 * Elements keep their state on the way (focus, what was scrolled, what plays, frames) where the browser can move them as they are
 * (`moveBefore`); elsewhere what is in use, or holds a frame, is not moved until it is not.
 *
 * A framework that changes the children of a parent finds them where it left them: what was moved goes home right before, and is moved
 * anew after, as often as any edit is put back.
 */
import type { Edit, Op } from "./types.ts";

type Movable = ParentNode & Node & { moveBefore?(node: Node, before: Node | null): void };
type Check<T> = (node: T) => unknown;
type Hook = (nodes: readonly unknown[]) => void;

const PARENT = ["insertBefore", "appendChild", "removeChild", "replaceChild"];

/** What the renderer makes of whether the page shows an edit, how to make it, how to take it back, and what it brought. */
type Made<T> = (ours: () => unknown, put: () => void, undo: () => void, nodes: readonly ChildNode[]) => T;

/** How often an edit is put back at once; how long it has to stand to begin anew. */
const AT_ONCE = 3;
const CALM_MS = 5000;
/** Looking takes at most one of so many parts of the time. */
const SHARE = 20;

/** What looks at the page again, soon. */
const looks = new Set<() => void>();

/** Has somebody look at the page whenever it changes: before the next paint, so that nothing flickers, and at most once per frame. */
export function follow(settle: () => void): MutationObserver {
  let scheduled = false;
  let rest = 0;
  function look(): void {
    scheduled = false;
    const began = performance.now();
    settle();
    rest = (SHARE - 1) * (performance.now() - began);
  }
  function schedule(): void {
    if (scheduled) return;
    scheduled = true;
    // A hidden page has no frames.
    if (rest > 16) setTimeout(look, rest);
    else (document.hidden ? queueMicrotask : requestAnimationFrame)(look);
  }
  looks.add(schedule);
  return new MutationObserver(schedule);
}

export function watch(observer: MutationObserver): void {
  observer.observe(document, { childList: true, subtree: true, characterData: true, attributes: true });
}

const again = (): void => looks.forEach((look) => look());

/** Fields that the visitor has entered something into, until it is sent or taken back. */
const touched = new WeakSet<EventTarget>();
/** Whether something waits for the visitor. */
let waiting = false;

export function wait(): void {
  waiting = true;
}

function used({ type, target }: Event): void {
  if (type === "input") touched.add(target!);
  if (type === "submit" || type === "reset") for (const field of (target as HTMLFormElement).elements) touched.delete(field);
  if (!waiting) return;
  waiting = false;
  // A form is empty, and the focus gone, only after they have said so.
  setTimeout(again);
}

for (const type of ["input", "scroll", "submit", "reset", "focusout", "pause", "ended"]) document.addEventListener(type, used, true);

/**
 * Whether the visitor would lose something with this element: how far they scrolled, what they entered, what plays. What plays without a
 * sound and without an end is background.
 */
const isLost = (one: any): unknown =>
  one.scrollTop ||
  one.scrollLeft ||
  (one.paused === false && !one.ended && !one.matches("[autoplay][muted][loop]")) ||
  (typeof one.defaultValue === "string" && !/^(checkbox|radio)$/.test(one.type) && one.value !== one.defaultValue) ||
  one.checked !== one.defaultChecked ||
  touched.has(one);

/** Whether any of these elements has such a thing in it. */
export const isBusy = (nodes: readonly Node[]): boolean =>
  nodes.some((node) => node.nodeType === 1 && [node, ...(node as Element).querySelectorAll("*")].some(isLost));

/** The HTML of fragments by their paths: each is asked for once. */
const fragments = new Map<string, string | undefined>();

/** Asks this site for a fragment. Without it the page stays as it is. */
async function bring(path: string, then: () => void): Promise<void> {
  fragments.set(path, undefined);
  try {
    const response = await fetch(location.origin + path, { mode: "same-origin" });
    if (!response.ok || !/html/.test(response.headers.get("content-type")!)) return;
    fragments.set(path, await response.text());
    then();
  } catch {}
}

/** Edits with the fragments that have come, which are edits like others; those that the page has an element for are asked for. */
export function resolve(edits: readonly Edit[], then: () => void): readonly Edit[] {
  if (!edits.some(({ op }) => op === "fragment")) return edits;
  return edits.map((edit) => {
    if (edit.op !== "fragment") return edit;
    const path = edit.value!;
    const html = fragments.get(path);
    if (html !== undefined) return { ...edit, op: edit.name as Op, value: html };
    try {
      if (!fragments.has(path) && document.querySelector(edit.selector)) void bring(path, then);
    } catch {
      // No selector: the page's own code shows it.
    }
    return edit;
  });
}

interface Count {
  /** How often in a row it had to be put back; when it was last, and when it is next. */
  times: number;
  at: number;
  due: number | undefined;
  /** Whether the page has undone it since. */
  lost: boolean;
  timer: unknown;
  open: boolean;
}

const counts = new WeakMap<Edit, Count>();

/** The page has undone an edit, or taken its element away. A framework may make the element anew each time it renders: it counts as the same. */
export function lose(edit: Edit): void {
  let count = counts.get(edit);
  if (!count) counts.set(edit, (count = { times: 0, at: 0, due: undefined, lost: true, timer: undefined, open: false }));
  count.lost = true;
}

/** Whether an edit may be made now, at once unless the page fights; if not, it is looked at again when it may. */
export function isDue(edit: Edit, lost = false): boolean {
  if (lost) lose(edit);
  const count = counts.get(edit);
  // On all of its elements at once.
  if (!count || count.open || !count.lost) return true;
  const now = Date.now();
  if (count.due === undefined) {
    if (now - count.at > CALM_MS) count.times = 0;
    count.due = now + (count.times < AT_ONCE ? 0 : 1000 * 2 ** (count.times - AT_ONCE));
  }
  if (now >= count.due) {
    count.times++;
    Object.assign(count, { at: now, due: undefined, lost: false, open: true });
    queueMicrotask(() => (count.open = false));
    return true;
  }
  count.timer ??= setTimeout(() => {
    count.timer = undefined;
    again();
  }, count.due - now);
  return false;
}

/** What edits have taken out of the page, in its order: what frameworks put beside it, or take away of it, is the baseline. */
const stashes = new WeakSet<Node>();
/** Of elements whose content is replaced, where that content is as long as the edit stands. */
const contents = new WeakMap<Element, () => Node | undefined>();
const redirected = new WeakSet<Element>();

/**
 * Frameworks change children by calls on the parent that they know, which throws where a child is not there any more: from now on these calls
 * go to where the child is; and what is added at the end of content that is replaced, to that content.
 */
export function redirect(parent: any, stash: Node, nodes: readonly Node[], observer: MutationObserver | undefined): void {
  stashes.add(stash);
  // What is put into the place of the whole content stands alone in it.
  if (![...parent.childNodes].some((node: Node) => !nodes.includes(node))) contents.set(parent, () => (nodes.some((node) => node.parentNode === parent) ? stash : undefined));
  observer?.observe(stash, { childList: true });
  if (redirected.has(parent)) return;
  redirected.add(parent);
  for (const name of PARENT) {
    const inner = parent[name];
    parent[name] = (node: Node, other?: Node): unknown => {
      const child = name === "removeChild" ? node : other;
      const place = child ? child.parentNode : contents.get(parent)?.();
      return (place && stashes.has(place) ? (Node.prototype as any)[name] : inner).call(place && stashes.has(place) ? place : parent, node, other);
    };
  }
}

/** Whether what was brought is still beside the element, but for what other edits brought. A framework may have moved the element. */
export function isBeside(element: Element, near: "previousSibling" | "nextSibling" | "firstChild" | "lastChild", nodes: readonly Node[], brought: WeakSet<Node>): boolean {
  let node: Node | null = element[near];
  while (node && brought.has(node) && !nodes.includes(node)) node = node[near === "previousSibling" || near === "lastChild" ? "previousSibling" : "nextSibling"];
  return nodes.includes(node!);
}

/** What is moved away from where the page had it. */
const moved = new WeakSet<Node>();
/** What is to be done before others call one of the methods with which children are changed. */
const hooks = new WeakMap<Node, Set<Hook>>();
const CHILD = ["before", "after", "replaceWith", "remove"];

/** Has something done before frameworks change the children of a parent, or put something beside a child. */
function hook(node: any, names: readonly string[], run: Hook): void {
  const known = hooks.get(node);
  const all = known ?? new Set();
  hooks.set(node, all.add(run));
  if (known) return;
  for (const name of names) {
    const inner = node[name] as (...nodes: unknown[]) => unknown;
    node[name] = function (this: unknown, ...nodes: unknown[]) {
      for (const one of [...all]) one(nodes);
      return inner.apply(this, nodes);
    };
  }
}

const unhook = (node: Node, run: Hook): unknown => hooks.get(node)?.delete(run);

/** Whether an element can be put elsewhere without loss. */
const canMove = (element: Element, inUse: Check<Element>): boolean =>
  "moveBefore" in Element.prototype || (!element.matches("iframe,object,embed") && !element.querySelector("iframe,object,embed") && !inUse(element));

function place(parent: Movable, element: Element, before: Node | null): void {
  if (parent.moveBefore && element.isConnected && parent.isConnected) parent.moveBefore(element, before);
  else Node.prototype.insertBefore.call(parent, element, before);
}

/** An edit that changes where elements are. Nothing where it can't be made now. */
export function arrange<T>(element: Element, edit: Edit, isBrought: Check<Node>, isUsed: (element: Element, cell: string) => boolean, made: Made<T>): T | undefined {
  const inUse = (one: Element): boolean => isUsed(one, "r");
  return edit.op === "move" ? move(element, edit, isBrought, inUse, made) : reorder(element, edit, inUse, made);
}

function move<T>(element: Element, { name, value }: Edit, isBrought: Check<Node>, inUse: Check<Element>, made: Made<T>): T | undefined {
  const beside = name === "before" || name === "after";
  const forward = name === "before" || name === "last";
  const find = (): Element | undefined => [...document.querySelectorAll(value!)].find((one) => !element.contains(one) && !isBrought(one));
  if (!find()) return undefined;
  /** Stays where the page had the element. */
  const home = new Text();
  const others = (node: Node): unknown => moved.has(node) || isBrought(node) || (node.nodeType === 3 && !(node as Text).data.trim());

  function isThere(): boolean {
    const target = find();
    // Where the page had the element something else is now: the element is of a page that is gone.
    if (moved.has(element) && !home.parentNode) take();
    if (!target || element.parentNode !== (beside ? target.parentNode : target)) return false;
    const next = (node: Node): Node | null => (forward ? node.nextSibling : node.previousSibling);
    let node = next(element);
    while (node && others(node)) node = next(node);
    return node === (beside ? target : null);
  }

  function take(): void {
    moved.delete(element);
    element.remove();
  }

  const goHome = (): void => {
    if (moved.has(element) && home.parentNode && canMove(element, inUse)) {
      const parent = home.parentNode;
      moved.delete(element);
      place(parent, element, home);
      unhook(parent, forParent);
      unhook(element, goHome);
      home.remove();
    }
  };
  const forParent: Hook = (nodes) => {
    if (nodes.includes(element)) goHome();
  };

  return made(
    isThere,
    () => {
      const target = find();
      const parent = beside ? target?.parentNode : target;
      if (!parent || !canMove(element, inUse)) return;
      if (!moved.has(element)) {
        Element.prototype.before.call(element, home);
        hook(element.parentNode!, PARENT, forParent);
        hook(element, CHILD, goHome);
      }
      let before: Node | null = name === "before" ? target! : name === "after" ? target!.nextSibling : name === "first" ? target!.firstChild : null;
      if (!forward) while (before && moved.has(before) && before !== element) before = before.nextSibling;
      moved.add(element);
      place(parent, element, before === element ? element.nextSibling : before);
    },
    () => {
      // What the page has put elsewhere since stays there.
      if (moved.has(element) && !home.parentNode) take();
      else if (isThere()) goHome();
      moved.delete(element);
      if (home.parentNode) unhook(home.parentNode, forParent);
      unhook(element, goHome);
      home.remove();
    },
    [home],
  );
}

function reorder<T>(parent: Element, { value }: Edit, inUse: Check<Element>, made: Made<T>): T {
  const selectors = JSON.parse(value!) as string[];
  let before: Element[] | undefined;
  let hooked: Node[] = [];

  function wanted(): Element[] {
    const rank = (child: Element): number => (selectors.findIndex((selector) => child.matches(selector)) + 1 || Infinity);
    const ranks = new Map([...parent.children].map((child) => [child, rank(child)]));
    return [...parent.children].sort((one, other) => (ranks.get(one) === ranks.get(other) ? 0 : ranks.get(one)! - ranks.get(other)!));
  }

  /** Elements change places among themselves: what else there is, as the marks of frameworks, stays first, last or where it is. */
  function bring(children: readonly Element[]): void {
    children.forEach((child, index) => {
      const there = parent.children[index]!;
      if (child !== there) place(parent, child, there);
    });
  }

  const isSame = (children: readonly Element[]): boolean => children.every((child, index) => child === parent.children[index]);

  /** The order that the page had; what has come since is behind what it is behind now. */
  function back(): void {
    if (!before) return;
    const order = before.filter((child) => child.parentNode === parent);
    for (const child of parent.children) if (!before.includes(child)) order.splice(order.indexOf(child.previousElementSibling!) + 1, 0, child);
    before = undefined;
    for (const node of hooked) unhook(node, back);
    unhook(parent, forParent);
    hooked = [];
    bring(order);
  }

  const forParent: Hook = ([node, other]) => {
    if (other || (node as Node | null)?.parentNode === parent) back();
  };

  return made(
    () => isSame(wanted()),
    () => {
      back();
      const children = wanted();
      if (![...parent.children].every((child, index) => child === children[index] || canMove(child, inUse))) return;
      before = [...parent.children];
      bring(children);
      hooked = [...parent.childNodes];
      for (const node of hooked) hook(node, CHILD, back);
      hook(parent, PARENT, forParent);
    },
    back,
    [],
  );
}
