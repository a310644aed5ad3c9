/** The panel of a site of static files, on this machine: the page itself tells what it decides by, the tools say why. */
import type { Consent } from "../types.ts";
import type { RawRequest } from "../wire.ts";
import { mount } from "./panel.ts";
import { download, loadTools, selectorsOf, type Report, type Source, type Tools } from "./source.ts";

/** What a page that decides for itself hands out. */
export interface Page {
  readonly program: string | Uint8Array;
  readonly consent: Consent;
  /** Address of the folder with the tools. */
  readonly folder: string;
  /** What the page at an address is decided by. */
  facts(url: string, referrer: string): Promise<RawRequest>;
}

let panel: ReturnType<typeof mount>;

/** Opens the panel over this page. */
export function open(page: Page): void {
  panel ??= mount(sourceOf(page));
  panel?.open();
}

/** Puts the pill into this page. */
export function offer(page: Page): void {
  panel ??= mount(sourceOf(page));
}

function sourceOf({ program, consent, folder, facts }: Page): Source {
  let loaded: Promise<[Tools, Uint8Array]> | undefined;
  const ready = (): Promise<[Tools, Uint8Array]> => {
    loaded ??= Promise.all([loadTools(folder), typeof program === "string" ? download(program) : program]);
    loaded.catch(() => (loaded = undefined));
    return loaded;
  };
  return {
    async explain(address): Promise<Report> {
      const [[tools, bytes], { now, offsets, url, headers, cf, overrides, enrichments }] = await Promise.all([ready(), facts(address, document.referrer)]);
      const visitor = { url, now, headers: Object.fromEntries(headers), cf: Object.fromEntries(cf), context: Object.fromEntries(overrides), enrichments: Object.fromEntries(enrichments ?? []) };
      const explanation = tools.explain(bytes, visitor, offsets);
      return { explanation, selectors: selectorsOf(tools.describe(bytes), explanation.edits), now, until: undefined };
    },
    personas: async () => {
      const [tools, bytes] = await ready();
      return tools.describe(bytes).personas ?? {};
    },
    consent: () => consent.get(),
    choose: (granted) => consent.set(granted),
  };
}
