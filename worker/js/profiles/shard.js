// A shard of a site's profiles: a Durable Object with SQLite, named `<site>/<number>`.
//
// What it acknowledges is on disk: an event's id, the event, the profile that it changed and what sinks are to get of it are written in one
// transaction, and the answer waits for the disk.

import { DurableObject } from "cloudflare:workers";
import { noteViolations } from "../events/violations.js";
import { log } from "../log.js";
import * as choices from "./choices.js";
import { begin, eraseDue, goOnAll } from "./erase.js";
import { namesOf, remaining } from "./erased.js";
import { exportedDue, takeOut } from "./exported.js";
import * as folding from "./fold.js";
import * as learn from "./learn.js";
import * as links from "./links.js";
import * as outbox from "./outbox.js";
import { noteSize, overwrite, overwriteDue } from "./overwrite.js";
import * as owner from "./owned.js";
import { quantilesDue, renewQuantiles } from "./quantiles.js";
import { profilesAfter, statesOf, whoOf } from "./read.js";
import { sweepAll, sweepDue } from "./retention.js";
import { shardNamed, shardOf } from "./shards.js";
import { createTables, getMeta, setMeta } from "./tables.js";
import { audiencesAre, recheck } from "./watch.js";
import { hear } from "./withdrawn.js";

/** How long an answer waits for what it made to be handed to another shard. */
const PATIENCE_MS = 1000;

/** How long a shard waits before it looks for a program again. */
const NO_PROGRAM_MS = 5000;

/** An alarm that is so late is set again. */
const LATE_MS = 60_000;

/** After so long it looks at all that it may have to do by itself, whatever comes. */
const LOOK_MS = 60_000;

export class Profiles extends DurableObject {
  #sql;
  #site;
  #number;
  /** When the alarm is set for; undefined when it is not, or not known yet. */
  #alarm;
  /** What the live program says; undefined when there is none. */
  #program;
  /** The last program's webhooks, and the sinks that are wanted with them. */
  #webhooks;
  #wanted;
  /** When it was last looked what is to be done. */
  #looked = 0;

  constructor(ctx, env) {
    super(ctx, env);
    this.#sql = ctx.storage.sql;
    ctx.blockConcurrencyWhile(async () => {
      ctx.storage.transactionSync(() => createTables(this.#sql, Date.now()));
      this.#site = getMeta(this.#sql, "site");
      this.#number = getMeta(this.#sql, "number");
      this.#alarm = (await ctx.storage.getAlarm()) ?? undefined;
      // An alarm that was to come while the machine was down may never come: it is set again, for what is due.
      const now = Date.now();
      if (this.#site !== undefined && !(this.#alarm > now)) {
        this.#alarm = undefined;
        await this.#wake(now);
      }
    });
  }

  /** What the parts of this shard's work are given: where they work, and when. */
  #work(now) {
    const shard = this;
    const work = {
      sql: this.#sql,
      site: this.#site,
      number: this.#number,
      now,
      env: this.env,
      get program() {
        return shard.#program;
      },
      prepare: () => this.#prepare(),
      transaction: (work) => this.ctx.storage.transactionSync(work),
      send: (parcel) => this.#send(parcel),
      moved: (keys) => this.#moved(work, keys),
    };
    return work;
  }

  /** Begins a call of the site's. */
  async #begin(site, number) {
    if (this.#site === undefined) {
      this.#site = site;
      this.#number = number;
      setMeta(this.#sql, "site", site);
      setMeta(this.#sql, "number", number);
    }
    await this.#prepare();
    return this.#work(Date.now());
  }

  async #prepare() {
    this.#program = await learn.prepare(this.env, this.ctx, this.#site);
    return this.#program;
  }

  /** The sinks that are wanted, as the last program that could be loaded says; undefined where there never was one. */
  #sinks() {
    const { webhooks: told, consent } = this.#program ?? {};
    if (told !== undefined && told !== this.#webhooks) {
      this.#webhooks = told;
      setMeta(this.#sql, "webhooks", JSON.stringify(told));
      setMeta(this.#sql, "consent", JSON.stringify(consent ?? {}));
      this.#wanted = outbox.sinksOf(this.env, told, consent);
    }
    const known = this.#wanted === undefined ? getMeta(this.#sql, "webhooks") : undefined;
    if (known !== undefined) {
      this.#wanted = outbox.sinksOf(this.env, JSON.parse(known), JSON.parse(getMeta(this.#sql, "consent") ?? "{}"));
    }
    return this.#wanted;
  }

  /** Hands a part to the shard of another profile. */
  async #send(parcel) {
    const number = await shardOf(parcel.target);
    if (number === this.#number) {
      await this.#receive(this.#work(Date.now()), [parcel]);
      return;
    }
    await shardNamed(this.env, this.#site, number).receive(this.#site, number, [parcel]);
  }

  /** Has the shard of a profile hear what holds there. */
  async #tell(word) {
    const number = await shardOf(word.profile);
    if (number === this.#number) {
      await this.#hear(this.#work(Date.now()), word);
      return;
    }
    await shardNamed(this.env, this.#site, number).hear(this.#site, number, word);
  }

  async #receive(work, parcels) {
    work.names = await namesOf(work, parcels.flatMap(({ profile, target, link }) => [profile, target, ...(link ? [links.userKey(link.user)] : [])]));
    for (const parcel of parcels) {
      this.ctx.storage.transactionSync(() => {
        if (links.receive(work, parcel)) {
          this.#moved(work, [parcel.target]);
        }
      });
    }
  }

  /** Whether somebody outside is told of what happens here. */
  #isWatched({ streams, webhooks }) {
    return streams.length + webhooks.length > 0;
  }

  /** Profiles changed: who watches audiences is told. */
  #moved(work, keys) {
    if (!this.#program?.watched.length) {
      return;
    }
    const quantiles = getMeta(this.#sql, "quantiles");
    for (const key of keys) {
      try {
        const one = profilesAfter(work, key, 1, quantiles, true);
        one.forEach(({ who, audiences }) => audiencesAre(this.#sql, who, audiences, work.now, this.#sinks()));
      } catch (error) {
        // What came is kept nevertheless: the daily look tells what was not told now.
        log("error", "audiences_not_known", "a profile changed, and in which audiences it is can't be said yet", { error, site: this.#site });
      }
    }
  }

  /** Sets the alarm for what is to be done next; who knows that only sinks have something new says so. */
  async #wake(now, isForSinks = false) {
    const due = [outbox.nextAlarm(this.#sql)];
    if (!isForSinks) {
      this.#looked = now;
      due.push(links.handDue(this.#sql), choices.tellDue(this.#sql), folding.mendDue(this.#sql, now), sweepDue(this.#sql, now), quantilesDue(this.#work(now), this.#number));
      due.push(eraseDue(this.#sql), exportedDue(this.#sql), overwriteDue(this.#sql));
    }
    // Without a program some of it can't be done yet.
    const least = now + (this.#program === undefined ? NO_PROGRAM_MS : 1);
    const at = Math.max(Math.min(...due.filter((one) => one !== undefined)), least);
    if (at < (this.#alarm ?? Infinity) || this.#alarm < now - LATE_MS) {
      this.#alarm = at;
      await this.ctx.storage.setAlarm(at);
    }
  }

  /** The site's quantiles, where the program has a use for them. */
  #quantiles() {
    return this.#program?.rfm ? getMeta(this.#sql, "quantiles") : undefined;
  }

  /**
   * Takes events, and what says who is who.
   *
   * `events`: `{ key, part, id, at, json, keep, fold, need, proven, consent, noted }`; `json` is the canonical event, `keep` whether sinks get
   * it, `fold` whether it becomes part of the profile `key`, of its part `part`, `need` the purpose that it needs itself, `proven` whether it
   * is proven to be its user's, `noted` in what it is otherwise than planned. `links`: `{ profile, user, at, id, proven }`; `joins`: `{ profile, peer }`; `said`: what browsers say of their purposes
   * (choices.js). `wants`: profiles of which the states are asked for (see `statesOf`). Answers with a status for each event ("accepted",
   * "duplicate", or "dropped" where its person does not want it), and for each of `wants` its states, what holds in that browser, and the
   * site's quantiles.
   */
  async accept(site, number, { events, links: linked = [], joins = [], said = [], wants = [], imported = false }) {
    const work = await this.#begin(site, number);
    const sinks = this.#sinks();
    if (sinks === undefined) {
      // Whom an event is for is not known yet: who sends it is to send it again.
      throw new Error("there is no program");
    }
    work.names = await namesOf(work, [...events.flatMap(({ key, part }) => [key, `a:${part}`]), ...linked.flatMap(({ profile, user }) => [profile, links.userKey(user)]), ...said.flatMap(({ profile, device }) => [profile, device])]);
    // Browsers whose person was forgotten since they chose: what they bring is nobody's wish any more.
    const forgotten = new Map(said.filter((one) => choices.isForgotten(work, one)).flatMap((one) => [one.profile, one.device].map((key) => [key, one.statement])));
    // What is older than an erasure is known, and forgotten.
    const kept = events.map((event) => remaining(work, event));
    const groups = Map.groupBy(kept.keys().filter((at) => kept[at] !== undefined), (at) => JSON.stringify([kept[at].key, kept[at].part]));
    const statuses = new Array(events.length).fill("duplicate");
    const moved = new Set();
    const written = new Map();
    const handed = new Set();
    const withdrawn = [];
    let isForSinks = linked.length === 0 && joins.length === 0 && work.now - this.#looked < LOOK_MS;
    this.ctx.storage.transactionSync(() => {
      const lines = [];
      for (const one of said.filter(({ profile }) => !forgotten.has(profile))) {
        const { isNews, begun } = hear(work, one);
        if (isNews) {
          handed.add(one.profile);
        }
        if (begun) {
          withdrawn.push(begun);
        }
      }
      isForSinks &&= handed.size + withdrawn.length === 0;
      for (const all of groups.values()) {
        const { key, part: name } = kept[all[0]];
        const wanted = forgotten.has(key) ? all.map(() => undefined) : this.#permitted(key, kept, all);
        const places = all.filter((at, n) => wanted[n] !== undefined);
        const own = wanted.filter((event) => event !== undefined);
        all.filter((at) => !places.includes(at)).forEach((at) => (statuses[at] = "dropped"));
        if (own.length === 0) {
          continue;
        }
        const { part, isNew, isChanged } = folding.take(work, key, name, own, imported);
        written.set(key, part);
        places.forEach((place, at) => {
          statuses[place] = isNew[at] ? "accepted" : "duplicate";
          if (isNew[at] && own[at].keep) {
            lines.push(own[at].json);
          }
        });
        isForSinks &&= part.dirty === 0 && part.targets === 0;
        if (isChanged) {
          links.changed(work, part);
          moved.add(key);
        }
      }
      linked.filter((one) => links.link(work, one)).forEach(({ profile }) => handed.add(profile));
      joins.filter((one) => links.join(work, one)).forEach(({ profile }) => handed.add(profile));
      noteViolations(this.#sql, events.flatMap(({ noted }, at) => (noted && statuses[at] === "accepted" ? [noted] : [])), work.now);
      outbox.put(this.#sql, lines, work.now, sinks);
      this.#moved(work, moved);
    });
    await Promise.all(withdrawn.map((one) => this.#takeBack(work, one)));
    if (handed.size > 0) {
      // Whose profile it becomes is to have it in their next page: but nobody waits for long.
      let late;
      await Promise.race([links.handOver(work, [...handed]), new Promise((resolve) => (late = setTimeout(resolve, PATIENCE_MS)))]);
      clearTimeout(late);
    }
    if (!isForSinks || this.#isWatched(sinks)) {
      await this.#wake(work.now, isForSinks);
    }
    const states = wants.map((want) => statesOf(work, want, written));
    const told = this.#told(wants).map((one, at) => (forgotten.has(wants[at].device) ? choices.toldForgotten(work, forgotten.get(wants[at].device)) : one));
    const quantiles = wants.length > 0 ? this.#quantiles() : undefined;
    // Whatever waits for outgoing messages: this one says that all of it is on disk.
    await this.ctx.storage.sync();
    return { statuses, states, told, quantiles };
  }

  /** Begins with the erasure of what a visitor withdrew. Never rejects: it is noted, and the alarm goes on with it. */
  async #takeBack(work, begun) {
    try {
      await begin(work, begun);
    } catch (error) {
      log("error", "not_erased", "what was withdrawn could not be erased at once; that is tried again", { error, site: this.#site });
    }
  }

  /** Events of a profile, at these places, as far as its person lets them be kept; undefined for each that they don't. */
  #permitted(key, events, places) {
    const denied = choices.deniedOf(this.#sql, key);
    return places.map((at) => choices.permitted(events[at], denied, this.#program?.consent?.traits));
  }

  /** What holds in the browsers that ask, by what was said of their profiles. */
  #told(wants) {
    return wants.map(({ profile, device }) => (device === undefined ? null : choices.toldTo(this.#sql, profile, device)));
  }

  async #hear(work, word) {
    work.names = await namesOf(work, [word.profile, word.from]);
    this.ctx.storage.transactionSync(() => choices.hear(work, word));
  }

  /** Hears what holds in a profile by what its user said elsewhere. */
  async hear(site, number, word) {
    await this.#hear(await this.#begin(site, number), word);
    await this.ctx.storage.sync();
  }

  /** Takes parts that other shards hand over. */
  async receive(site, number, parcels) {
    const work = await this.#begin(site, number);
    await this.#receive(work, parcels);
    await this.#wake(work.now);
    await this.ctx.storage.sync();
  }

  /** The states of profiles (see `statesOf`), and the site's quantiles. */
  async read(site, number, wants) {
    const work = await this.#begin(site, number);
    return { states: wants.map((want) => statesOf(work, want)), told: this.#told(wants), quantiles: this.#quantiles() };
  }

  /** What the owner asks for or writes: a function of owned.js by its name, with its arguments. */
  async own(site, number, name, ...given) {
    const work = await this.#begin(site, number);
    const answer = await owner.CALLS[name](work, ...given);
    if (owner.WRITES.has(name)) {
      await this.#wake(work.now);
      await this.ctx.storage.sync();
    }
    return answer;
  }

  async alarm() {
    this.#alarm = undefined;
    if (this.#site === undefined) {
      return;
    }
    await this.#prepare();
    const now = Date.now();
    const work = this.#work(now);
    noteSize(this.#sql);
    try {
      await folding.mendAll(work, (part) => {
        links.changed(work, part);
        this.#moved(work, [part.profile]);
      });
      await links.handOver(work);
      await choices.tellAll(work, (word) => this.#tell(word));
      const sinks = this.#sinks();
      if (sinks !== undefined) {
        await outbox.flush(this.#sql, this.env, { site: this.#site, shard: this.#number }, sinks, now);
      }
      if (this.#program !== undefined) {
        const quantiles = getMeta(this.#sql, "quantiles");
        this.ctx.storage.transactionSync(() => recheck(this.#sql, now, sinks, (after, limit) => profilesAfter(work, after, limit, quantiles)));
      }
      await sweepAll(work);
      await goOnAll(work);
      // Behind the sinks: nothing of before is written to the bucket any more.
      await takeOut(work);
      overwrite(work);
    } catch (error) {
      log("error", "alarm_failed", "what a shard does by itself failed; it is tried again", { error, site: this.#site });
      this.#alarm = now + 10_000;
      await this.ctx.storage.setAlarm(this.#alarm);
      return;
    }
    // Last, as it needs all other shards.
    await renewQuantiles(work, this.#number);
    await this.#wake(now);
  }
}
