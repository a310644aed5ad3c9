// docs/expressions.md, from the tables that the compiler itself works with. What no table says is written here.

/** What goes without saying: said once, above the tables. */
const USUAL = "unknown when an operand is unknown";

const TYPES = {
  bool: ["`true` or `false`", "`true`"],
  int: ["a whole number of 64 bits with a sign", "`42`, `-7`, `0x2A`"],
  uint: ["a whole number of 64 bits without a sign", "`42u`, `0x2Au`"],
  double: ["a number with a fraction (IEEE 754)", "`0.5`, `6e3`"],
  string: ["a text of Unicode characters", "`'fr'`, `\"it's\"`, `r'\\d'`, `'''two lines'''`"],
  "list(A)": ["items of one type", "`['FR', 'BE']`"],
  "map(A, B)": ["values by key; keys are bool, int, uint or string", "`{'fr': 1, 'de': 2}`"],
  timestamp: ["an instant, to the nanosecond", "`timestamp('2026-11-20T18:00:00+01:00')`"],
  duration: ["a length of time, to the nanosecond", "`duration('1h30m')`"],
  version: ["a version, ordered by its numbers", "`version('17.5.1')`"],
  ip: ["an IP address", "`ip('2001:db8::1')`"],
  cidr: ["a range of IP addresses", "`cidr('192.0.2.0/24')`"],
  dyn: ["any type, looked at when it is evaluated", "`dyn(1)`, `[1, 'a']`"],
};

/** Names in signatures that stand for several types. */
const PLACEHOLDERS = { number: "int, uint or double", A: "any type, the same wherever it stands in a signature", B: "any other type, likewise" };

/** A cell of a table. */
const cell = (text) => text.replaceAll("|", "\\|").replaceAll("\n", " ");
const quoted = (text) => `\`${cell(text)}\``;
const row = (...cells) => `| ${cells.join(" | ")} |`;
const table = (head, rows) => [row(...head), row(...head.map(() => "---")), ...rows].join("\n");

/** Numbers as people write them. */
const count = (number) => number.toLocaleString("en-US");

function entryRow({ signature, doc, missing, errors, example }) {
  const notes = [doc, errors && `Fails on ${errors}.`, missing !== USUAL && `${missing[0].toUpperCase()}${missing.slice(1)}.`];
  return row(quoted(signature.replace(" -> ", " → ")), cell(notes.filter(Boolean).join(" ")), quoted(example));
}

const entries = (list) => table(["signature", "what it gives", "example"], list.map(entryRow));

/** Whether a function makes another type of something. */
const isConversion = ({ name, style }) => style === "function" && (name in TYPES);
const isTime = ({ arguments: [first] }) => first === "timestamp" || first === "duration";

/** The functions in the order of the page: every one of them is in exactly one part. */
function parts(functions) {
  const rest = new Set(functions);
  const take = (holds) => {
    const taken = [...rest].filter(holds);
    taken.forEach((entry) => rest.delete(entry));
    return taken;
  };
  const operators = take(({ style }) => style === "operator");
  const macros = take(({ style }) => style === "macro");
  const conversions = take(isConversion);
  const time = take((entry) => entry.style === "method" && isTime(entry));
  return { operators, macros, conversions, time, others: [...rest] };
}

function fieldTables(fields) {
  const groups = Map.groupBy(fields, ({ path }) => path.split(".")[0]);
  return [...groups].map(([group, list]) => {
    const rows = list.map(({ path, type, doc, purpose }) => row(quoted(path), type, cell(purpose ? `${doc} (consent: ${purpose})` : doc)));
    return `### \`${group}\`\n\n${table(["field", "type", "meaning"], rows)}`;
  });
}

/** The types that a page must explain: those of every signature and every field. */
export function unexplained({ fields, readings, functions }) {
  const named = [...functions.flatMap(({ arguments: operands, result }) => [...operands, result]), ...[...fields, ...readings].map(({ type }) => type)];
  const known = new Set([...Object.keys(TYPES), ...Object.keys(PLACEHOLDERS), ...Object.keys(TYPES).map((type) => `list(${type})`), "list(B)", "map(string, string)", "item", "field"]);
  return [...new Set(named)].filter((type) => !known.has(type));
}

/**
 * The page.
 * @param {{fields: object[], readings: object[], functions: object[], keywords: string[], limits: Record<string, number>}} expressions www/schema/expressions.json
 */
export function page({ fields, readings, functions, keywords, limits }) {
  const { operators, macros, conversions, time, others } = parts(functions);
  return `<!-- Written by \`npm run docs\` from src/expr/functions.rs and src/context/fields.rs; its own words are in scripts/lib/expressions-page.mjs. -->

# Expressions

Audiences are expressions: \`device.type == 'mobile' && geo.country in ['FR', 'BE']\`. They are written in the Common Expression
Language ([CEL](https://cel.dev)), in the subset that always ends, is cheap, and needs no regular expressions. What is in the subset
means what CEL says: CEL's own conformance suite runs in our tests (\`tests/cel\`).

An audience is worth true or false. Every name and every type is checked when the manifest is compiled: \`geo.contry\` is an error
that suggests \`geo.country\`, and comparing a text with a number is one too. No page ever evaluates what was not checked.

\`\`\`sh
idoine eval "'fr-CA'.split('-')[0]"                                                      # 'fr' (string)
echo '{"geo.country": "FR"}' | idoine eval "geo.country in ['FR', 'BE']" --bindings -      # true (bool)
idoine functions                                                                         # everything below, in the terminal
\`\`\`

## Writing

Texts stand in single or double quotes, and in three of either they may span lines. Escapes are \`\\n\`, \`\\t\`, \`\\\\\`, \`\\'\`,
\`\\u00e9\` and the like; in a raw text, \`r'\\d'\`, a backslash is a backslash. Lists are \`['a', 'b']\`, maps are \`{'a': 1}\`. A comment
goes from \`//\` to the end of its line.

\`a.b\` is a field, or the value of the key \`b\` of a map; \`a['b-c']\` and ` + "`` a.`b-c` ``" + ` take keys that are no names. An audience is
named as it is: \`working_day && !french\`. These words are no names: \`${keywords.join(" ")}\`.

From what binds most to what binds least: \`a.b a[b] f(a)\`, \`!a -a\`, \`* / %\`, \`+ -\`, \`== != < <= > >= in\`, \`&&\`, \`||\`, \`a ? b : c\`.

## Types

${table(["type", "what it is", "written"], Object.entries(TYPES).map(([type, [what, written]]) => row(quoted(type), what, written)))}

In signatures ${Object.entries(PLACEHOLDERS).map(([name, what]) => `\`${name}\` stands for ${what}`).join(", ")}.

Types do not turn into each other by themselves: \`1 + 1.0\` is an error, \`double(1) + 1.0\` is not. Comparisons are the exception:
numbers of all types compare by value.

## Unknown values

What is not known of a visitor is *unknown*; that is no error, and not false either. Of a country that cannot be told, or a trait
without consent, all that is made is unknown too. Only what does not depend on it has a value: \`false && unknown\` is false,
\`true || unknown\` is true, whichever side is which. An audience that ends unknown does not match. \`has(geo.country)\` tells whether
a field is there.

What fails while it is evaluated (a key that a map does not have, \`int(page.query.page)\` of a text that is no number, a sum of more
than 64 bits) counts as unknown in decisions; \`idoine eval\` prints the failure and its place.

In the tables below, what is said of unknown operands is only what differs from: ${USUAL}.

## Limits

An expression has at most ${count(limits.bytes)} bytes, ${count(limits.words)} words and ${limits.levels} levels of nesting. It may take at most ${count(limits.steps)} steps: the compiler
reckons the worst case, and refuses what could take more. A list that is made while evaluating has at most ${count(limits.items)} items, a text ${count(limits.text_bytes)} bytes;
what would be longer fails.

## Operators

${entries(operators)}

## Macros

The first operand names an item for the condition behind it: \`language.accepted.exists(tag, tag.startsWith('fr'))\`.

${entries(macros)}

## Functions

${entries(others)}

## Conversions

${entries(conversions)}

## Parts of times

A zone is a name such as \`'Europe/Paris'\`, an offset such as \`'+02:00'\`, or a field such as \`geo.timezone\`. Without one it is UTC.

${entries(time)}

## What of CEL is left out

Protobuf messages and enums, \`bytes\`, \`null\`, \`type()\`, regular expressions (\`glob\` is there), optional values, macros with two
variables, and the extension libraries, of which \`lowerAscii\`, \`upperAscii\`, \`split\` and \`trim\` are kept. Beside CEL there are
\`version\`, \`ip\`, \`cidr\`, \`glob\` and \`geo.distance_km\`.

## Fields

Beside these there are those that a manifest declares: \`profile.<trait>\` and others ([the manifest](manifest.md)). A field with a
purpose is unknown without consent for it.

${fieldTables(fields).join("\n\n")}

## What is learned of a visitor

Read as fields are, by these calls and paths ([what each is made of](manifest.md#what-is-learned)). Events, windows, properties and names are written
out: \`profile.count('Product Viewed', '7d', {'category': 'shoes'}) >= 3\`. A window is of whole hours or days, \`'1h'\` to \`'400d'\`. All of it needs
the consent to personalization, and is unknown without. In contents: \`{{ profile.count('Product Viewed', '7d') | "0" }}\`.

${table(["what is read", "type", "meaning"], readings.map(({ signature, type, doc }) => row(quoted(signature), type, cell(doc))))}
`;
}
