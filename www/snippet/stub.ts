/**
 * The inline stub, for pages that want to call `idoine` before the loader is there, or to hide a slot until it is decided:
 * `<script data-hide="header h1" data-hide-ms="800">...</script>`, or `idoine.hide("header h1", 800)`.
 * Nothing is hidden without a time-out: what is hidden comes back even when the loader never arrives.
 */
import { createQueue, type Queue } from "./queue.ts";

const DEFAULT_MS = 1000;
const MAX_MS = 2000;

if (typeof window.idoine !== "function") {
  const options = window.idoine as Queue["options"];
  const queue = (window.idoine = createQueue());
  if (options) queue.options = options;
  const script = document.currentScript;
  let hidden: (() => void)[] = [];

  queue.show = () => {
    for (const reveal of hidden) reveal();
    hidden = [];
  };

  queue.hide = (selector, ms) => {
    const rule = selector + "{visibility:hidden!important}";
    let reveal: () => void;
    try {
      // A strict content security policy refuses style elements, but not these.
      const sheet = new CSSStyleSheet();
      sheet.replaceSync(rule);
      document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];
      reveal = () => {
        document.adoptedStyleSheets = document.adoptedStyleSheets.filter((one) => one !== sheet);
      };
    } catch {
      const style = document.createElement("style");
      style.nonce = script?.nonce ?? "";
      style.textContent = rule;
      document.head.append(style);
      reveal = () => style.remove();
    }
    hidden.push(reveal);
    setTimeout(reveal, Math.min(ms! >= 0 ? ms! : DEFAULT_MS, MAX_MS));
  };

  const { hide, hideMs } = script?.dataset ?? {};
  if (hide) queue.hide(hide, hideMs ? +hideMs : undefined);
}
