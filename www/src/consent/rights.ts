/** To take what is known along, and to have it erased. */
import type { Desk } from "./centre.ts";
import { button, h } from "./consent.js";

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

  async function download(): Promise<void> {
    try {
      const day = new Date().toISOString().slice(0, 10);
      save(`${location.hostname}-${day}.json`, await desk.ask("export", {}));
    } catch (cause) {
      if (/ 404$/.test(String(cause))) desk.tell(say("nothing"));
      else desk.fail(cause);
    }
  }

  async function erase(): Promise<void> {
    try {
      const { receipt } = await desk.ask<{ receipt: string | null }>("erase", {});
      await desk.erased([say("erased"), receipt && say("receipt", receipt)].filter(Boolean).join(" "));
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
