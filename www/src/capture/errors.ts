/** Errors of the page's scripts that nobody caught. */
import type { Scope } from "./scope.ts";
import { address, text } from "./text.ts";

/** Told of one document: a loop of errors is one mistake. */
const MOST = 10;

/** What is no mistake of the page's, or says nothing: of another site's script, and of what browsers put off to the next frame. */
const IDLE = /^(Script error\.?$|ResizeObserver loop)/;

/** A message without what values it may quote: what stands in double quotes, and addresses' queries. */
function plain(message: unknown): string {
  return text(text(message, 1000).replace(/"[^"]*("|$)/g, '"…"').replace(/(\/[^\s?#'"()]*)[?#][^\s'"()]*/g, "$1"));
}

export function errors(scope: Scope): void {
  const told = new Set<string>();

  function tell(cause: unknown, message: unknown, source = "", line = 0, column = 0): void {
    const isError = cause instanceof Error;
    const facts = { message: plain(message), name: isError ? cause.name : undefined, source: address(source), line: line || undefined, column: column || undefined };
    const key = JSON.stringify(facts);
    // Extensions of the browser's run in the page too.
    if (!facts.message || IDLE.test(facts.message) || /^[\w-]+-extension:/.test(source) || told.has(key) || told.size >= MOST) return;
    told.add(key);
    scope.note("Error Occurred", facts);
  }

  scope.on(window, "error", ({ error, message, filename, lineno, colno }: ErrorEvent) => tell(error, message, filename, lineno, colno));
  scope.on(window, "unhandledrejection", ({ reason }: PromiseRejectionEvent) => {
    // Where it was thrown stands in its stack alone. An object that is no error may hold anything.
    const [, source, line, column] = /((?:https?|[\w-]+-extension):\/\/[^\s()]+?):(\d+):(\d+)/.exec(String(reason?.stack ?? "")) ?? [];
    tell(reason, reason instanceof Error ? `${reason.name}: ${reason.message}` : typeof reason === "string" ? reason : "", source, Number(line), Number(column));
  });
}
