/** What goes on in a page once it is shown: it is decided anew when that is due, and the Worker is told of the visitor, as far as they agreed. */
import { createAgain, follow, type Again } from "./follow.ts";
import { leaveFor } from "./navigation.ts";
import type { Host } from "./page.ts";
import { remoteLine } from "./remote.ts";
import { createTeller, type CaptureModule, type Line, type Teller, type TellSettings } from "./tell.ts";

export interface Live extends Teller {
  readonly again: Again;
  /** Leaves for the page at this address. */
  leaveFor(address: string): Promise<void>;
}

/** Over a line to the Worker. `auto`: routes and the time are followed. */
export function createLive(host: Host, line: Line, settings: TellSettings & { readonly auto: boolean }, loadCapture: () => Promise<CaptureModule>): Live {
  const again = createAgain(host);
  const teller = createTeller(host, again, line, settings, loadCapture);
  const end = settings.auto ? follow(host) : undefined;
  return {
    ...teller,
    again,
    leaveFor,
    stop() {
      end?.();
      teller.stop();
    },
  };
}

/** Of a page whose loader has these attributes: behind a Worker, or asking one at another host name. */
export const open = (host: Host, data: TellSettings & { readonly api?: string; readonly measure?: string }, auto: boolean): Live =>
  createLive(host, remoteLine(data.api, data.measure), { ...data, auto }, () => import("./capture/index.ts"));
