// The files that pages load: the loader, the engine, the tools, the author's module, the client, the preview bar. And the description of the API.

const TYPES = { js: "text/javascript; charset=utf-8", wasm: "application/wasm", json: "application/json" };

/** Whether a path names one of those files. */
export function isAsset(pathname) {
  return /^\/_idoine\/(?:[\w.-]+\.(?:js|wasm)|api\/openapi\.json)$/.test(pathname);
}

/** The file, with what a browser must know of it. */
export async function asset({ request, env, url }) {
  if (request.method !== "GET" && request.method !== "HEAD") {
    return new Response("Only GET and HEAD.\n", { status: 405, headers: { allow: "GET, HEAD", "content-type": "text/plain; charset=utf-8" } });
  }
  const found = await env.ASSETS.fetch(new Request(url, request));
  const response = new Response(found.body, found);
  if (found.ok) {
    response.headers.set("content-type", TYPES[url.pathname.split(".").pop()]);
  }
  if (found.ok || found.status === 304) {
    // Kept, and asked about each time: the glue of one deployment must not meet the Wasm of another.
    response.headers.set("cache-control", "public, no-cache");
  }
  // Sites without the Worker in front load these from another host name. They are the same for everyone.
  response.headers.set("access-control-allow-origin", "*");
  response.headers.set("cross-origin-resource-policy", "cross-origin");
  response.headers.set("x-content-type-options", "nosniff");
  return response;
}
