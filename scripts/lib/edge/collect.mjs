// The benchmark of collect: checks that every event counts, measures, and checks again.
import { summary, quantile } from "../bench/measure.mjs";
import { Problem, say } from "../run.mjs";
import { batch, profiles, rows, SEEN, startCollect, Visitor } from "./collecting.mjs";
import { Connection } from "./connection.mjs";
import { processorTime } from "./measure.mjs";
import { startOrigin } from "./origin.mjs";

/** How much is measured. */
export const FULL = { stored: 100_000, visitors: 500, latency: { warm: 50, requests: 300 }, throughput: { connections: 50, ms: 2000, rounds: 11 }, batch: 20, pages: { warm: 100, requests: 600 } };
export const QUICK = { stored: 2000, visitors: 60, latency: { warm: 5, requests: 20 }, throughput: { connections: 20, ms: 300, rounds: 2 }, batch: 20, pages: { warm: 5, requests: 30 } };

/** The page that is asked for. */
const PAGE = "/one/18";

/** Throws where what was acknowledged and what is counted differ. */
export async function assertCounted(port, visitors) {
  const connection = await Connection.open(port);
  try {
    for (const visitor of visitors.filter(({ acknowledged }) => acknowledged > 0)) {
      const counted = await visitor.counted(connection);
      if (counted !== visitor.acknowledged) throw new Problem(`${visitor.acknowledged} events of ${visitor.key} were acknowledged, ${counted} are counted.`);
    }
  } finally {
    connection.close();
  }
}

/** That an event counts once however often it comes, that the page then knows it, and that the bare objects write one row. */
async function check(ports, visitors) {
  for (const name of ["idoine", "many"]) {
    const connection = await Connection.open(ports[name]);
    const [visitor] = visitors[name];
    const statuses = [];
    for (const id of ["first", "second", "first", "third"]) statuses.push((await visitor.view(connection, id)).status);
    if (statuses.join() !== "accepted,accepted,duplicate,accepted") throw new Problem(`${name}: the events were ${statuses.join(", ")}. Nothing was measured.`);
    await assertCounted(ports[name], [visitor]);
    const { html } = await visitor.page(connection, PAGE, true);
    if (!html.includes(`>${SEEN}<`)) throw new Problem(`${name}: the page does not show what the profile says. Nothing was measured.`);
    connection.close();
  }
  for (const name of ["bare", "single"]) {
    const connection = await Connection.open(ports[name]);
    await visitors[name][0].view(connection);
    connection.close();
    if ((await rows(ports[name])) !== 1) throw new Problem(`${name}: one request did not make one row. Nothing was measured.`);
  }
}

const turned = (names, round) => names.map((_, place) => names[(round + place) % names.length]);

/** Medians of the ratios of ten parts of a run. */
function ratios(times, to) {
  const size = Math.max(1, Math.floor(times.length / 10));
  const parts = Array.from({ length: Math.floor(times.length / size) }, (_, at) => [times, to].map((list) => summary(list.slice(at * size, (at + 1) * size)).median));
  return summary(parts.map(([own, other]) => own / other));
}

/** One request after the other, to each in turn: milliseconds, and as a multiple of the one named `to`. */
async function latency(turns, to, { warm, requests }) {
  const names = Object.keys(turns);
  const times = Object.fromEntries(names.map((name) => [name, []]));
  for (let round = -warm; round < requests; round++) {
    for (const name of turned(names, Math.abs(round))) {
      const ms = await turns[name](Math.abs(round));
      if (round >= 0) times[name].push(ms);
    }
  }
  return Object.fromEntries(
    names.map((name) => {
      const sorted = [...times[name]].sort((a, b) => a - b);
      return [name, { p50: quantile(sorted, 0.5), p99: quantile(sorted, 0.99), toOther: ratios(times[name], times[to]) }];
    }),
  );
}

/** As many requests as open connections take, in rounds of each in turn: `each` of them is so many events. */
async function throughput(turns, pid, { connections, ms, rounds }) {
  const names = Object.keys(turns);
  const found = Object.fromEntries(names.map((name) => [name, { rate: [], cpu: [] }]));
  for (let round = -1; round < rounds; round++) {
    for (const name of turned(names, Math.abs(round))) {
      const { port, send, each } = turns[name];
      // Opened anew for each turn, as those that are idle meanwhile are closed.
      const open = await Promise.all(Array.from({ length: connections }, () => Connection.open(port)));
      const [begun, used] = [performance.now(), processorTime(pid)];
      let answers = 0;
      await Promise.all(
        open.map(async (connection) => {
          while (performance.now() - begun < ms) {
            await send(connection);
            answers += 1;
          }
        }),
      );
      const took = performance.now() - begun;
      open.forEach((connection) => connection.close());
      if (round < 0) continue;
      found[name].rate.push((answers * each * 1000) / took);
      if (used !== undefined) found[name].cpu.push(((processorTime(pid) - used) * 1000) / (answers * each));
    }
  }
  const by = (list) => summary(list.map((rate, round) => rate / found.bare.rate[round]));
  return Object.fromEntries(names.map((name) => [name, { rate: summary(found[name].rate), toBare: by(found[name].rate), cpu: found[name].cpu.length > 0 ? summary(found[name].cpu) : undefined }]));
}

/** Runs it. */
export async function benchCollect(plan, env) {
  const origin = await startOrigin();
  let workers;
  const open = [];
  try {
    workers = await startCollect(origin, env);
    const { ports, pid } = workers;
    const names = Object.keys(ports);
    const visitors = Object.fromEntries(names.map((name) => [name, Array.from({ length: plan.visitors }, (_, at) => new Visitor(at))]));
    await check(ports, visitors);
    const stored = { idoine: await profiles(ports.idoine), many: await profiles(ports.many, { key: visitors.many[0].key, count: plan.stored }) };
    const connect = async (port) => {
      const connection = await Connection.open(port);
      open.push(connection);
      return connection;
    };

    say(`pages, with ${stored.idoine} profile and with ${stored.many} stored`);
    const turns = {};
    for (const name of ["idoine", "many"]) {
      const connection = await connect(ports[name]);
      turns[name] = async () => (await visitors[name][0].page(connection, PAGE)).ms;
    }
    const pages = await latency(turns, "idoine", plan.pages);

    say("events, one after the other");
    const one = {};
    for (const name of names) {
      const connection = await connect(ports[name]);
      one[name] = async (round) => (await visitors[name][round % plan.visitors].view(connection)).ms;
    }
    const single = await latency(one, "bare", plan.latency);

    say(`events, on ${plan.throughput.connections} connections`);
    const many = {};
    for (const name of names) {
      let next = 0;
      many[name] = { port: ports[name], each: 1, send: (connection) => visitors[name][next++ % plan.visitors].view(connection) };
    }
    let from = 0;
    many.batch = { port: ports.idoine, each: plan.batch, send: (connection) => batch(connection, (from += plan.batch) - plan.batch, plan.batch) };
    const load = await throughput(many, pid, plan.throughput);

    say("whether all of them were counted");
    for (const name of ["idoine", "many"]) await assertCounted(ports[name], visitors[name]);
    const acknowledged = (name) => visitors[name].reduce((sum, visitor) => sum + visitor.acknowledged, 0);
    for (const name of ["bare", "single"]) if ((await rows(ports[name])) !== acknowledged(name)) throw new Problem(`${name}: ${acknowledged(name)} were acknowledged, ${await rows(ports[name])} are written.`);
    return { plan, stored, pages, latency: single, throughput: load, events: Object.fromEntries(names.map((name) => [name, acknowledged(name)])) };
  } finally {
    open.forEach((connection) => connection.close());
    await workers?.close();
    await origin.close();
  }
}
