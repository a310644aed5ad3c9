/** Links to other sites. */
import { onLink } from "./links.ts";
import type { Scope } from "./scope.ts";
import { address } from "./text.ts";

/** A host with and without it is one site. */
const bare = (host: string): string => host.replace(/^www\./, "");

export function outbound(scope: Scope): void {
  onLink(scope, (_, { href, protocol, hostname }) => {
    if (protocol.startsWith("http") && bare(hostname) !== bare(location.hostname)) scope.track("Outbound Link Clicked", { host: hostname, url: address(href) });
  });
}
