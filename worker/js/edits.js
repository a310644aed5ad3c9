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

/** Operations on an element's content. */
const INSIDE = new Set(["text", "html", "first", "last"]);

const nameOf = (element) => element.tagName.toLowerCase().split(":").pop(); // XHTML may have prefixes.

/** Throws where new content could become something else than what was written: a visitor's words, script. */
export function checkInside(element, op) {
  const name = nameOf(element);
  if (RAW_CONTENT.has(name) || VOID.has(name) || (op !== "text" && TEXT_CONTENT.has(name)) || (name === "html" && (op === "first" || op === "last"))) {
    throw new Error(`${op} can't be the content of <${name}>`);
  }
}

/** Throws where a browser would take the page apart otherwise than it is written. */
export function checkOutside(element, op) {
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

/**
 * Puts HTML in the place of an element, or nothing. What another edit has put there before goes, which `remove()` would
 * leave; and where the element has no end tag, the one that ends its parent stays.
 */
function replace(element, html) {
  const name = element.tagName;
  if (!element.removed && !VOID.has(nameOf(element))) {
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
  element.replace(html, { html: true });
}

/** Carries one edit out. A page that is not UTF-8 gets character references, which are right in any character set. */
export function apply(element, edit, isUtf8) {
  const { op, name, value = "" } = edit;
  const encode = isUtf8 ? String : references;
  if (element.removed && INSIDE.has(op)) {
    return; // Else it would stand beside what is there in the element's place.
  }
  switch (op) {
    case "text":
      checkInside(element, op);
      element.setInnerContent(encode(escapeText(value)), { html: true });
      break;
    case "html":
      checkInside(element, op);
      element.setInnerContent(encode(value), { html: true });
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
      checkOutside(element, op);
      replace(element, encode(value));
      break;
    case "before":
      checkOutside(element, op);
      element.before(encode(value), { html: true });
      break;
    case "after":
      checkOutside(element, op);
      element.after(encode(value), { html: true });
      break;
    case "first":
      checkInside(element, op);
      element.prepend(encode(value), { html: true });
      break;
    case "last":
      checkInside(element, op);
      element.append(encode(value), { html: true });
      break;
    case "remove":
      checkOutside(element, op);
      replace(element, "");
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
