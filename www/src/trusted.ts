/** HTML as pages with Trusted Types take it. */
interface TrustedTypesFactory {
  createPolicy(name: string, rules: { createHTML(html: string): string }): { createHTML(html: string): string };
}

let policy: { createHTML(html: string): string } | undefined;

/** HTML that the site's own program holds, for the page's parser. Throws where the page's Trusted Types refuse the policy. */
export function trusted(html: string): string {
  policy ??= (globalThis as { trustedTypes?: TrustedTypesFactory }).trustedTypes?.createPolicy("idoine", { createHTML: (text) => text });
  return policy ? policy.createHTML(html) : html;
}
