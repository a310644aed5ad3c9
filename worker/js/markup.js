// Markup that comes in pieces and may break off anywhere, given on so that what follows it is never taken for a part of it.

/** Elements whose content is text. */
const TEXT = new Set("script style textarea title xmp iframe noembed noframes noscript".split(" "));
const VOID = new Set("area base br col embed hr img input link meta source track wbr".split(" "));
/** Elements that browsers close by themselves, and those that no part of a page can close. */
const OPTIONAL = new Set("p li dt dd option optgroup tr td th thead tbody tfoot caption colgroup rt rp html head body".split(" "));

/** Browsers do not go deeper either. */
const DEEPEST = 512;

const NAME = /[^\t\n\f\r />]*/y;
const ATTRIBUTE = /[\t\n\f\r /]*(?:(\/?>)|[^\t\n\f\r />][^\t\n\f\r />=]*(?:[\t\n\f\r ]*=[\t\n\f\r ]*(?:"[^"]*"|'[^']*'|(?!["'])[^\t\n\f\r >]*))?)/y;

/** Where a tag that begins at `from` ends, and whether it closes itself; undefined while it goes on. */
function endOfTag(text, from) {
  ATTRIBUTE.lastIndex = from;
  for (;;) {
    const match = ATTRIBUTE.exec(text);
    if (match === null || (match[1] === undefined && /^[\t\n\f\r ]*(?:=|$)/.test(text.slice(ATTRIBUTE.lastIndex, ATTRIBUTE.lastIndex + 64)))) {
      return undefined;
    }
    if (match[1] !== undefined) {
      return { end: ATTRIBUTE.lastIndex, isSelfClosing: text[ATTRIBUTE.lastIndex - 2] === "/" };
    }
  }
}

/** Gives markup on in parts that stand by themselves: text, whole tags, whole comments, whole elements of text. */
export class Markup {
  #held = "";
  #open = [];

  /** The next of it; gives back what can go on, as pairs: a part, and the element whose text it is, if any. */
  push(text) {
    const all = this.#held + text;
    const parts = [];
    let at = 0;
    for (;;) {
      const start = all.indexOf("<", at);
      const before = all.slice(at, start < 0 ? undefined : start);
      if (before !== "") {
        parts.push([before]);
      }
      if (start < 0) {
        at = all.length;
        break;
      }
      const next = this.#read(all, start, parts);
      at = next ?? start;
      if (next === undefined) {
        break;
      }
    }
    this.#held = all.slice(at);
    return parts;
  }

  /** Whether it ended within a part, which is left out. */
  get isCut() {
    return this.#held !== "";
  }

  /** The end tags of what is open. */
  closing(isXml) {
    return this.#open
      .filter((name) => isXml || !OPTIONAL.has(name.toLowerCase()))
      .reverse()
      .map((name) => `</${name}>`)
      .join("");
  }

  /** Reads what begins with `<` at `start`; where it ends, undefined while it goes on. */
  #read(all, start, parts) {
    const take = (end, element) => {
      parts.push([all.slice(start, end), element]);
      return end;
    };
    const found = (what, from) => {
      const at = all.indexOf(what, from);
      return at < 0 ? undefined : take(at + what.length);
    };
    const after = all[start + 1];
    if (after === undefined) {
      return undefined;
    }
    const isEnd = after === "/";
    if (after === "!" || after === "?") {
      return this.#readDeclaration(all, start, found);
    }
    const first = start + (isEnd ? 2 : 1);
    if (first >= all.length) {
      return undefined;
    }
    if (!/[a-z]/i.test(all[first])) {
      return isEnd ? found(">", first) : take(first);
    }
    NAME.lastIndex = first;
    const name = NAME.exec(all)[0];
    const tag = endOfTag(all, first + name.length);
    if (tag === undefined) {
      return undefined;
    }
    if (isEnd) {
      const at = this.#open.findLastIndex((one) => one.toLowerCase() === name.toLowerCase());
      this.#open.length = at < 0 ? this.#open.length : at;
      return take(tag.end);
    }
    const lower = name.toLowerCase();
    const isForeign = [name, ...this.#open].some((one) => /^(?:svg|math)$/i.test(one));
    if (!TEXT.has(lower) || (isForeign && tag.isSelfClosing)) {
      if (!VOID.has(lower) && !(tag.isSelfClosing && isForeign) && this.#open.length < DEEPEST) {
        this.#open.push(name);
      }
      return take(tag.end);
    }
    const ends = new RegExp(`</${lower}(?=[\\t\\n\\f\\r />])`, "gi");
    ends.lastIndex = tag.end;
    const content = ends.exec(all);
    const endTag = content === null ? undefined : endOfTag(all, ends.lastIndex);
    if (endTag === undefined) {
      return undefined;
    }
    parts.push([all.slice(start, tag.end)], [all.slice(tag.end, content.index), lower], [all.slice(content.index, endTag.end)]);
    return endTag.end;
  }

  #readDeclaration(all, start, found) {
    if (!all.startsWith("<!--", start)) {
      // It may become a comment.
      return "<!--".startsWith(all.slice(start, start + 4)) && all.length < start + 4 ? undefined : found(">", start);
    }
    const plain = all.indexOf("-->", start + 2);
    const odd = all.indexOf("--!>", start + 4);
    return odd >= 0 && (plain < 0 || odd < plain) ? found("--!>", odd) : found("-->", start + 2);
  }
}
