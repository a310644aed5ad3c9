// The JSON Schema that editors complete manifests with: it knows what the compiler knows.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { runInNewContext } from "node:vm";
import { Ajv2020, type ValidateFunction } from "ajv/dist/2020.js";

const root = new URL("../../", import.meta.url);
const text = (path: string): string => readFileSync(new URL(path, root), "utf8");

function compiled(): ValidateFunction {
  const schema = JSON.parse(text("www/schema/site.schema.json"));
  // What editors alone understand.
  return new Ajv2020({ strict: true, allErrors: true, allowUnionTypes: true, keywords: ["allowComments"] }).compile(schema);
}

/** JSON with comments is an expression of JavaScript. */
const demo = (): Record<string, any> => JSON.parse(JSON.stringify(runInNewContext(`(${text("www/demo/site.jsonc")})`)));

test("the demo's manifest is valid", () => {
  const validate = compiled();
  assert.ok(validate(demo()), JSON.stringify(validate.errors, null, 1));
});

test("every field has a description", () => {
  const bare: string[] = [];
  const walk = (schema: any, path: string): void => {
    for (const [name, field] of Object.entries<any>(schema.properties ?? {})) {
      if (!field.description && field.const === undefined) bare.push(`${path}.${name}`);
      walk(field, `${path}.${name}`);
    }
    for (const inner of [schema.items, schema.additionalProperties, ...(schema.anyOf ?? []), ...(schema.oneOf ?? [])]) {
      if (inner && typeof inner === "object") walk(inner, path);
    }
  };
  walk(JSON.parse(text("www/schema/site.schema.json")), "");
  assert.deepEqual(bare, []);
});

test("what the compiler refuses by its shape, the schema refuses too", () => {
  const validate = compiled();
  const wrong: [string, (manifest: any) => void][] = [
    ["an unknown field", (manifest) => (manifest.sites = {})],
    ["an unknown field deep inside", (manifest) => (manifest.experiences[0].audiance = "true")],
    ["no site", (manifest) => delete manifest.site],
    ["a share above 1", (manifest) => (manifest.holdout = 1.5)],
    ["an unknown type of experience", (manifest) => (manifest.experiences[0].type = "test")],
    ["an unknown purpose", (manifest) => (manifest.experiences[0].purpose = "fun")],
    ["a selector that is no text", (manifest) => (manifest.slots.hero.selector = 1)],
    ["a page rule that is no rule", (manifest) => (manifest.slots.hero.pages = [{ url: "/" }])],
    ["a priority that is no whole number", (manifest) => (manifest.experiences[0].priority = 1.5)],
  ];
  for (const [name, spoil] of wrong) {
    const manifest = demo();
    spoil(manifest);
    assert.equal(validate(manifest), false, name);
  }
});
