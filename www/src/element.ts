/** Elements without HTML: what our own interface shows comes from manifests, addresses and visitors, and is text and nothing else. */

type Child = Node | string | false | undefined;
type Properties = Record<string, string | boolean | ((event: Event) => void) | undefined>;

/**
 * An element with attributes, listeners (`onclick`) and children. `false` and `undefined` leave an attribute or a child out.
 */
export function h<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  properties: Properties = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (typeof value === "function") element.addEventListener(name.slice(2), value);
    else if (value !== undefined && value !== false) element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.filter((child): child is Node | string => child !== undefined && child !== false));
  return element;
}
