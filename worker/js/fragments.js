// Fragments: HTML of the origin's that goes into a page. They are asked for beside the page. Where one goes, the rewriter leaves a mark,
// and behind the rewriter the fragment's bytes come in the mark's place as they arrive: nothing before it waits, and whatever is in it,
// the rewriter's parser never sees it.

import { charsetOf, encodingOfType, isHtmlType } from "./charset.js";
import { escapeIn } from "./escape.js";
import { log } from "./log.js";
import { Markup } from "./markup.js";
import { ask } from "./origin.js";
import { begin, CHUNK, joined } from "./stream.js";

/** Bytes of one fragment. */
const LONGEST_FRAGMENT = 1 << 20;

/** Milliseconds that a page waits in all for its fragments to answer, and for those to go on that stop. */
export const PATIENCE = 2000;

/** Milliseconds that a page waits in all for the bytes of fragments that arrive. */
const LONGEST_READING = 10_000;

/** Milliseconds that the bytes of each fragment may take in any case: one that has come meanwhile is not to go with one that did not. */
const MOMENT = 200;

/** Fragments asked for at once; the page and what else a request asks need connections too. */
const AT_ONCE = 4;

/** What a mark begins with: seldom in a page, so that not much is looked at. */
const MARK = "\f";
const MARK_BYTE = MARK.charCodeAt(0);

/** Places where the baseline goes when the fragment comes. */
const INSTEAD = new Set(["content", "replace"]);

/** The promise's value, if it comes in so many milliseconds. */
async function inTime(promise, milliseconds) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error("it takes too long")), milliseconds);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Milliseconds that may be spent in all. What is waited for at the same time is spent once. */
class Budget {
  #left;
  /** When nothing is left, while somebody waits. */
  #end = 0;
  #waiting = 0;

  constructor(milliseconds) {
    this.#left = milliseconds;
  }

  get left() {
    return Math.max(this.#waiting > 0 ? this.#end - Date.now() : this.#left, 0);
  }

  spend(milliseconds) {
    this.#left -= milliseconds;
    this.#end -= milliseconds;
  }

  /** The promise's value, if it comes in so many milliseconds: those that are left, unless they are named. */
  async wait(promise, milliseconds = this.left) {
    if (this.#waiting === 0) {
      this.#end = Date.now() + this.left;
    }
    this.#waiting += 1;
    try {
      return await inTime(promise, milliseconds);
    } finally {
      this.#left = this.left;
      this.#waiting -= 1;
    }
  }
}

/** One fragment: `isThere()`, and its bytes, for everyone who wants them. */
class Fragment {
  #visit;
  #url;
  #page;
  #patience;
  /** What is left of the time that it has in any case. */
  #moment = MOMENT;
  #asked;
  #begun;
  #there;
  /** Given up, or over. */
  #isOver = false;
  #reader;
  #first;
  #decoder;
  #markup = new Markup();
  #size = 0;
  #chunks = [];
  #reading;

  constructor(visit, path, page, patience) {
    // What becomes of a fragment, and how long it takes, is not what becomes of the page.
    this.#visit = { ...visit, times: {} };
    this.#url = new URL(visit.url);
    const [pathname, ...search] = path.split("#", 1)[0].split("?");
    // Assigned, not parsed: what looks like a host here is part of the path.
    this.#url.pathname = pathname;
    this.#url.search = search.join("?");
    this.#page = page;
    this.#patience = patience;
  }

  /** Asks the origin for it; resolves when it has answered. */
  ask() {
    this.#begun ??= this.#ask();
    return this.#begun;
  }

  get isKnown() {
    return this.#there !== undefined;
  }

  async #ask() {
    try {
      this.#asked = ask(this.#visit, this.#url, true);
      const response = await this.#asked.answer;
      const why = this.#isOver ? "nobody waits for it" : refusal(response);
      if (why !== undefined) {
        throw new Error(why);
      }
      this.#there ??= response;
    } catch (error) {
      this.#leaveOut(error);
    }
  }

  #leaveOut(error) {
    if (!this.#isOver) {
      log("error", "fragment_left_out", "a fragment is left out", { error, site: this.#visit.site.id });
    }
    this.#there ??= false;
    this.drop();
  }

  /** Whether there is anything to put in; waits for that as long as the page still may. */
  async isThere() {
    if (this.#there === undefined) {
      await this.#patience.answers.wait(this.ask()).catch((error) => this.#leaveOut(error));
    }
    return this.#there !== false;
  }

  /** The bytes number `at` of it; undefined behind the last. */
  async chunk(at) {
    while (at >= this.#chunks.length && !this.#isOver) {
      this.#reading ??= this.#read().finally(() => (this.#reading = undefined));
      await this.#reading;
    }
    return this.#chunks[at];
  }

  async #read() {
    try {
      const bytes = await this.#next();
      this.#size += bytes?.length ?? 0;
      if (this.#size > LONGEST_FRAGMENT) {
        throw new Error("it is too long");
      }
      const isLast = !bytes?.length;
      this.#put(this.#markup.push(this.#decoder.decode(bytes ?? new Uint8Array(0), { stream: !isLast })));
      if (isLast) {
        if (this.#markup.isCut) {
          log("error", "fragment_cut", "the end of a fragment is left out: its last tag, comment or script does not end", { site: this.#visit.site.id });
        }
        this.drop();
      }
    } catch (error) {
      // The page goes on behind what came; it is not to become a part of what did not end.
      log("error", "fragment_broke_off", "a fragment broke off", { error, site: this.#visit.site.id });
      this.#put([[this.#markup.closing(this.#page.isXml)]]);
      this.drop();
    }
  }

  /** Its next bytes. Those that come in time take from the time for bodies alone; a fragment that stops takes from all patience. */
  async #next() {
    const { answers, bodies } = this.#patience;
    const since = Date.now();
    const limit = Math.max(Math.min(answers.left, bodies.left), this.#moment);
    try {
      const bytes = this.#reader === undefined ? this.#start() : this.#reader.read(new Uint8Array(CHUNK)).then(({ value }) => value);
      return await bodies.wait(bytes, limit);
    } catch (error) {
      answers.spend(Date.now() - since);
      throw error;
    } finally {
      this.#moment = Math.max(this.#moment - (Date.now() - since), 0);
    }
  }

  /** Its first bytes, which may say in which character set it is; the page's, if nothing does. */
  async #start() {
    const type = this.#there.headers.get("content-type");
    const { reader, first } = await begin(this.#there.body, undefined, (bytes) => charsetOf(type, bytes).isSure);
    this.#reader = reader;
    const { encoding = this.#page.encoding ?? "windows-1252" } = charsetOf(type, first);
    this.#decoder = new TextDecoder(encoding);
    return first;
  }

  #put(parts) {
    const text = parts.map(([part, element]) => (this.#page.isUtf8 ? part : escapeIn(element, part))).join("");
    if (text !== "") {
      this.#chunks.push(new TextEncoder().encode(text));
    }
  }

  /** Nobody needs it any more. */
  drop() {
    this.#isOver = true;
    this.#there ??= false;
    this.#reader?.cancel().catch(() => {});
    this.#asked?.drop();
  }
}

/** Why an answer is no fragment; undefined when it is one. */
function refusal({ status, headers, body }) {
  const type = headers.get("content-type");
  const coding = (headers.get("content-encoding") ?? "").trim().toLowerCase();
  if (status !== 200 || body === null) {
    return `its status is ${status}`;
  }
  if (!isHtmlType(type) || encodingOfType(type) === "replacement" || !["", "identity", "gzip", "br"].includes(coding)) {
    return "it is no HTML that can be read here";
  }
  return coding !== "gzip" && coding !== "br" && Number(headers.get("content-length")) > LONGEST_FRAGMENT ? "it is too long" : undefined;
}

/** Words that are in every tag that a selector can find, as far as that is easily told; `<` where nothing is. */
function wordsOf(selector) {
  return selector.split(",").map((part) => {
    const plain = part.replace(/\([^)]*\)/g, "").replace(/:[\w-]+/g, "").trim().toLowerCase();
    const tag = /(?:^|[\s>+~])([a-z][\w-]*)$/.exec(plain)?.[1];
    return tag === undefined ? (plain.match(/[\w-]+/g)?.at(-1) ?? "<") : `<${tag}`;
  });
}

/** The fragments of a page's plan, each asked once. */
export class Fragments {
  /** What is known of the page they go into, when it has come: `encoding`, undefined when it declares none, `isUtf8` and `isXml`. */
  page = {};
  #visit;
  #edits;
  /** Whether the visitor may be led elsewhere instead. */
  #mayLeave;
  #byPath = new Map();
  /** What the page waits in all, for whichever fragment. */
  #patience = { answers: new Budget(PATIENCE), bodies: new Budget(LONGEST_READING) };
  #marked = [];
  /**
   * What stands for a fragment between the rewriter and here: not to be guessed, the same in every character set, and, as a form feed is
   * white space, nothing that is written as a character reference.
   */
  #mark = `${MARK}${crypto.randomUUID()}`;
  #markBytes = new TextEncoder().encode(this.#mark);

  constructor(visit, plan) {
    this.#visit = visit;
    const edits = plan?.edits ?? [];
    this.#edits = edits.filter(({ op, selector, value }) => op === "fragment" && selector && value?.startsWith("/"));
    this.#mayLeave = edits.some(({ op }) => op === "redirect");
  }

  get isEmpty() {
    return this.#edits.length === 0;
  }

  /** Asks for all of them, unless the visitor may be led elsewhere: then each is asked for where it is needed. */
  async start() {
    const paths = this.#mayLeave ? [] : new Set(this.#edits.map(({ value }) => value));
    const waiting = [...paths].map((path) => this.#of(path));
    const next = async () => {
      for (let one = waiting.shift(); one !== undefined; one = waiting.shift()) {
        await one.ask();
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, next));
  }

  #of(path) {
    const known = this.#byPath.get(path) ?? new Fragment(this.#visit, path, this.page, this.#patience);
    this.#byPath.set(path, known);
    return known;
  }

  /** The edit that puts in the mark for a fragment; undefined when the baseline stays. Where none has to go, nothing has to be waited for. */
  async edit(edit) {
    const { name: place, value } = edit;
    if (!value?.startsWith("/")) {
      return undefined;
    }
    const fragment = this.#of(value);
    if (INSTEAD.has(place) && !(await fragment.isThere())) {
      return undefined;
    }
    const number = this.#marked.push(fragment) - 1;
    return { ...edit, op: place === "content" ? "html" : place, value: this.#mark + String(number).padStart(6, "0") };
  }

  /**
   * Bytes of the page in pieces that the rewriter is to be given one by one: what is before a tag in the same piece would wait with it
   * for a fragment.
   */
  pieces(bytes) {
    const waiting = this.#edits.filter(({ name, value }) => INSTEAD.has(name) && !this.#of(value).isKnown);
    if (waiting.length === 0) {
      return [bytes];
    }
    const text = new TextDecoder("latin1").decode(bytes).toLowerCase();
    const cuts = new Set();
    for (const word of new Set(waiting.flatMap(({ selector }) => wordsOf(selector)))) {
      for (let at = text.indexOf(word); at >= 0; at = text.indexOf(word, at + 1)) {
        cuts.add(text.lastIndexOf("<", at));
      }
    }
    const sorted = [0, ...[...cuts].filter((at) => at > 0).sort((a, b) => a - b), bytes.length];
    return sorted.slice(1).map((end, at) => bytes.subarray(sorted[at], end));
  }

  /** Gives on what the rewriter made, with the fragments in the place of their marks. */
  async copy(reader, { writable }) {
    const writer = writable.getWriter();
    const length = this.#markBytes.length + 6;
    let held = new Uint8Array(0);
    let buffer = new ArrayBuffer(CHUNK);
    for (;;) {
      const { done, value } = await reader.read(new Uint8Array(buffer));
      if (done) {
        break;
      }
      buffer = value.buffer;
      const bytes = held.length === 0 ? value : joined(held, value);
      let at = 0;
      let end = bytes.indexOf(MARK_BYTE);
      for (; end >= 0; end = bytes.indexOf(MARK_BYTE, end)) {
        if (!this.#isMark(bytes.subarray(end))) {
          end += 1;
          continue;
        }
        if (end > at) {
          await writer.write(bytes.subarray(at, end));
        }
        at = end;
        if (end + length > bytes.length) {
          break;
        }
        await this.#write(writer, this.#marked[Number(new TextDecoder().decode(bytes.subarray(end + length - 6, end + length)))]);
        at = end += length;
      }
      const rest = end >= 0 ? at : bytes.length;
      if (rest > at) {
        await writer.write(bytes.subarray(at, rest));
      }
      held = bytes.slice(rest);
    }
    if (held.length > 0) {
      await writer.write(held);
    }
    writer.releaseLock();
  }

  /** Whether bytes begin as a mark does, as far as they go. */
  #isMark(bytes) {
    return this.#markBytes.every((byte, at) => at >= bytes.length || bytes[at] === byte);
  }

  async #write(writer, fragment) {
    if (fragment === undefined || !(await fragment.isThere())) {
      return;
    }
    let chunk;
    for (let at = 0; (chunk = await fragment.chunk(at)) !== undefined; at += 1) {
      await writer.write(chunk);
    }
  }

  /** Nobody needs any of them any more. */
  drop() {
    for (const fragment of this.#byPath.values()) {
      fragment.drop();
    }
  }
}
