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

/** Throws where new content could become something else than what was written: a visitor's words, script. */
function checkContent(element, op) {
  const name = element.tagName.toLowerCase().split(":").pop(); // XHTML may have prefixes.
  if (RAW_CONTENT.has(name) || (op === "html" && TEXT_CONTENT.has(name))) {
    throw new Error(`${op} can't be the content of <${name}>`);
  }
}

/** Carries one edit out. A page that is not UTF-8 gets character references, which are right in any character set. */
export function apply(element, edit, isUtf8) {
  const { op, name, value = "" } = edit;
  const encode = isUtf8 ? String : references;
  switch (op) {
    case "text":
      checkContent(element, op);
      element.setInnerContent(encode(escapeText(value)), { html: true });
      break;
    case "html":
      checkContent(element, op);
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
