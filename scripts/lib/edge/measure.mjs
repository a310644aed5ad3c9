// Measuring: request by request in turn, then round by round, so that whatever disturbs the machine disturbs all of them.
import { readFileSync } from "node:fs";
import { quantile, summary } from "../bench/measure.mjs";
import { Connection } from "./connection.mjs";

/** A list that begins with another one each time. */
const turned = (names, round) => names.map((_, place) => names[(round + place) % names.length]);

/** Ticks of a second that the kernel counts processor time in. */
const TICKS = 100;

/** Seconds of processor time that a process has used; undefined where there is no /proc. */
export function processorTime(pid) {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, "latin1").replace(/^.*\) /, "").split(" ");
    return (Number(fields[11]) + Number(fields[12])) / TICKS;
  } catch {
    return undefined;
  }
}

/** Megabytes of memory that a process has; undefined where there is no /proc. */
export function memory(pid) {
  try {
    return Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, "latin1"))[1]) / 1024;
  } catch {
    return undefined;
  }
}

/** Medians of the ratios of halves of the requests tell how far the ratio can be relied on. */
function ratios(times, to) {
  const blocks = 10;
  const size = Math.floor(times.length / blocks);
  const median = (list, at) => summary(list.slice(at * size, (at + 1) * size)).median;
  return summary(Array.from({ length: blocks }, (_, at) => median(times, at) / median(to, at)));
}

/**
 * Requests one after the other, to each in turn.
 * @param {Record<string, number>} ports
 * @returns {Promise<Record<string, object>>} milliseconds; ratios to `plain`, as the median and spread of ten parts of the run
 */
export async function latency(ports, path, { warm, requests }) {
  const names = Object.keys(ports);
  const connections = {};
  for (const name of names) connections[name] = await Connection.open(ports[name]);
  const times = Object.fromEntries(names.map((name) => [name, { first: [], last: [] }]));
  for (let round = -warm; round < requests; round++) {
    for (const name of turned(names, Math.abs(round))) {
      const { first, last } = await connections[name].get(path);
      if (round >= 0) {
        times[name].first.push(first);
        times[name].last.push(last);
      }
    }
  }
  for (const connection of Object.values(connections)) connection.close();
  const figures = ([name, { first, last }]) => {
    const sorted = [...last].sort((a, b) => a - b);
    return [name, { p50: quantile(sorted, 0.5), p99: quantile(sorted, 0.99), first: summary(first).median, toPlain: ratios(last, times.plain.last), firstToPlain: ratios(first, times.plain.first) }];
  };
  return Object.fromEntries(Object.entries(times).map(figures));
}

/** Keeps `connections` busy until `isOver` says so; how many answers came. */
async function load(connections, path, isOver) {
  let answers = 0;
  await Promise.all(
    connections.map(async (connection) => {
      while (!isOver(answers)) {
        answers += 1;
        await connection.get(path);
      }
    }),
  );
  return answers;
}

async function opened(port, count) {
  return Promise.all(Array.from({ length: count }, () => Connection.open(port)));
}

/**
 * As many requests as 50 open connections take, in rounds of each in turn.
 * @returns {Promise<Record<string, object>>} answers a second, ratios to `plain` of the same round, and workerd's milliseconds of
 * processor time for an answer
 */
export async function throughput(ports, path, pid, { connections, ms, rounds }) {
  const names = Object.keys(ports);
  const open = {};
  for (const name of names) open[name] = await opened(ports[name], connections);
  const found = Object.fromEntries(names.map((name) => [name, { rate: [], cpu: [] }]));
  for (let round = -1; round < rounds; round++) {
    for (const name of turned(names, Math.abs(round))) {
      const [begun, used] = [performance.now(), processorTime(pid)];
      const answers = await load(open[name], path, () => performance.now() - begun >= ms);
      if (round < 0) continue;
      found[name].rate.push((answers * 1000) / (performance.now() - begun));
      if (used !== undefined) found[name].cpu.push(((processorTime(pid) - used) * 1000) / answers);
    }
  }
  for (const connection of Object.values(open).flat()) connection.close();
  const by = (list, to) => summary(list.map((value, round) => value / to[round]));
  return Object.fromEntries(
    names.map((name) => {
      const { rate, cpu } = found[name];
      return [name, { rate: summary(rate), toPlain: by(rate, found.plain.rate), cpu: cpu.length === 0 ? undefined : summary(cpu), cpuToPlain: cpu.length === 0 ? undefined : by(cpu, found.plain.cpu) }];
    }),
  );
}

/** Megabytes of workerd before `requests` requests and after each tenth of them. */
export async function memoryUnderLoad(port, path, pid, { connections, requests }) {
  const open = await opened(port, connections);
  const steps = [memory(pid)];
  for (let step = 1; step <= 10; step++) {
    await load(open, path, (answers) => answers >= requests / 10);
    steps.push(memory(pid));
  }
  for (const connection of open) connection.close();
  return steps;
}
