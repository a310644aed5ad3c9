// What HTMLRewriter can't take. It gives up in the middle of a page, after the headers went out, at a tag whose content
// might be text or might be markup (it can't know without the tree, see `isAmbiguous`), and when a tag or the nesting
// needs more memory than it has. This reads a page as it does and finds the place where what follows has to go past it.
//
// It follows the tokenizer and the tree builder simulation of lol_html as workerd has it, quirks included: what matters is
// not what HTML says but where that parser stops. A test compares the two on thousands of odd pages. Bytes are looked at one by one inside tags only.

/** Bytes of one tag that the rewriter may have to keep; it fails above some 4 MB. */
export const LONGEST_TAG = 1 << 20;

/** Elements open at once; it fails above some 11,000, and leaves elements open that a browser closes by itself. */
export const DEEPEST = 5000;

/** A tag's name as a number, so that none has to be made into a string; of 30 bits, for which V8 allocates nothing. */
const add = (hash, byte) => (Math.imul(hash, 31) + (byte | 0x20)) & 0x3fffffff;
const hashOf = (name) => [...name].reduce((hash, character) => add(hash, character.charCodeAt(0)), 0);
const setOf = (names) => new Set(names.split(" ").map(hashOf));

const [SELECT, FRAMESET, TEMPLATE, SCRIPT, NOFRAMES, PLAINTEXT, SVG, MATH, FONT, ANNOTATION] =
  "select frameset template script noframes plaintext svg math font annotation-xml".split(" ").map(hashOf);
/** Elements whose content is text. */
const RAW_NAMES = "textarea title plaintext script style iframe xmp noembed noframes noscript".split(" ");
const RAW = new Set(RAW_NAMES.map(hashOf));
const ENDS_SELECT = setOf("select textarea input keygen");
const VOID = setOf("area base basefont bgsound br col embed hr img input keygen link meta param source track wbr");
const LEAVES_FOREIGN = setOf(
  "b big blockquote body br center code dd div dl dt em embed h1 h2 h3 h4 h5 h6 head hr i img li listing menu meta nobr ol p " +
    "pre ruby s small span strong strike sub sup table tt u ul var",
);
const ENDS_FOREIGN = setOf("p br");
/** Elements of SVG and MathML with HTML in them. */
const HTML_IN = new Map([
  [SVG, setOf("desc title foreignobject")],
  [MATH, setOf("mi mo mn ms mtext")],
]);

/** What a name is known for, as bits; most are known for nothing. */
const [IS_RAW, IS_VOID, IS_SPECIAL] = [1, 2, 4];
const KINDS = new Map();
for (const [names, kind] of [[RAW, IS_RAW], [VOID, IS_VOID], [[SELECT, FRAMESET, SVG, MATH], IS_SPECIAL]]) {
  for (const name of names) KINDS.set(name, kind | (KINDS.get(name) ?? 0));
}

// Where the tokenizer is. Below BOGUS: outside of markup, inside of it from there on.
const [TEXT, OPEN, END_OPEN, NAME, BEFORE, SELF, ATTRIBUTE, AFTER, VALUE, DOUBLE, SINGLE, UNQUOTED] = Array.from({ length: 12 }, (_, at) => at);
const [BOGUS, DECLARATION, DASH, CDATA_OPEN, CDATA, COMMENT_START, COMMENT_DASH, COMMENT, COMMENT_BANG] = Array.from({ length: 9 }, (_, at) => 20 + at);
const [RAW_TEXT, RAW_OPEN, RAW_END, RAW_NAME, PLAIN, ESCAPE, ESCAPED, ESCAPED_OPEN, WORD, WORD_END] = Array.from({ length: 10 }, (_, at) => 40 + at);

const isSpace = (byte) => byte === 0x20 || byte === 0x0a || byte === 0x09 || byte === 0x0d || byte === 0x0c;
const isLetter = (byte) => (byte | 0x20) >= 0x61 && (byte | 0x20) <= 0x7a;
const endsName = (byte) => byte === 0x3e || byte === 0x2f || isSpace(byte);
/** 1 for the bytes that end a name. */
const ENDS_NAME = Uint8Array.from({ length: 256 }, (_, byte) => Number(endsName(byte)));
const bytesOf = (text) => [...text].map((character) => character.charCodeAt(0));

const WORD_SCRIPT = bytesOf("script");
const WORD_CDATA = bytesOf("[CDATA[");

/** The attribute of the tags with which the rest of a page begins. */
export const MARK = "idoine-rest";

/** Reads a page chunk by chunk. With `stopsAtFrames` its part ends before a frameset, behind which nothing makes the rewriter pass the rest on. */
export class Guard {
  #stopsAtFrames;
  #state = TEXT;
  /** Bytes of the chunks before this one. */
  #base = 0;
  /** Where the `<` is whose tag has not ended, -1 outside of tags. */
  #start = -1;
  #isEnd = false;
  #name = 0;
  #kind = 0;
  /** Whether the tag is one that has no effect but on what is open, or on whether text follows; most are. */
  #isUsual = false;
  /** The element whose text is being read. */
  #raw = 0;
  /** In a script: 1 inside `<!--`, 2 inside a `<script>` in there. */
  #escaped = 0;
  #dashes = 0;
  #matched = 0;
  #spaces = [0];
  /** Attributes of the tag, for the two elements where they matter; and where they begin in this chunk. */
  #attributes = "";
  #attributesAt = -1;
  #open = [];
  /** 0 elsewhere, 1 in a select, 2 and above in templates in a select, -1 in or after a frameset. */
  #place = 0;

  /** What was so where the tag in question begins: the element whose text it is in, `#place`, and whether it is in SVG or MathML. */
  #before = { raw: 0, place: 0, isForeign: false };

  constructor({ stopsAtFrames = false } = {}) {
    this.#stopsAtFrames = stopsAtFrames;
  }

  /**
   * Reads a chunk. `from` is the first byte that must not reach the rewriter yet, counted from the chunk's beginning
   * (below zero: in an earlier chunk); with `stop` it must never, nor must any byte after it.
   */
  scan(chunk) {
    const stop = this.#read(chunk);
    if (this.#attributesAt >= 0) {
      this.#attributes += latin1(chunk.subarray(this.#attributesAt));
      this.#attributesAt = 0;
    }
    const from = this.#start < 0 ? chunk.length : this.#start - this.#base;
    this.#base += chunk.length;
    return { from, stop: stop || (this.#start >= 0 && this.#base - this.#start > LONGEST_TAG) };
  }

  /**
   * Behind a stop: markup after which the rewriter takes all that comes for text, whatever it is, and hands it on byte by byte as it
   * is. First a tag by which it can be known that this is no markup of the page any more; then out of a text, out of templates in a
   * select, out of the select, out of SVG; then `plaintext`, which has no end.
   */
  rest() {
    const { raw, place, isForeign } = this.#before;
    const marked = (name) => `<${name} ${MARK}>`;
    const text = raw === 0 ? "" : `</${RAW_NAMES.find((name) => hashOf(name) === raw)}>`;
    return text + marked("keygen") + "</template>".repeat(Math.max(place - 1, 0)) + (place > 0 ? marked("keygen") : "") + (isForeign ? marked("listing") : "") + marked("plaintext");
  }

  #read(chunk) {
    const end = chunk.length;
    let at = 0;
    /** Goes on behind the next such byte, if there is one. */
    const skipTo = (byte, state) => {
      const found = chunk.indexOf(byte, at);
      if (found < 0) {
        at = end;
        return false;
      }
      at = found + 1;
      this.#state = state;
      return true;
    };
    while (at < end) {
      const byte = chunk[at];
      switch (this.#state) {
        case TEXT:
          at = this.#usualTags(chunk, at);
          if (skipTo(0x3c, OPEN)) this.#start = this.#base + at - 1;
          break;
        case OPEN:
          if (isLetter(byte)) {
            this.#begin(false, NAME);
          } else if (byte === 0x2f) {
            this.#state = END_OPEN;
            at += 1;
          } else {
            // The rewriter keeps no comment back, so it may be of any length.
            this.#start = -1;
            this.#state = byte === 0x21 ? DECLARATION : byte === 0x3f ? BOGUS : TEXT;
            if (this.#state !== TEXT) at += 1;
          }
          break;
        case END_OPEN:
          if (isLetter(byte)) {
            this.#begin(true, NAME);
          } else {
            this.#state = BOGUS;
          }
          break;
        case NAME: {
          let name = this.#name;
          while (at < end && !endsName(chunk[at])) {
            name = add(name, chunk[at]);
            at += 1;
          }
          this.#name = name;
          if (at < end) {
            if (this.#nameEnds()) return true;
            if (!this.#isUsual && this.#wantsAttributes()) this.#attributesAt = at;
            this.#state = BEFORE;
          }
          break;
        }
        case BEFORE:
        case ATTRIBUTE:
        case AFTER:
          at += 1;
          if (byte === 0x3e) {
            if (this.#tagEnds(chunk, at, false)) return true;
          } else if (byte === 0x2f) {
            this.#state = SELF;
          } else if (isSpace(byte)) {
            if (this.#state === ATTRIBUTE) this.#state = AFTER;
          } else if (byte === 0x3d && this.#state !== BEFORE) {
            this.#state = VALUE;
          } else {
            this.#state = ATTRIBUTE;
            while (at < end && isLetter(chunk[at])) at += 1;
          }
          break;
        case SELF:
          if (byte === 0x3e) {
            at += 1;
            if (this.#tagEnds(chunk, at, true)) return true;
          } else {
            this.#state = BEFORE;
          }
          break;
        case VALUE:
          if (byte === 0x3e) {
            at += 1;
            // lol_html does not take `<style x=>` for the beginning of text, and gives up at some tag behind it.
            if (this.#startsText() || this.#tagEnds(chunk, at, false)) return true;
          } else if (isSpace(byte)) {
            at += 1;
          } else if (byte === 0x22 || byte === 0x27) {
            this.#state = byte === 0x22 ? DOUBLE : SINGLE;
            at += 1;
          } else {
            this.#state = UNQUOTED;
          }
          break;
        case DOUBLE:
          skipTo(0x22, BEFORE);
          break;
        case SINGLE:
          skipTo(0x27, BEFORE);
          break;
        case UNQUOTED:
          at += 1;
          if (byte === 0x3e) {
            if (this.#tagEnds(chunk, at, false)) return true;
          } else if (isSpace(byte)) {
            this.#state = BEFORE;
          }
          break;
        case BOGUS:
          if (skipTo(0x3e, TEXT)) {
            if (this.#isTooLong(at)) return true;
            this.#start = -1;
          }
          break;
        case DECLARATION:
          if (byte === 0x2d) {
            this.#state = DASH;
            at += 1;
          } else {
            this.#matched = 0;
            this.#state = byte === 0x5b && this.#spaces.at(-1) !== 0 ? CDATA_OPEN : BOGUS;
          }
          break;
        case DASH:
          this.#state = byte === 0x2d ? COMMENT_START : BOGUS;
          if (byte === 0x2d) at += 1;
          break;
        case CDATA_OPEN:
          if (byte !== WORD_CDATA[this.#matched]) {
            this.#state = BOGUS;
            break;
          }
          at += 1;
          this.#matched += 1;
          if (this.#matched === WORD_CDATA.length) {
            this.#state = CDATA;
            this.#dashes = 0;
          }
          break;
        case CDATA: // `]]>` ends it; its brackets are counted as a comment's dashes are.
          at += 1;
          if (byte === 0x3e && this.#dashes >= 2) this.#state = TEXT;
          this.#dashes = byte === 0x5d ? this.#dashes + 1 : 0;
          break;
        case COMMENT_START:
        case COMMENT_DASH:
          if (byte === 0x3e) {
            this.#state = TEXT;
            at += 1;
          } else if (byte === 0x2d) {
            this.#dashes = 2;
            this.#state = this.#state === COMMENT_START ? COMMENT_DASH : COMMENT;
            at += 1;
          } else {
            this.#dashes = 0;
            this.#state = COMMENT;
          }
          break;
        case COMMENT:
          if (this.#dashes === 0) {
            if (skipTo(0x2d, COMMENT)) this.#dashes = 1;
            break;
          }
          at += 1;
          if (byte === 0x2d) {
            this.#dashes += 1;
          } else {
            if (this.#dashes >= 2) this.#state = byte === 0x3e ? TEXT : byte === 0x21 ? COMMENT_BANG : COMMENT;
            this.#dashes = 0;
          }
          break;
        case COMMENT_BANG:
          this.#state = byte === 0x3e ? TEXT : COMMENT;
          if (byte === 0x3e) at += 1;
          break;
        case RAW_TEXT:
          if (skipTo(0x3c, RAW_OPEN)) this.#start = this.#base + at - 1;
          break;
        case RAW_OPEN:
          if (byte === 0x2f) {
            this.#state = RAW_END;
            at += 1;
          } else if (byte === 0x21 && this.#raw === SCRIPT && this.#escaped === 0) {
            this.#start = -1;
            this.#dashes = 0;
            this.#state = ESCAPE;
            at += 1;
          } else if (this.#escaped === 1) {
            this.#matched = 0;
            this.#state = WORD;
          } else {
            this.#back();
          }
          break;
        case RAW_END:
          if (isLetter(byte)) {
            this.#begin(true, RAW_NAME);
          } else {
            this.#back();
          }
          break;
        case RAW_NAME:
          if (isLetter(byte)) {
            this.#name = add(this.#name, byte);
            at += 1;
          } else if (endsName(byte) && this.#name === this.#raw) {
            this.#nameEnds();
            this.#state = BEFORE;
          } else {
            this.#back();
          }
          break;
        case ESCAPE:
          if (byte !== 0x2d) {
            this.#back();
            break;
          }
          at += 1;
          this.#dashes += 1;
          if (this.#dashes === 2) {
            this.#escaped = 1;
            this.#state = ESCAPED;
          }
          break;
        case ESCAPED:
          at += 1;
          if (byte === 0x2d) {
            this.#dashes += 1;
            break;
          }
          if (byte === 0x3e && this.#dashes >= 2) {
            this.#escaped = 0;
            this.#state = RAW_TEXT;
          } else if (byte === 0x3c && this.#escaped === 2) {
            this.#state = ESCAPED_OPEN;
          } else if (byte === 0x3c) {
            this.#start = this.#base + at - 1;
            this.#state = RAW_OPEN;
          }
          this.#dashes = 0;
          break;
        case ESCAPED_OPEN:
          if (byte === 0x2f) {
            this.#matched = 0;
            this.#state = WORD;
            at += 1;
          } else {
            this.#back();
          }
          break;
        case WORD:
          if ((byte | 0x20) !== WORD_SCRIPT[this.#matched]) {
            this.#back();
            break;
          }
          at += 1;
          this.#matched += 1;
          if (this.#matched === WORD_SCRIPT.length) {
            this.#start = -1;
            this.#state = WORD_END;
          }
          break;
        case WORD_END:
          if (endsName(byte)) {
            this.#escaped = 3 - this.#escaped;
            at += 1;
          }
          this.#back();
          break;
        default: // PLAIN: nothing ends it.
          at = end;
      }
    }
    return false;
  }

  /**
   * Reads on, outside of markup, as long as tags are whole in this chunk, are written as most are, and change nothing but what is open.
   * Returns where to go on with all care. Most of a page is read here, in half the time.
   */
  #usualTags(chunk, from) {
    if (this.#place !== 0 || this.#spaces.length !== 1) return from;
    const open = this.#open;
    const end = chunk.length;
    for (let start = from; ; ) {
      while (start < end && chunk[start] !== 0x3c) start += 1;
      let at = start + 1;
      if (at >= end) return start;
      let byte = chunk[at];
      const isEnd = byte === 0x2f;
      if (isEnd) {
        at += 1;
        if (at >= end) return start;
        byte = chunk[at];
      }
      if (!isLetter(byte)) return start;
      let name = 0;
      while (ENDS_NAME[byte] === 0) {
        name = add(name, byte);
        at += 1;
        if (at >= end) return start;
        byte = chunk[at];
      }
      const kind = KINDS.get(name) ?? 0;
      if ((kind & (IS_RAW | IS_SPECIAL)) !== 0) return start;
      /** Whether an attribute's name is right before. */
      let isNamed = false;
      while (byte !== 0x3e) {
        at += 1;
        if (at >= end) return start;
        const next = chunk[at];
        if (byte !== 0x3d) {
          if (byte === 0x22 || byte === 0x27) return start;
          isNamed = ENDS_NAME[byte] === 0;
        } else {
          if (!isNamed || next === 0x3e || isSpace(next)) return start;
          if (next === 0x22 || next === 0x27) {
            at += 1;
            while (at < end && chunk[at] !== next) at += 1;
            at += 1;
          } else {
            while (at < end && chunk[at] !== 0x3e && !isSpace(chunk[at])) at += 1;
          }
          if (at >= end) return start;
          isNamed = false;
        }
        byte = chunk[at];
      }
      at += 1;
      if (at - start > LONGEST_TAG || (open.length >= DEEPEST && !isEnd)) return start;
      if (isEnd) {
        const opened = open[open.length - 1] === name ? open.length - 1 : open.lastIndexOf(name);
        if (opened >= 0) open.length = opened;
      } else if ((kind & IS_VOID) === 0) {
        open.push(name);
      }
      start = at;
    }
  }

  #begin(isEnd, state) {
    this.#before.raw = state === RAW_NAME ? this.#raw : 0;
    this.#before.place = this.#place;
    this.#before.isForeign = this.#spaces.length > 1 && this.#spaces.at(-1) !== 0;
    this.#isEnd = isEnd;
    this.#name = 0;
    this.#state = state;
  }

  /** What looked like an end tag in text was none. */
  #back() {
    this.#start = -1;
    this.#state = this.#escaped === 0 ? RAW_TEXT : ESCAPED;
  }

  #isTooLong(at) {
    return this.#start >= 0 && this.#base + at - this.#start > LONGEST_TAG;
  }

  /** What a tag's name alone changes; true when the rewriter must not see the tag. */
  #nameEnds() {
    const name = this.#name;
    this.#kind = KINDS.get(name) ?? 0;
    this.#isUsual = this.#place === 0 && this.#spaces.length === 1 && (this.#kind & IS_SPECIAL) === 0;
    if (this.#isUsual) return false;
    if (!this.#isEnd) {
      if (this.#isAmbiguous(name)) return true;
      if (this.#spaces.at(-1) !== 0 && LEAVES_FOREIGN.has(name)) {
        this.#spaces.length = 1;
      }
      return false;
    }
    if (this.#place === 1 && name === SELECT) {
      this.#place = 0;
    } else if (this.#place > 1 && name === TEMPLATE) {
      this.#place -= 1;
    }
    const space = this.#spaces.at(-1);
    const outer = this.#spaces.at(-2);
    if (space === 0 ? HTML_IN.get(outer)?.has(name) || (outer === MATH && name === ANNOTATION) : name === space) {
      this.#spaces.pop();
    } else if (space !== 0 && ENDS_FOREIGN.has(name)) {
      this.#spaces.length = 1;
    }
    return false;
  }

  /**
   * Follows a start tag through the places where a browser ignores some tags. Whether an element with text in it is
   * opened there, and so what all that follows means, depends on more than a stream can know.
   */
  #isAmbiguous(name) {
    if (this.#place === 0) {
      this.#place = name === SELECT ? 1 : name === FRAMESET ? -1 : 0;
      return this.#place === -1 && this.#stopsAtFrames;
    }
    if (this.#place === -1) {
      return name !== NOFRAMES && RAW.has(name);
    }
    if (name === TEMPLATE) {
      this.#place += 1;
      return false;
    }
    if (this.#place === 1 && ENDS_SELECT.has(name)) {
      this.#place = 0;
      return false;
    }
    return RAW.has(name) && !(this.#place === 1 && name === SCRIPT);
  }

  #startsText() {
    return !this.#isEnd && this.#spaces.at(-1) === 0 && RAW.has(this.#name);
  }

  #beginText(name) {
    this.#raw = name;
    this.#escaped = 0;
    this.#state = name === PLAINTEXT ? PLAIN : RAW_TEXT;
  }

  #wantsAttributes() {
    const space = this.#spaces.at(-1);
    return !this.#isEnd && ((space !== 0 && this.#name === FONT) || (space === MATH && this.#name === ANNOTATION));
  }

  /** A tag is complete; true when it is too much for the rewriter. `at` is behind its `>`. */
  #tagEnds(chunk, at, isSelfClosing) {
    if (this.#isTooLong(at)) return true;
    const name = this.#name;
    const open = this.#open;
    this.#state = TEXT;
    if (this.#isEnd) {
      const opened = open[open.length - 1] === name ? open.length - 1 : open.lastIndexOf(name);
      if (opened >= 0) open.length = opened;
    } else if (this.#isUsual) {
      if ((this.#kind & IS_VOID) === 0) {
        if (open.length >= DEEPEST) return true;
        open.push(name);
      }
      if ((this.#kind & IS_RAW) !== 0) this.#beginText(name);
      this.#start = -1;
      return false;
    } else {
      if ((name === SVG || name === MATH) && !isSelfClosing) {
        this.#spaces.push(name);
      }
      const space = this.#spaces.at(-1);
      if (!VOID.has(name) && !(isSelfClosing && space !== 0)) {
        if (open.length >= DEEPEST) return true;
        open.push(name);
      }
      if (this.#startsText()) {
        this.#beginText(name);
      } else if (this.#attributesAt >= 0) {
        const attributes = this.#attributes + latin1(chunk.subarray(this.#attributesAt, at));
        if (name === FONT && /[\s/"'](?:color|size|face)[\s/=>]/i.test(attributes)) {
          this.#spaces.length = 1;
        } else if (name === ANNOTATION && !isSelfClosing && /[\s/"']encoding\s*=\s*["']?(?:text\/html|application\/xhtml\+xml)["'\s>]/i.test(attributes)) {
          this.#spaces.push(0);
        }
      } else if (!isSelfClosing && HTML_IN.get(space)?.has(name)) {
        this.#spaces.push(0);
      }
    }
    this.#attributes = "";
    this.#attributesAt = -1;
    this.#start = -1;
    return false;
  }
}

/** Bytes as text, one character each; enough for names that are ASCII. */
function latin1(bytes) {
  let text = "";
  for (let at = 0; at < bytes.length; at += 8192) {
    text += String.fromCharCode(...bytes.subarray(at, at + 8192));
  }
  return text;
}
