/** The panel where the Worker allows a preview: only there it adds this file to a page. */
import type { Idoine } from "../types.ts";
import { mount } from "./panel.ts";
import { worker } from "./worker.ts";

const panel = mount(worker);
// `idoine("debug.open")`, before and after the client is there.
if (panel) (window as { idoine?: (job: (client: Idoine) => void) => void }).idoine?.((client) => Object.assign(client.debug, panel));
