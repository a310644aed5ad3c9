// What the Worker's Rust side is told by JavaScript, without a Worker around it.
import assert from "node:assert/strict";
import { test } from "node:test";
import { cfFields, zoneOffsets } from "../../worker/js/host.js";

test("the fields of request.cf are texts, those of botManagement under its name; what is no scalar is left out", () => {
  const cf = {
    country: "FR",
    asn: 3215,
    isEUCountry: "1",
    clientTcpRtt: 0,
    nothing: null,
    tlsClientAuth: { certVerified: "NONE" },
    botManagement: { score: 99, verifiedBot: false, ja3Hash: "x", detectionIds: [1], jsDetection: { passed: true } },
  };
  const fields = ["country", "FR", "asn", "3215", "isEUCountry", "1", "clientTcpRtt", "0"];
  const bot = ["botManagement.score", "99", "botManagement.verifiedBot", "false", "botManagement.ja3Hash", "x"];
  assert.deepEqual(cfFields({ cf }), [...fields, ...bot]);
  assert.deepEqual([cfFields({}), cfFields({ cf: null }), cfFields({ cf: { botManagement: "odd" } })], [[], [], []]);
});

test("a zone is looked at once: later requests ask Intl nothing", (t) => {
  const now = Date.parse("2026-11-20T12:30:00Z");
  const first = zoneOffsets("America/St_Johns", now);
  assert.ok(first.length > 8);
  t.mock.method(Intl, "DateTimeFormat", () => {
    throw new Error("a formatter was made");
  });
  t.mock.method(Intl.DateTimeFormat.prototype ?? {}, "formatToParts", () => {
    throw new Error("the clock was asked");
  });
  assert.equal(zoneOffsets("America/St_Johns", now + 86_400_000), first);
  assert.deepEqual(zoneOffsets("Europe/Atlantis", now), []);
});

test("names that are no zones are not kept for ever", () => {
  for (let name = 0; name < 1500; name++) assert.deepEqual(zoneOffsets(`Nowhere/${name}`, 0), []);
  assert.equal(zoneOffsets("UTC", 0)[1], 0);
});
