// What the owner's API asks of the shards, for the Rust side: a call by its name with its arguments as JSON.

import { SHARDS, callShard, hasProfiles, shardOf } from "./shards.js";

/** So many shards are asked at a time: whoever counts is not to stand in the way of who collects. */
const AT_ONCE = 8;

/** Shards that are asked for members at a time, so that a list has the same order each time. */
const encode = (cursor) => btoa(unescape(encodeURIComponent(JSON.stringify(cursor)))).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
