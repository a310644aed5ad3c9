// Whose a function is, by its name.

/** The standard library and what it is made of. */
export const STANDARD = "std";
const PARTS_OF_STANDARD = new Set(["core", "alloc", "std", "hashbrown", "compiler_builtins", "dlmalloc", "panic_abort", "std_detect", "rustc_demangle"]);

// Where a path begins: a crate's name, after which some names tell its hash.
const PATHS = /(?<![\w:])([a-z_]\w*)((?:::[\w{}#]+)*)/g;
const HASHES = /\[[0-9a-f]{8,}\]|::h[0-9a-f]{16}$/g;

/** A name as people read it: without hashes. */
export const readable = (name) => name.replace(HASHES, "");

/**
 * The crate and the part of it that a function counts for: the first in its name that is not the standard library's. A function of the
 * standard library that was made for types or closures of a crate is that crate's (`generic`), as without it there would be none.
 * Functions of plain types, such as `<str>::find`, are the standard library's. What has no path was named by hand and is the module's
 * own, except those of compilers and of wasm-bindgen.
 * @param {string | undefined} name
 * @param {string} own the module's crate
 * @returns {{ crate: string, part: string, generic: boolean }}
 */
export function ownerOf(name, own) {
  if (name === undefined) return { crate: "(without a name)", part: "(without a name)", generic: false };
  const paths = [...readable(name).matchAll(PATHS)].filter(([, , rest]) => rest !== "").map(([, crate, rest]) => ({ crate, inside: rest.slice(2).split("::") }));
  if (paths.length === 0) return name.includes("::") ? { crate: STANDARD, part: "core", generic: false } : byHand(name, own);
  const first = paths.find(({ crate }) => !PARTS_OF_STANDARD.has(crate));
  if (!first) return { crate: STANDARD, part: `${paths[0].crate}::${paths[0].inside[0]}`, generic: false };
  const { crate, inside } = first;
  // A crate's own functions and types have no part of their own.
  const part = inside.length > 1 && /^[a-z]\w*$/.test(inside[0]) ? `${crate}::${inside[0]}` : crate;
  return { crate, part, generic: first !== paths[0] };
}

function byHand(name, own) {
  const crate = /^(mem(cpy|move|set|cmp)|bcmp|strlen|__\w+[sdt][if]\d)$/.test(name) ? STANDARD : /^__(wbindgen|wbg|externref)/.test(name) ? "wasm_bindgen" : own;
  return { crate, part: crate === STANDARD ? "compiler_builtins" : crate, generic: false };
}
