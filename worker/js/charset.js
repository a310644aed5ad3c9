// The character set of a page: of what is declared, what browsers take (Encoding Standard, and HTML's "prescan a byte stream").

/** How many bytes of a page may say its character set. */
const PRESCAN = 1024;

/** Labels of the Encoding Standard whose pages browsers show as one replacement character. */
const REPLACEMENT = new Set(["replacement", "csiso2022kr", "hz-gb-2312", "iso-2022-cn", "iso-2022-cn-ext", "iso-2022-kr"]);

/** What HTMLRewriter refuses: bytes that look like ASCII are something else there. */
const REFUSED = new Set(["utf-16le", "utf-16be", "iso-2022-jp", "replacement"]);

/** The encoding that a label names; undefined when it names none. */
function encodingOf(label) {
  const name = label.replace(/^[\t\n\f\r ]+|[\t\n\f\r ]+$/g, "").toLowerCase();
  if (REPLACEMENT.has(name)) {
    return "replacement";
  }
  try {
    return new TextDecoder(name).encoding;
  } catch {
    return undefined;
  }
}

/** The encoding that a `Content-Type` names. */
export function encodingOfType(type) {
  for (const parameter of (type ?? "").split(";").slice(1)) {
    const label = /^\s*charset\s*=\s*(?:"\s*([^"]*)|([^\s"]*))/i.exec(parameter);
    if (label !== null) {
      return encodingOf(label[1] ?? label[2]);
    }
  }
  return undefined;
}

/** Whether HTMLRewriter can find its way in pages of this encoding; in those that do not say theirs it can (`rewrite.js`). */
export function isKnown(encoding) {
  return encoding === undefined || !REFUSED.has(encoding);
}

/** The encoding that the first bytes of a page name before anything is declared: a byte order mark, or UTF-16 without one. */
function encodingOfMark(bytes) {
  const [a, b, c] = bytes;
  if (a === 0xef && b === 0xbb && c === 0xbf) {
    return "utf-8";
  }
  return a === 0xff && b === 0xfe ? "utf-16le" : a === 0xfe && b === 0xff ? "utf-16be" : undefined;
}

/** Whether a type is that of a page. */
export function isHtmlType(type) {
  return /^\s*text\/html\s*(?:;|$)/i.test(type ?? "") || isXmlType(type);
}

/** Whether it is that of a page in XML. */
export function isXmlType(type) {
  return /^\s*application\/xhtml\+xml\s*(?:;|$)/i.test(type ?? "");
}

/**
 * What is known of a page's encoding by its type and its first bytes: `encoding`, undefined when none is declared, and `isSure`, false
 * while more bytes may tell.
 *
 * Only a page whose headers name none has to be looked into. No more of it is waited for than browsers wait for too: 1024 bytes, or
 * less where its head ends. A page that goes on without having told is edited as one that tells nothing.
 */
export function charsetOf(type, bytes) {
  const mark = encodingOfMark(bytes);
  if (mark !== undefined) {
    return { encoding: mark, isSure: true };
  }
  const named = encodingOfType(type);
  // The beginning of a byte order mark, which says more than the headers.
  const mayBeMark = bytes.length < 3 && (bytes.length === 0 || [0xef, 0xfe, 0xff].includes(bytes[0]));
  if (named !== undefined) {
    return { encoding: named, isSure: !mayBeMark };
  }
  const text = String.fromCharCode(...bytes.subarray(0, PRESCAN));
  if (/^(?:<\0|\0<)/.test(text)) {
    return { encoding: text[0] === "<" ? "utf-16le" : "utf-16be", isSure: true };
  }
  const { encoding, isSure } = isXmlType(type) ? xhtml(text) : prescan(text);
  return { encoding, isSure: !mayBeMark && (isSure || bytes.length >= PRESCAN) };
}

/** Encodings that a page can't be in if its declaration was readable. */
function asRead(encoding) {
  return encoding?.startsWith("utf-16") ? "utf-8" : encoding;
}

/** The encoding of the XML declaration that a text begins with; undefined when there is none or it tells nothing. */
function encodingOfDeclaration(text) {
  const all = /^<\?xml[\t\n\r ][^>]*>/.exec(text)?.[0] ?? "";
  const label = /[\t\n\r ]encoding[\t\n\r ]*=[\t\n\r ]*(?:"([^"]*)"|'([^']*)')/.exec(all);
  return label === null ? undefined : asRead(encodingOf(label[1] ?? label[2]));
}

/** XML tells its encoding in its first line or not at all, and is UTF-8 then. */
function xhtml(text) {
  const mayTell = "<?xml ".startsWith(text.slice(0, 6)) || /^<\?xml[\t\n\r ]/.test(text);
  return { encoding: encodingOfDeclaration(text) ?? "utf-8", isSure: !mayTell || text.includes(">") };
}

/** What may stand in a head, where a `meta` may yet come. */
const IN_HEAD = new Set(["html", "head", "meta", "title", "link", "base", "script", "style", "noscript", "template"]);

/** HTML's prescan, over bytes as Latin-1. */
function prescan(text) {
  let isOver = false;
  for (let at = text.indexOf("<"); at >= 0; at = text.indexOf("<", at)) {
    if (text.startsWith("<!--", at)) {
      const end = text.indexOf("-->", at + 2);
      if (end < 0) {
        break;
      }
      at = end + 3;
      continue;
    }
    const [, slash, name] = /^<(\/?)([a-z][^\t\n\f\r >]*)/i.exec(text.slice(at, at + 32)) ?? [];
    if (name === undefined) {
      at += 1;
      if (/[!/?]/.test(text[at] ?? "")) {
        const end = text.indexOf(">", at);
        if (end < 0) {
          break;
        }
        at = end + 1;
      }
      continue;
    }
    const isMeta = /^meta(?:$|\/)/i.test(name) && slash === "";
    const tag = readTag(text, isMeta ? at + 5 : skipName(text, at));
    if (tag === undefined) {
      break;
    }
    const encoding = isMeta ? encodingOfMeta(tag.attributes) : undefined;
    if (encoding !== undefined) {
      return { encoding, isSure: true };
    }
    const plain = name.toLowerCase().split("/")[0];
    isOver ||= slash === "" ? !IN_HEAD.has(plain) : plain === "head";
    at = tag.end;
  }
  return { encoding: encodingOfDeclaration(text), isSure: isOver };
}

function skipName(text, from) {
  const ends = /[\t\n\f\r >]/g;
  ends.lastIndex = from;
  return ends.exec(text)?.index ?? text.length;
}

/** A tag's attributes, the first of each name, and where it ends; undefined when the text ends before. */
function readTag(text, from) {
  const attributes = new Map();
  const ATTRIBUTE = /[\t\n\f\r /]*(?:(>)|([^\t\n\f\r />][^\t\n\f\r />=]*)(?:[\t\n\f\r ]*=[\t\n\f\r ]*(?:"([^"]*)"|'([^']*)'|(?!["'])([^\t\n\f\r >]*)))?)/y;
  ATTRIBUTE.lastIndex = from;
  for (;;) {
    const match = ATTRIBUTE.exec(text);
    // At the end there may be more of the last one. What still has a value has one whose quotes do not end.
    if (match === null || (match[1] === undefined && /^[\t\n\f\r ]*(?:=|$)/.test(text.slice(ATTRIBUTE.lastIndex)))) {
      return undefined;
    }
    const [, end, name, ...values] = match;
    if (end !== undefined) {
      return { attributes, end: ATTRIBUTE.lastIndex };
    }
    const lower = name.toLowerCase();
    if (!attributes.has(lower)) {
      attributes.set(lower, values.find((value) => value !== undefined) ?? "");
    }
  }
}

/** The encoding that a `meta` declares; undefined when it declares none. */
function encodingOfMeta(attributes) {
  let label = attributes.get("charset");
  if (label === undefined && attributes.get("http-equiv")?.toLowerCase() === "content-type") {
    const match = /charset[\t\n\f\r ]*=[\t\n\f\r ]*(?:"([^"]*)"|'([^']*)'|([^\t\n\f\r ;"'][^\t\n\f\r ;]*))/i.exec(attributes.get("content") ?? "");
    label = match?.slice(1).find((value) => value !== undefined);
  }
  const encoding = label === undefined ? undefined : asRead(encodingOf(label));
  return encoding === "x-user-defined" ? "windows-1252" : encoding;
}
