// What each edit does to an element of a page, by HTMLRewriter's own means.

import { escapeAttribute, escapeText, references } from "./escape.js";
import { log } from "./log.js";

/** An attribute as the page has it, character references and all, to be put back changed. */
function raw(element, name) {
  const value = element.getAttribute(name) ?? "";
  if (value.includes("\ufffd")) {
    throw new Error(`a ${name} in a character set that can't be read here`);
  }
  return value;
}

function classesOf(element) {
  return raw(element, "class").split(/[\t\n\f\r ]+/).filter(Boolean);
}

/** A class as a page may write it: in its character set, or in character references. */
function spellings(name) {
  const plain = escapeAttribute(name);
  return [plain, references(plain)];
}

/** Elements whose content is code or raw text: what is escaped for HTML is not for them. */
const RAW_CONTENT = new Set(["script", "style", "iframe", "noembed", "noframes", "noscript", "plaintext", "xmp"]);

/** Elements with text in them but no elements. */
const TEXT_CONTENT = new Set(["textarea", "title"]);

/** Elements without content. */
const VOID = new Set(["area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"]);

/** Elements that hold a page together. */
const FRAME = new Set(["html", "head", "body"]);

const nameOf = (element) => element.tagName.toLowerCase().split(":").pop(); // XHTML may have prefixes.

/** Throws where new content could become something else than what was written: a visitor's words, script. */
function checkInside(element, op) {
  const name = nameOf(element);
  if (RAW_CONTENT.has(name) || VOID.has(name) || (op !== "text" && TEXT_CONTENT.has(name)) || (name === "html" && (op === "first" || op === "last"))) {
    throw new Error(`${op} can't be the content of <${name}>`);
  }
}

/** Throws where a browser would take the page apart otherwise than it is written. */
function checkOutside(element, op) {
  const name = nameOf(element);
  if (FRAME.has(name)) {
    throw new Error(`${op} can't be for <${name}>`);
  }
}

/** Whether an edit is about an element's content beside what is there, so that it comes behind those that replace it. */
export function isAdded({ op, name }) {
  const place = op === "fragment" ? name : op;
  return place === "first" || place === "last";
}

/** How HTMLRewriter puts HTML where an edit says. */
const METHODS = { text: "setInnerContent", content: "setInnerContent", before: "before", after: "after", first: "prepend", last: "append" };

/** Left beside what was brought around an element or its content, so that Idoine's script in the page does not bring it again. */
const BROUGHT = "<!--idoine-->";

const OUTSIDE = new Set(["replace", "before", "after"]);

/**
 * Puts HTML (or, of a fragment, a stream of it) in a place as seen from an element: `content`, `replace`, `before`, `after`, `first` or
 * `last`; `text` is the content too, in which there is no element.
 */
export function bring(element, place, html) {
  if (OUTSIDE.has(place)) {
    checkOutside(element, place);
  } else {
    checkInside(element, place === "content" ? "html" : place);
    if (element.removed) {
      return; // Else it would stand beside what is there in the element's place.
    }
  }
  if (place === "replace") {
    keepEnd(element);
    // With nothing in its place too: `remove()` would leave what another edit has put there.
    element.replace(html, { html: true });
    return;
  }
  const method = METHODS[place];
  element[method](html, { html: true });
  if (place !== "text" && place !== "content") {
    element[method](BROUGHT, { html: true });
  }
}

/** Where an element has no end tag of its own, the one that ends its parent must not go with it. */
function keepEnd(element) {
  const name = element.tagName;
  if (element.removed || VOID.has(nameOf(element))) {
    return;
  }
  try {
    element.onEndTag(
      safely((end) => {
        if (end.name !== name) {
          end.before(`</${end.name}>`, { html: true });
        }
      }),
    );
  } catch {
    // It ends itself, as elements of SVG do.
  }
}

/** Carries one edit out. A page that is not UTF-8 gets character references, which are right in any character set. */
export function apply(element, edit, isUtf8) {
  const { op, name, value = "" } = edit;
  const encode = isUtf8 ? String : references;
  switch (op) {
    case "text":
      bring(element, "text", encode(escapeText(value)));
      break;
    case "html":
      bring(element, "content", encode(value));
      break;
    case "attribute":
      element.setAttribute(name, encode(escapeAttribute(value)));
      break;
    case "remove_attribute":
      element.removeAttribute(name);
      break;
    case "class_add": {
      const classes = classesOf(element);
      if (!spellings(value).some((one) => classes.includes(one))) {
        element.setAttribute("class", [...classes, encode(escapeAttribute(value))].join(" "));
      }
      break;
    }
    case "class_remove": {
      const classes = classesOf(element);
      const kept = classes.filter((one) => !spellings(value).includes(one));
      if (kept.length < classes.length) {
        element.setAttribute("class", kept.join(" "));
      }
      break;
    }
    case "hide": {
      const style = raw(element, "style").trim().replace(/;$/, "");
      element.setAttribute("hidden", "");
      element.setAttribute("style", `${style}${style && ";"}display:none!important`);
      break;
    }
    case "replace":
    case "before":
    case "after":
    case "first":
    case "last":
      bring(element, op, encode(value));
      break;
    case "remove":
      bring(element, "replace", "");
      break;
    case "mark":
      if (!element.hasAttribute("data-idoine-slot")) {
        element.setAttribute("data-idoine-slot", edit.slot);
      }
      break;
    default: // An operation of a newer core: better no edit than a wrong one.
  }
}

/** Runs a handler whose failure must not break the stream; `failed` hears of it. */
export function safely(handler, failed) {
  return (argument) => {
    try {
      handler(argument);
    } catch (error) {
      log("error", "edit_left_out", "an edit was left out", { error });
      failed?.();
    }
  };
}
