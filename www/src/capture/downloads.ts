/** Links to files, by what their addresses end in, and those that say `download`. */
import { onLink } from "./links.ts";
import type { Scope } from "./scope.ts";
import { address } from "./text.ts";

const FILE = /([^/]*)\.(7z|apk|avi|bz2|csv|deb|dmg|docx?|epub|exe|gz|ics|iso|jar|key|m4a|mov|mp3|mp4|mpe?g|msi|numbers|od[pst]|pages|pdf|pkg|pptx?|psd|rar|rpm|rtf|tar|tgz|txt|vcf|wav|webm|wmv|xlsx?|xz|zip)$/i;

export function downloads(scope: Scope): void {
  onLink(scope, (link, { href, protocol, pathname }) => {
    // What a page has made for this visitor has no address, and its name may be theirs.
    const isFile = protocol.startsWith("http");
    const name = link.getAttribute("download");
    const [file, , extension] = (isFile && FILE.exec(pathname)) || [];
    if (!file && name === null) return;
    const [, written] = /\.(\w{1,8})$/.exec(name ?? "") ?? [];
    scope.track("File Downloaded", { file: isFile ? (file ?? pathname.split("/").pop()) : "", extension: (extension ?? written)?.toLowerCase(), url: address(href) });
  });
}
