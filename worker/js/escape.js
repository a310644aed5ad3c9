// Text in HTML.

/** Text as the content of an element. */
export function escapeText(text) {
  return text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");
}

/** Text as the value of an attribute, apart from double quotes, which HTMLRewriter escapes itself. */
export function escapeAttribute(text) {
  return text.replace(/&/g, "&amp;");
}

/**
 * HTML with a character reference for each character that is not printable ASCII. Controls too: in ISO-2022-JP an escape character
 * makes other characters of the markup that follows.
 */
export function references(html) {
  return html.replace(/[^\t\n\f\r\x20-\x7e]/gu, (character) => `&#${character.codePointAt(0)};`);
}

const unitEscape = (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`;

/** A part of HTML with an escape for each character that is not ASCII; `element` is the one whose text it is, where that is code. */
export function escapeIn(element, part) {
  if (element === "script") {
    return part.replace(/[^\0-\x7f]/g, unitEscape);
  }
  return element === "style" ? part.replace(/[^\0-\x7f]/gu, (character) => `\\${character.codePointAt(0).toString(16)} `) : references(part);
}

/** JSON with an escape for each character that is not printable ASCII; see above. */
export function jsonEscapes(json) {
  return json.replace(/[^\t\n\r\x20-\x7e]/g, unitEscape);
}
