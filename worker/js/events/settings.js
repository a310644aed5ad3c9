// What other clients ask for before they send anything: settings, of which there are none here but where to send it.

import { failure } from "../answer.js";
import { judge } from "./collect.js";
import { senderOf } from "./keys.js";

/** Segment's browser client: `v1/projects/<key>/settings`. */
function segment({ url }, key) {
  const all = { __default: { enabled: true, integrations: {} } };
  return {
    integrations: {
      "Segment.io": {
        apiKey: key,
        apiHost: `${url.host}/_idoine/v1`,
        protocol: url.protocol.slice(0, -1),
        unbundledIntegrations: [],
        addBundledMetadata: false,
        versionSettings: { version: "4.4.7", componentTypes: ["browser"] },
      },
    },
    plan: { track: all, identify: all, group: all },
    edgeFunction: {},
    analyticsNextEnabled: true,
    middlewareSettings: {},
    enabledMiddleware: {},
    metrics: { sampleRate: 0 },
    legacyVideoPluginsEnabled: false,
    remotePlugins: [],
  };
}

/** RudderStack's: `sourceConfig/?writeKey=<key>`. */
function rudderstack({ site }, key) {
  const off = { enabled: false };
  return {
    source: {
      id: site.id,
      name: site.id,
      writeKey: key,
      workspaceId: site.id,
      enabled: true,
      config: { statsCollection: { errors: off, metrics: off } },
      connections: [],
      destinations: [],
    },
  };
}

/** The answer that a client's settings are, by the path below the base path; undefined when it asks for none. */
export function settingsOf({ url }, path) {
  const key = /^v1\/projects\/([^/]+)\/settings$/.exec(path)?.[1];
  if (key !== undefined) {
    return { key: decoded(key), make: segment };
  }
  return /^sourceConfig\/?$/.test(path) ? { key: url.searchParams.get("writeKey") ?? undefined, make: rudderstack } : undefined;
}

function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** Answers with a client's settings. */
export async function settings(visit, { key, make }) {
  const judged = await judge(visit, [], false);
  if (judged.foreign) {
    return failure(403, "forbidden", "Settings are for pages of the site's hosts.", judged.shared);
  }
  if (senderOf(visit, key) === undefined) {
    return failure(401, "unauthorized", "Expected a write key of this Worker.", judged.shared);
  }
  return Response.json(make(visit, key ?? ""), { headers: { "cache-control": "no-cache", ...judged.shared } });
}
