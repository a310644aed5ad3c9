// A browser as the Worker sees one: it keeps cookies as browsers do, agrees, logs in and sends events.

import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import type { Reply, TestWorker } from "./harness.ts";

export const KEY = "a secret of these tests";
export const SECRET = "the-sites-own-secret-of-32-bytes";
export const ORIGIN = "https://shop.example";

const base64url = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");

/** A token as a site's server makes it. */
export function tokenOf(user: string, secret = SECRET): string {
  const text = `${base64url({ alg: "HS256", typ: "JWT" })}.${base64url({ sub: user, exp: Math.floor(Date.now() / 1000) + 3600 })}`;
  return `${text}.${createHmac("sha256", secret).update(text).digest("base64url")}`;
}

let number = 0;

export class Browser {
  readonly jar = new Map<string, string>();
  readonly to: TestWorker;

  constructor(to: TestWorker) {
    this.to = to;
  }

  get cookie(): string {
    return [...this.jar].map((pair) => pair.join("=")).join("; ");
  }

  /** The id in its cookie. */
  get id(): string {
    return this.jar.get("idoine_id")?.split(".")[0] ?? "";
  }

  /** What its cookie says that it grants. */
  get granted(): string[] {
    return (this.jar.get("idoine_consent") ?? "").split(".").filter((part) => ["personalization", "analytics", "marketing"].includes(part));
  }

  async fetch(path: string, method = "GET", body?: unknown, headers: Record<string, string> = {}): Promise<Reply> {
    const sent = body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) };
    const reply = await this.to.fetch(path, { method, headers: { origin: ORIGIN, cookie: this.cookie, ...headers }, ...sent });
    for (const cookie of reply.cookies) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(cookie)!;
      if (/Max-Age=0\b/.test(cookie)) this.jar.delete(name!);
      else this.jar.set(name!, value!);
    }
    return reply;
  }

  async agree(...granted: string[]): Promise<Reply> {
    const reply = await this.fetch("/_idoine/consent", "POST", { granted });
    assert.equal(reply.status, 200, reply.text);
    return reply;
  }

  logIn = (user: string) => this.fetch("/_idoine/identity", "POST", { token: tokenOf(user) });

  /** What became of events. */
  async send(...events: object[]): Promise<{ status: string; reason?: string }[]> {
    const named = events.map((event) => ({ messageId: `sent-${(number += 1)}`, ...event }));
    const reply = await this.fetch("/_idoine/collect", "POST", { events: named });
    assert.equal(reply.status, 200, reply.text);
    return reply.json().results;
  }
}
