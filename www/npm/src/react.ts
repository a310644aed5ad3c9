"use client";
/**
 * Slots as React components. A server renders what it decided, and the page begins with the same: the state that both are given is what
 * hydration compares. What changes later comes by a subscription.
 */
import {
  createContext,
  createElement,
  useContext,
  useEffect,
  useMemo,
  useRef,
  useState,
  useSyncExternalStore,
  type ElementType,
  type HTMLAttributes,
  type ReactElement,
  type ReactNode,
} from "react";
import { IdoineError } from "../../src/errors.ts";
import { trusted } from "../../src/trusted.ts";
import type { Decision, Edit, Idoine, SlotName, SlotValue, State } from "../../src/types.ts";
import { bringFragment } from "./fragment.ts";
import { propertiesOf } from "./properties.ts";
import { slotsIn, slotsOf, type Shown, type Slots } from "./slots.ts";

export { IdoineError, type ErrorCode } from "../../src/errors.ts";

interface Provided {
  readonly client: Idoine | undefined;
  /** What is shown now. */
  readonly slots: Slots;
  /** What the server has rendered. */
  readonly rendered: Slots;
}

const Context = createContext<Provided | undefined>(undefined);

export interface IdoineProviderProps {
  /** The client, in pages. */
  readonly client?: Idoine | undefined;
  /** What the server decided: `decided.state` there, `readState()` in the page. Without it the server renders each slot's baseline. */
  readonly state?: State | undefined;
  readonly children?: ReactNode;
}

/** Gives the components below it their client, or what a server decided. */
export function IdoineProvider({ client, state, children }: IdoineProviderProps): ReactElement {
  const provided = useMemo<Provided>(() => {
    const rendered = slotsOf(state);
    return { client, rendered, slots: client ? slotsIn(client) : rendered };
  }, [client, state]);
  return createElement(Context.Provider, { value: provided }, children);
}

function useProvided(asks: string): Provided {
  const provided = useContext(Context);
  if (!provided) throw new IdoineError("provider_missing", `${asks} is not inside an <IdoineProvider>`);
  return provided;
}

function useShown(slot: string, asks: string): Shown & { client: Idoine | undefined } {
  const { client, slots, rendered } = useProvided(asks);
  const shown = useSyncExternalStore(slots.subscribe, () => slots.of(slot), () => rendered.of(slot));
  return { ...shown, client };
}

/** The client; `undefined` on a server. */
export const useIdoine = (): Idoine | undefined => useProvided("useIdoine").client;

/** The decision for a slot, as it is now; `undefined` where the slot is not on this page, or nothing is decided yet. */
export const useDecision = (slot: SlotName): Decision | undefined => useShown(slot, "useDecision").decision;

/** The value of a data slot, as it is now. */
export const useValue = <N extends SlotName>(slot: N): SlotValue<N> | undefined => useShown(slot, "useValue").value as SlotValue<N> | undefined;

export interface SlotProps extends Omit<HTMLAttributes<HTMLElement>, "children"> {
  /** The slot's name in the manifest. */
  readonly name: SlotName;
  /** The element that it is; a `div` unless it is said. */
  readonly as?: ElementType | undefined;
  /** What is there when nothing else was decided: the baseline. Of a data slot, what is made of its value. */
  readonly children?: ReactNode | ((value: unknown, decision: Decision | undefined) => ReactNode);
}

/** HTML as React takes it. */
interface Markup {
  readonly __html: string;
}

/** HTML of the site's own program, without a box of its own. */
const boxless = (key: string, dangerouslySetInnerHTML: Markup): ReactElement => createElement("span", { key, style: { display: "contents" }, dangerouslySetInnerHTML });

/**
 * The HTML of these edits, for React: the same object as long as they are the same, as it writes another one anew. What the page's Trusted
 * Types refuse is left out, as everywhere.
 */
function markupOf(edits: readonly Edit[]): (edit: Edit) => Markup | undefined {
  const made = new Map<Edit, Markup | undefined>();
  for (const edit of edits) {
    if (!HTML.includes(edit.op)) continue;
    try {
      made.set(edit, { __html: trusted(edit.value ?? "") });
    } catch {
      made.set(edit, undefined);
    }
  }
  return (edit) => made.get(edit);
}

const HTML: readonly string[] = ["html", "replace", "before", "after", "first", "last"];

/** The fragments among these edits with the HTML that has come, as the edits that they then are; those that have not come are left out. */
function useFragments(edits: readonly Edit[]): readonly Edit[] {
  const [come, setCome] = useState<Readonly<Record<string, string>>>({});
  useEffect(() => {
    let gone = false;
    for (const { op, value = "" } of edits) {
      if (op === "fragment") void bringFragment(value).then((text) => !gone && text !== undefined && setCome((before) => ({ ...before, [value]: text })));
    }
    return () => void (gone = true);
  }, [edits]);
  return edits.flatMap((edit): readonly Edit[] => {
    if (edit.op !== "fragment") return [edit];
    const value = come[edit.value ?? ""];
    return value === undefined ? [] : [{ slot: edit.slot, selector: edit.selector, op: edit.name === "content" ? "html" : (edit.name as Edit["op"]), value }];
  });
}

/** A slot: an element that shows what was decided, and its children where nothing was. */
export function Slot({ name, as = "div", children, ...own }: SlotProps): ReactElement | null {
  const { client, decision, value, edits: decided } = useShown(name, `<Slot name="${name}">`);
  const all = useFragments(decided);
  // Who shows something else is another element: what is edited there by scripts is never mixed up with what React renders.
  const key = JSON.stringify(all);
  const [edits, markup] = useMemo(() => {
    const markup = markupOf(all);
    return [all.filter((edit) => !HTML.includes(edit.op) || markup(edit)), markup] as const;
  }, [key]);
  const element = useRef<HTMLElement>(null);
  const of = (...ops: readonly Edit["op"][]): readonly Edit[] => edits.filter(({ op }) => ops.includes(op));
  const isThere = of("remove", "replace").length === 0;
  useEffect(() => {
    if (client && element.current) return client.observe(name, element.current);
  }, [client, name, key, decision, isThere]);

  const brought = (...ops: readonly Edit["op"][]): ReactElement[] => of(...ops).map((edit, at) => boxless(`${edit.op}${at}`, markup(edit)!));
  const [content] = of("text", "html").slice(-1);
  const isAlone = of("first", "last").length === 0;
  let inside: ReactNode = typeof children === "function" ? children(value, decision) : children;
  if (content) inside = content.op === "text" ? (content.value ?? "") : boxless("html", markup(content)!);
  if (!isAlone) inside = [...brought("first"), createElement(Content, { key: "content" }, inside), ...brought("last")];
  // Without anything beside it the HTML is the element's own.
  const whole = content?.op === "html" && isAlone ? { dangerouslySetInnerHTML: markup(content) } : { children: inside };
  const self = isThere ? [createElement(as, { ...propertiesOf(own, edits), ...whole, key, ref: element, "data-idoine-slot": name })] : brought("replace");
  return createElement(Content, null, ...brought("before"), ...self, ...brought("after"));
}

/** What has no element of its own. */
const Content = ({ children }: { readonly children?: ReactNode }): ReactNode => children;
