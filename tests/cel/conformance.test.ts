// CEL's own test data through the author's Wasm: what falls in our subset gives what CEL says, and what does not is listed.
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { loadAuthor } from "../spec-wasm/files.ts";
import { kept, listOutside, text } from "./list.ts";
import { evaluate, expected, problem } from "./run.ts";
import { CASES, sectionOf } from "./suites.ts";
import { code, outside } from "./subset.ts";
import { canonical } from "./values.ts";

const author = await loadAuthor();

const passed = new Map<string, number>();
const sections = [...new Set(CASES.map(sectionOf))];

for (const section of sections) {
  const cases = CASES.filter((one) => sectionOf(one) === section && outside(one) === undefined);
  if (cases.length === 0) continue;
  test(section, async (context) => {
    for (const one of cases) {
      await context.test(one.id.slice(section.length + 1), () => {
        const wrong = problem(evaluate(author, one), expected(one));
        assert.equal(wrong, undefined, `${one.expr}\n${wrong}`);
        passed.set(section, (passed.get(section) ?? 0) + 1);
      });
    }
  });
}

test("every case runs or is listed with its reason", () => {
  assert.equal(new Set(CASES.map((one) => one.id)).size, CASES.length);
  assert.equal(kept(), text(listOutside()), "run: node tests/cel/list.ts");
  assert.ok(CASES.length - CASES.filter(outside).length >= 1100, "fewer cases run than before");
});

test("nothing is listed that passes all the same", () => {
  const stale = CASES.filter((one) => {
    const why = outside(one);
    const wanted = expected(one);
    // That an error comes says nothing: it may be that what is outside is refused.
    if (!why || !wanted.value) return false;
    try {
      return problem(evaluate(author, one), { value: wanted.value }) === undefined;
    } catch {
      return false;
    }
  });
  assert.deepEqual(stale.map((one) => `${one.id} (${outside(one)}): ${one.expr}`), []);
});

test("a wrong value, type, or missing error is found", () => {
  assert.match(problem({ value: { int: "1" }, type: "int" }, { value: { int: "2" } }) ?? "", /got .* expected/);
  assert.match(problem({ value: { int: "1" }, type: "int" }, { value: { uint: "1" } }) ?? "", /got .* expected/);
  assert.match(problem({ value: { int: "1" }, type: "int" }, { value: { int: "1" }, type: "uint" }) ?? "", /type is int/);
  assert.match(problem({ value: { list: [] }, type: "list(dyn)" }, { value: { list: [] }, type: "list(int)" }) ?? "", /type is list\(dyn\)/);
  assert.equal(problem({ value: { list: [] }, type: "list(dyn)" }, { value: { list: [] }, type: "list(int)", isEmpty: true }), undefined);
  assert.match(problem({ value: { int: "1" }, type: "int" }, { error: true }) ?? "", /expected an error/);
  assert.match(problem({ unknown: true, type: "int" }, { error: true }) ?? "", /expected an error/);
  assert.equal(canonical({ duration: "1h30m" }), canonical({ duration: "5400s" }));
  assert.equal(canonical({ duration: "-1.5s" }), canonical({ duration: "-1s500ms" }));
  assert.equal(canonical({ timestamp: "2026-01-01T00:00:00.120Z" }), canonical({ timestamp: "2026-01-01T00:00:00.12Z" }));
  assert.notEqual(canonical({ double: 0 }), canonical({ double: -0 }));
  assert.equal(canonical({ map: [[{ int: "1" }, { bool: true }], [{ int: "2" }, { bool: false }]] }), canonical({ map: [[{ int: "2" }, { bool: false }], [{ int: "1" }, { bool: true }]] })); // prettier-ignore
  assert.equal(code(`a.b('x.matches(y)') // type(1)\n + r"\\" + b'x' + '''a'b''' + rb"z"`).trim(), `a.b("") \n + "" + b"" + "" + b""`);
});

after(() => {
  const rows = sections.map((section) => {
    const reasons: Record<string, number> = {};
    for (const why of CASES.filter((one) => sectionOf(one) === section).map(outside)) if (why) reasons[why] = (reasons[why] ?? 0) + 1;
    const list = Object.entries(reasons).map(([why, count]) => `${count} ${why}`);
    return `${section.replace("conformance/", "").padEnd(50)} ${String(passed.get(section) ?? 0).padStart(4)} passed  ${list.length > 0 ? `outside: ${list.join(", ")}` : ""}`;
  });
  const all = [...passed.values()].reduce((sum, count) => sum + count, 0);
  console.log(`${rows.join("\n")}\n${all} of CEL's ${CASES.length} cases passed; ${CASES.filter(outside).length} are outside of the subset (tests/cel/outside.json).`);
});
