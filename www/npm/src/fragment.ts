/** HTML that the site has at a path, asked for once in a page. */
const asked = new Map<string, Promise<string | undefined>>();

/** A fragment's HTML; nothing where there is none to be had, as everywhere. */
export function bringFragment(path: string): Promise<string | undefined> {
  let coming = asked.get(path);
  if (!coming) asked.set(path, (coming = bring(path).catch(() => undefined)));
  return coming;
}

async function bring(path: string): Promise<string | undefined> {
  // Of this site, whatever the path looks like.
  const response = await fetch(location.origin + path, { mode: "same-origin" });
  return response.ok && /html/.test(response.headers.get("content-type") ?? "") ? response.text() : undefined;
}
