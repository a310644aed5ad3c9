/** To take what is known along, and to have it erased. */
import type { Desk } from "./centre.ts";
import { button, h } from "./consent.js";

/** So long is waited before what failed is tried again; where a limit of requests was reached, until it is over. */
const WAITS_MS = [1000, 4000];
const LIMITED_MS = [30_000, 60_000];

/** All that is held, or one more page of the lines among it that take long to find: `next` is what the page behind it is asked for by. */
interface Page {
  exported?: unknown[];
  next?: string | null;
}

/** Whether it may go well another time: what the Worker refuses it refuses again. */
const mayPass = (cause: unknown): boolean => !/ (4(?!29)\d\d|501)$/.test(String(cause));

/** What comes of asking, which is tried three times. */
async function patiently<T>(ask: () => Promise<T>): Promise<T> {
  for (let tries = 0; ; tries += 1) {
    try {
      return await ask();
    } catch (cause) {
      const wait = (/ 429$/.test(String(cause)) ? LIMITED_MS : WAITS_MS)[tries];
      if (wait === undefined || !mayPass(cause)) throw cause;
      await new Promise((resolve) => setTimeout(resolve, wait));
    }
  }
}

/** Hands a file to the browser's downloads. */
function save(name: string, content: unknown): void {
  const href = URL.createObjectURL(new Blob([JSON.stringify(content, null, 2)], { type: "application/json" }));
  h("a", { href, download: name }).click();
  // The download reads it after the click.
  setTimeout(() => URL.revokeObjectURL(href), 10_000);
}

/** Download and erasure. */
export function rightsSection(desk: Desk): HTMLElement {
  const { say } = desk.speech;

  /** All that is held, page by page; how far it is is said. */
  async function whole(): Promise<object> {
    const { next, ...held } = await patiently(() => desk.ask<Page>("export", {}));
    let after = next;
    while (after) {
      desk.tell(say("gathering", held.exported!.length.toLocaleString(desk.speech.tag)));
      const page = await patiently(() => desk.ask<Required<Page>>("export", { after }));
      for (const line of page.exported) held.exported!.push(line);
      after = page.next;
    }
    return held;
  }

  let isBusy = false;

  async function download(): Promise<void> {
    if (isBusy) return;
    isBusy = true;
    try {
      desk.tell(say("preparing"));
      const day = new Date().toISOString().slice(0, 10);
      save(`${location.hostname}-${day}.json`, await whole());
      desk.tell(say("downloaded"));
    } catch (cause) {
      if (/ 404$/.test(String(cause))) desk.tell(say("nothing"));
      else desk.fail(cause);
    } finally {
      isBusy = false;
    }
  }

  async function erase(): Promise<void> {
    try {
      const { receipt } = await desk.ask<{ receipt: string | null }>("erase", {});
      await desk.erased(receipt ? `${say("erased")} ${say("receipt", receipt)}` : say("noneKept"));
    } catch (cause) {
      confirm.close();
      desk.fail(cause);
    }
  }

  // A dialog of its own brings the focus back to the button by itself.
  const confirm = h(
    "dialog",
    { class: "confirm", part: "dialog", "aria-labelledby": "sure" },
    h("p", { id: "sure" }, say("sure")),
    h("div", { class: "buttons" }, button("keep", say("keep"), () => confirm.close()), button("danger", say("yesErase"), () => void erase())),
  );
  const heading = Object.assign(desk.heading(say("data")), { id: "data" });
  return h(
    "section",
    { part: "section", "aria-labelledby": "data" },
    heading,
    h("p", { class: "soft", id: "rights" }, say("rights")),
    h("div", { class: "buttons" }, button("download", say("download"), () => void download()), button("erase", say("erase"), () => confirm.showModal(), { "aria-describedby": "rights", "aria-haspopup": "dialog" })),
    confirm,
  );
}
