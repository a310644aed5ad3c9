// The package's types in a strict project of TypeScript: what is right compiles, each mistake is an error.
import assert from "node:assert/strict";
import { test } from "node:test";
import { declaration } from "../e2e/fixtures/artefacts.ts";
import { project } from "./project.ts";

const CONFIG = JSON.stringify({
  compilerOptions: { target: "es2022", module: "nodenext", strict: true, exactOptionalPropertyTypes: true, noEmit: true, lib: ["es2023", "dom", "dom.iterable"], types: [], jsx: "react-jsx", skipLibCheck: false },
  include: ["*.ts", "*.tsx"],
});

const PEERS = ["react", "@types/react", "csstype", "@openfeature/web-sdk", "@openfeature/core"];

const MAIN = `
import { createIdoine, readState, IdoineError, type Decision, type ErrorCode, type Idoine, type IdoineOptions, type State } from "idoine";
import { createIdoineServer, stateScript, type Decided } from "idoine/server";
import { createIdoine as slim, initialize } from "idoine/slim";
import { defineSlotElement } from "idoine/element";
import { IdoineWebProvider } from "idoine/openfeature";
import { OpenFeature } from "@openfeature/web-sdk";

const options: IdoineOptions = { api: "https://decide.shop.example", state: readState() };
const idoine: Idoine = createIdoine(options);
const hero: Decision | undefined = idoine.decision("hero");
const stop: () => void = idoine.subscribe("offer", (decision, value) => [decision?.reason, value]);
idoine.subscribe((decisions, values) => [decisions.length, values.offer]);
const code: ErrorCode = new IdoineError("engine_missing", "text").code;
const end: () => void = defineSlotElement(idoine);
await OpenFeature.setProviderAndWait(new IdoineWebProvider(idoine, { onContext: (client, { targetingKey }) => targetingKey && client.identify(targetingKey) }));
initialize(new URL("https://shop.example/engine.wasm"));
initialize(fetch("/engine.wasm").then((answer) => answer.arrayBuffer()));
slim({ program: new Uint8Array() });
const server = createIdoineServer({ api: "https://shop.example", key: "k" });
const page: Decided = await server.decide(new Request("https://shop.example/"), { cf: { country: "FR" }, now: Date.now() });
const state: State = (await server.decide({ url: "https://shop.example/", headers: { accept: "text/html", cookie: ["a", "b"] } })).state;
const html: string = stateScript(page.state);
export { hero, stop, code, end, html, state };

// @ts-expect-error: no such option
createIdoine({ programme: "/site.program" });
// @ts-expect-error: a program or a Worker
createIdoineServer({});
// @ts-expect-error: a token is needed
createIdoineServer({ api: "https://shop.example" });
// @ts-expect-error: an instant
await server.decide({ url: "https://shop.example/", now: new Date() });
// @ts-expect-error: no such code
new IdoineError("nonsense", "text");
// @ts-expect-error: slots are of clients
defineSlotElement("hero");
// @ts-expect-error: a purpose
idoine.consent.set(["personalisation"]);
`;

const REACT = `
import { createIdoine, type State } from "idoine";
import { IdoineProvider, Slot, useDecision, useIdoine, useValue } from "idoine/react";

function Told() {
  const reason: string | undefined = useDecision("hero")?.reason;
  useIdoine()?.track("Seen");
  return <p>{reason}{String(useValue("offer"))}</p>;
}
export const App = ({ state }: { state?: State }) => (
  <IdoineProvider client={createIdoine()} state={state}>
    <Slot name="hero" as="h1" className="title">Welcome</Slot>
    <Slot name="offer">{(value, decision) => <b>{String(value)}{decision?.experience}</b>}</Slot>
    <Told />
    {/* @ts-expect-error: a slot has a name */}
    <Slot>Welcome</Slot>
  </IdoineProvider>
);
`;

const MANIFEST = {
  site: { id: "typed", hosts: ["shop.example"], timezone: "Europe/Paris" },
  traits: { plan: { type: "string", enum: ["free", "pro"], purpose: "personalization" } },
  events: { "Order Completed": { properties: { revenue: { type: "double" } } } },
  slots: { hero: { render: "client" }, offer: { type: "data" } },
  experiences: [{ id: "all", type: "personalization", audience: "true", slots: { hero: { text: "Hello" }, offer: { json: { percent: 10 } } } }],
};

const KNOWN = `
import { createIdoine } from "idoine";
import { Slot, useDecision, useValue } from "idoine/react";

const idoine = createIdoine();
const percent: number | undefined = idoine.value("offer")?.percent;
idoine.subscribe("offer", (_, value) => value?.percent.toFixed());
void idoine.track("Order Completed", { revenue: 5 });
void idoine.identify("customer-1", { plan: "pro" });
void idoine.decide({ slots: ["hero"] });
export const Told = () => <Slot name="hero">{useDecision("hero")?.reason}{useValue("offer")?.percent.toFixed()}{percent}</Slot>;

// @ts-expect-error: a slot that the site does not have
idoine.decision("heroe");
// @ts-expect-error: nor has it this one
void idoine.decide({ slots: ["heroe"] });
// @ts-expect-error: a field that its value does not have
idoine.value("offer")?.percents;
// @ts-expect-error: an event that is not planned
void idoine.track("Order Complete");
// @ts-expect-error: a property of another type
void idoine.track("Order Completed", { revenue: "5" });
// @ts-expect-error: a value that the trait does not have
void idoine.identify("customer-1", { plan: "gold" });
// @ts-expect-error: in components too
export const Typo = () => <Slot name="heroe">Welcome</Slot>;
// @ts-expect-error: and in hooks
export const useTypo = () => useDecision("heroe");
`;

test("the types of each entry, without a site's own", async () => {
  const app = project({ "tsconfig.json": CONFIG, "main.ts": MAIN, "app.tsx": REACT }, ...PEERS);
  assert.equal(await app.run("tsc", "-p", "."), "");
});

test("with a site's own types a typo is an error", async () => {
  const app = project({ "tsconfig.json": CONFIG, "idoine.d.ts": declaration(MANIFEST), "known.tsx": KNOWN }, ...PEERS);
  assert.equal(await app.run("tsc", "-p", "."), "");
});

test("without a site's own types each of these mistakes compiles, so that it is those types that tell", async () => {
  const app = project({ "tsconfig.json": CONFIG, "known.tsx": KNOWN }, ...PEERS);
  const told = await app.run("tsc", "-p", ".").catch((error: Error) => error.message);
  assert.equal(told.match(/TS2578/g)?.length, 7, told);
});
