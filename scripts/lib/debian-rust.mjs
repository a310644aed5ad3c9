// Rust without rustup: Debian's compiler, and a WebAssembly standard library built once from Debian's sources.
// The library goes to our cache as a sysroot of its own, so that nothing below /usr is written except by apt.
import { existsSync, mkdirSync, readdirSync, copyFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { canInstall, install, known, update } from "./apt.mjs";
import { cacheDir, WASM_TARGET } from "./paths.mjs";
import { must, step, watched, which, withPath } from "./run.mjs";

const RUST = ["rustc-web", "cargo-web", "rust-web-src"];
const LINTS = ["rustfmt-web", "rust-web-clippy"];
const PROGRAMS = ["cargo", "rustc", "rustdoc", "rustfmt", "cargo-fmt", "cargo-clippy", "clippy-driver"];
const LINKERS = ["wasm-ld-22", "wasm-ld-21", "wasm-ld-20", "wasm-ld-19", "wasm-ld"];
export const TARGET_ENV = "CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN";

const rootDir = (env) => join(cacheDir(env), "debian-rust");
const sysroot = (env) => join(rootDir(env), "sysroot");
const libraries = (dir) => join(dir, "lib", "rustlib", WASM_TARGET, "lib");

/** Variables that make cargo use Debian's programs, our library and Debian's linker. */
function environment(env, linker) {
  return {
    ...withPath(env, join(rootDir(env), "bin")),
    [`${TARGET_ENV}_LINKER`]: linker,
    [`${TARGET_ENV}_RUSTFLAGS`]: `--sysroot=${sysroot(env)}`,
  };
}

/** Debian's linker for WebAssembly: its Rust has none of its own. */
export const findLinker = () => LINKERS.map((name) => `/usr/bin/${name}`).find(existsSync);

/** The environment of an earlier set-up, or undefined. A library of an older compiler doesn't count. */
export function readyDebianRust(env) {
  const linker = findLinker();
  if (!linker || !existsSync("/usr/bin/rustc") || !existsSync(libraries(sysroot(env)))) return undefined;
  return existsSync(join(sysroot(env), `rustc-${compilerMark()}`)) ? environment(env, linker) : undefined;
}

/** Changes when apt replaces the compiler: the name of its driver library carries a hash. */
function compilerMark() {
  for (const dir of ["/usr/lib", ...["x86_64", "aarch64"].map((arch) => `/usr/lib/${arch}-linux-gnu`)]) {
    const name = existsSync(dir) && readdirSync(dir).find((file) => /^librustc_driver-[0-9a-f]+\.so$/.test(file));
    if (name) return name.slice("librustc_driver-".length, -".so".length);
  }
  return "unknown";
}

/**
 * Sets Debian's Rust up; undefined where its packages are not to be had.
 * @param {{lints?: boolean}} wanted
 */
export async function debianRust(env, wanted = {}) {
  if (!which("apt-get", env)) return undefined;
  const programs = ["cargo", "rustc", ...(wanted.lints ? ["cargo-fmt", "cargo-clippy"] : [])];
  const complete = findLinker() && programs.every((name) => existsSync(`/usr/bin/${name}`)) && existsSync("/usr/lib/rustlib/src/rust/library");
  if (!complete) {
    if (!(await canInstall(env))) return undefined;
    const names = [...RUST, ...(wanted.lints ? LINTS : [])];
    if ((await known(names, env)).length < names.length) await step("fetching Debian's list of packages", "20 seconds", () => update(env));
    if ((await known(names, env)).length < names.length) return undefined;
    const linker = (await known(["lld-22", "lld-21", "lld-20", "lld-19", "lld"], env))[0] ?? "lld";
    await step(`installing Debian's Rust (${[...names, linker].join(" ")})`, "2 minutes", () => install([...names, linker], env));
  }
  const ready = readyDebianRust(env);
  if (!ready) await step(`building Rust's standard library for ${WASM_TARGET}, once`, "1 minute", () => buildStd(env));
  linkPrograms(env);
  return environment(env, findLinker());
}

/** Debian's programs before any other in PATH, without bringing the rest of /usr/bin forward. */
function linkPrograms(env) {
  const bin = join(rootDir(env), "bin");
  mkdirSync(bin, { recursive: true });
  for (const name of PROGRAMS) {
    if (existsSync(`/usr/bin/${name}`) && !existsSync(join(bin, name))) symlinkSync(`/usr/bin/${name}`, join(bin, name));
  }
}

/** Builds core, alloc and std in an empty crate and keeps their .rlib files. */
async function buildStd(env) {
  const crate = join(rootDir(env), "std");
  rmSync(crate, { recursive: true, force: true });
  mkdirSync(join(crate, "src"), { recursive: true });
  writeFileSync(join(crate, "Cargo.toml"), '[package]\nname = "stdstub"\nversion = "0.0.0"\nedition = "2021"\n[workspace]\n');
  writeFileSync(join(crate, "src", "lib.rs"), "");
  const building = {
    ...withPath(env, "/usr/bin"),
    RUSTC: "/usr/bin/rustc",
    RUSTC_BOOTSTRAP: "1", // lets a stable compiler build its own library
    RUSTFLAGS: "-Cembed-bitcode=yes", // link-time optimisation needs the bitcode
    CARGO_TARGET_DIR: join(crate, "target"),
  };
  // `test` is for wasm-bindgen-test, `proc_macro` because crates with derives name it.
  const parts = "core,alloc,std,panic_abort,proc_macro,test";
  await must(["/usr/bin/cargo", "build", "--release", "--target", WASM_TARGET, `-Zbuild-std=${parts}`], { cwd: crate, env: building, inherit: watched() });
  const built = join(crate, "target", WASM_TARGET, "release", "deps");
  const fresh = `${sysroot(env)}.new`;
  rmSync(fresh, { recursive: true, force: true });
  mkdirSync(libraries(fresh), { recursive: true });
  for (const name of readdirSync(built)) {
    if (name.endsWith(".rlib") && !name.startsWith("libstdstub")) copyFileSync(join(built, name), join(libraries(fresh), name));
  }
  writeFileSync(join(fresh, `rustc-${compilerMark()}`), "");
  rmSync(sysroot(env), { recursive: true, force: true });
  renameSync(fresh, sysroot(env));
  rmSync(crate, { recursive: true, force: true });
}
