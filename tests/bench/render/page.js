// Runs in the page: feeds one engine, takes the time of each chunk, counts what was removed.
import { chunks, document as make } from "./shapes.mjs";
import { same } from "./same.js";

let engine;

export async function load(name) {
  engine = await import(`/engines/${name}.js`);
  await engine.ready?.();
}

function container() {
  const element = document.createElement("div");
  document.body.append(element);
  return element;
}

/** Elements taken out of the container, with what was in them. */
function watch(element) {
  let removed = 0;
  const count = (records) => {
    for (const record of records) {
      for (const node of record.removedNodes) {
        if (node.nodeType === Node.ELEMENT_NODE) {
          removed += 1 + node.getElementsByTagName("*").length;
        }
      }
    }
  };
  const observer = new MutationObserver(count);
  observer.observe(element, { childList: true, subtree: true });
  return () => {
    count(observer.takeRecords());
    observer.disconnect();
    return removed;
  };
}

const sum = (numbers) => numbers.reduce((a, b) => a + b, 0);
const mean = (numbers) => sum(numbers) / numbers.length;

/** One document, each chunk brought to the screen before the next; given up after `budget` ms of script. */
export async function measure({ shape, size, chunk, budget, count }) {
  const pieces = chunks(make(shape, size), chunk);
  const element = container();
  const removed = count ? watch(element) : () => undefined;
  const stream = engine.create(element);
  const times = new Float64Array(pieces.length);
  let spent = 0;
  let done = 0;
  for (; done < pieces.length && spent < budget; done += 1) {
    const start = performance.now();
    const shown = stream.push(pieces[done]);
    if (shown) await shown;
    times[done] = performance.now() - start;
    spent += times[done];
  }
  const finished = done === pieces.length;
  let ending = 0;
  if (finished) {
    const start = performance.now();
    await stream.end();
    ending = performance.now() - start;
  }
  const took = times.subarray(0, done);
  const sorted = Float64Array.from(took).sort();
  const tenth = Math.max(1, Math.floor(done / 10));
  const result = {
    finished,
    share: done / pieces.length,
    total: spent + ending,
    p99: sorted[Math.min(done - 1, Math.floor(done * 0.99))],
    max: sorted[done - 1],
    growth: mean(took.subarray(done - tenth)) / mean(took.subarray(0, tenth)),
    removed: removed(),
    elements: element.getElementsByTagName("*").length,
  };
  stream.free?.();
  element.remove();
  return result;
}

/** Two answers that stream at once, some chunks of each a frame. */
export async function two({ shape, size, chunk, perFrame, budget }) {
  const pieces = chunks(make(shape, size), chunk);
  const streams = [container(), container()].map((element) => ({ element, stream: engine.create(element) }));
  const start = performance.now();
  let at = 0;
  while (at < pieces.length && performance.now() - start < budget) {
    await new Promise(requestAnimationFrame);
    for (let i = 0; i < perFrame && at < pieces.length; i += 1, at += 1) {
      for (const { stream } of streams) await stream.push(pieces[at]);
    }
  }
  const share = at / pieces.length;
  for (const { stream, element } of streams) {
    if (share === 1) await stream.end();
    stream.free?.();
    element.remove();
  }
  return share;
}

/** How many examples end as the specification says, written character by character. */
export async function examples(list) {
  const right = [];
  for (const { number, markdown, html } of list) {
    const element = container();
    const stream = engine.create(element);
    try {
      for (const character of markdown) await stream.push(character);
      await stream.end();
      if (same(element, html)) right.push(number);
    } catch {
      // An engine that throws has not ended right.
    }
    stream.free?.();
    element.remove();
  }
  return right.length;
}

/** Keeps a finished document, for the heap to be looked at. */
export async function keep({ shape, size, chunk, budget }) {
  const stream = engine.create(container());
  let spent = performance.now();
  for (const piece of chunks(make(shape, size), chunk)) {
    await stream.push(piece);
    if (performance.now() - spent > budget) return false;
  }
  await stream.end();
  globalThis.kept = stream;
  return true;
}

Object.assign(globalThis, { bench: { load, measure, two, examples, keep } });
