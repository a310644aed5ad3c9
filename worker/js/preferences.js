// `/_idoine/preferences`: the preference centre as a page of its own, for sites that have none to put it into. It holds nothing of anybody: what
// it shows its script asks for.

import { failure } from "./answer.js";

const TITLES = { en: "Your data and choices", fr: "Vos données et vos choix" };
const WITHOUT = { en: "This page needs JavaScript.", fr: "Cette page a besoin de JavaScript." };
const BACK = { en: "Back to the site", fr: "Retour au site" };

/** Its own script and addresses, and nothing else; no other page may put it into a frame. */
const POLICY = "default-src 'none'; script-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'";

/** Of the languages that there are the one that a browser likes best. */
function languageOf(header) {
  const liked = (header ?? "").split(",").map((part, at) => {
    const [tag, ...parameters] = part.trim().toLowerCase().split(/\s*;\s*/);
    const weight = Number(parameters.find((parameter) => parameter.startsWith("q="))?.slice(2) ?? 1);
    return { tag: tag.split("-")[0], weight: weight >= 0 && weight <= 1 ? weight : 0, at };
  });
  const known = liked.filter(({ tag, weight }) => Object.hasOwn(TITLES, tag) && weight > 0);
  return known.sort((one, other) => other.weight - one.weight || one.at - other.at)[0]?.tag ?? "en";
}

/** The page. */
export function preferences({ request }) {
  if (request.method !== "GET" && request.method !== "HEAD") {
    return failure(405, "method_not_allowed", "This address does not take that method.", { allow: "GET, HEAD" });
  }
  const language = languageOf(request.headers.get("accept-language"));
  const page = `<!doctype html>
<html lang="${language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta name="robots" content="noindex">
<meta name="color-scheme" content="light dark">
<title>${TITLES[language]}</title>
<link rel="modulepreload" href="/_idoine/consent.js">
<script type="module" src="/_idoine/preferences.js"></script>
</head>
<body>
<noscript>${WITHOUT[language]}</noscript>
<main><idoine-preferences level="1" linked><a href="/">${BACK[language]}</a></idoine-preferences></main>
</body>
</html>
`;
  return new Response(page, {
    headers: {
      "content-type": "text/html; charset=utf-8",
      "content-security-policy": POLICY,
      "cache-control": "no-store",
      vary: "accept-language",
      "x-robots-tag": "noindex",
    },
  });
}
