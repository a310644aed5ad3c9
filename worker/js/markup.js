// Markup that comes in pieces and may break off anywhere, given on so that what follows it is never taken for a part of it.

/** Elements whose content is text. */
const TEXT = new Set("script style textarea title xmp iframe noembed noframes noscript".split(" "));
const FOREIGN = new Set(["svg", "math"]);
const VOID = new Set("area base br col embed hr img input link meta source track wbr".split(" "));
/** Elements that browsers close by themselves, and those that no part of a page can close. */
const OPTIONAL = new Set("p li dt dd option optgroup tr td th thead tbody tfoot caption colgroup rt rp html head body".split(" "));

/** Browsers do not go deeper either. */
const DEEPEST = 512;

const NAME = /[^\t\n\f\r />]*/y;
const ATTRIBUTE = /[\t\n\f\r /]*(?:(\/?>)|[^\t\n\f\r />][^\t\n\f\r />=]*(?:[\t\n\f\r ]*=[\t\n\f\r ]*(?:"[^"]*"|'[^']*'|(?!["'])[^\t\n\f\r >]*))?)/y;

/** Behind an attribute: there may be more of it, or its value's quotes do not end. */
const UNFINISHED = /[\t\n\f\r ]*(?:=|$)/y;

/** Where a tag that begins at `from` ends, and whether it closes itself; undefined while it goes on. */
function endOfTag(text, from) {
  ATTRIBUTE.lastIndex = from;
  for (;;) {
    const match = ATTRIBUTE.exec(text);
    if (match === null) {
      return undefined;
    }
    const end = ATTRIBUTE.lastIndex;
    if (match[1] !== undefined) {
      return { end, isSelfClosing: text[end - 2] === "/" };
    }
    UNFINISHED.lastIndex = end;
    if (UNFINISHED.test(text)) {
      return undefined;
    }
  }
}

/** Gives markup on in parts that stand by themselves: text, whole tags, whole comments, whole elements of text. */
export class Markup {
  #held = "";
  /** The elements that are open: their names as they are written, and in lower case. */
  #open = [];
  #lower = [];
  /** How many of them are SVG or MathML, where tags can close themselves. */
  #foreign = 0;

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
      .filter((_, at) => isXml || !OPTIONAL.has(this.#lower[at]))
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
    const lower = name.toLowerCase();
    if (isEnd) {
      this.#close(lower);
      return take(tag.end);
    }
    const closesItself = tag.isSelfClosing && (this.#foreign > 0 || FOREIGN.has(lower));
    if (!TEXT.has(lower) || closesItself) {
      if (!VOID.has(lower) && !closesItself && this.#open.length < DEEPEST) {
        this.#open.push(name);
        this.#lower.push(lower);
        this.#foreign += FOREIGN.has(lower) ? 1 : 0;
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

  #close(lower) {
    const at = this.#lower.lastIndexOf(lower);
    if (at >= 0) {
      this.#open.length = at;
      this.#foreign -= this.#lower.splice(at).filter((name) => FOREIGN.has(name)).length;
    }
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
