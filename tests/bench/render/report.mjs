// Writes the bench's section of docs/BENCHMARKS.md from what was measured, and nothing else.
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";

const START = "<!-- bench render: written by the bench, do not edit -->";
const END = "<!-- end of bench render -->";

const table = (head, rows) =>
  [`| ${head.join(" | ")} |`, `|${head.map((_, i) => (i === 0 ? "---" : "--:")).join("|")}|`, ...rows.map((row) => `| ${row.join(" | ")} |`)].join("\n");
const ms = (value) => (value === undefined ? "–" : value >= 100 ? Math.round(value).toLocaleString("en") : value.toFixed(value >= 10 ? 1 : 2));
const kb = (bytes) => (bytes === undefined ? "–" : `${Math.round(bytes / 1000)} KB`);
const size = (bytes) => (bytes >= 1_000_000 ? `${bytes / 1_000_000} MB` : `${bytes / 1000} KB`);

export function report(file, results) {
  const text = existsSync(file) ? readFileSync(file, "utf8") : "# Benchmarks\n\nEvery figure here is written by the program that measured it.\n";
  const section = [START, body(results), END].join("\n");
  const at = text.indexOf(START);
  const next = at < 0 ? `${text.trimEnd()}\n\n${section}\n` : text.slice(0, at) + section + text.slice(text.indexOf(END) + END.length);
  writeFileSync(file, next);
}

function body({ runs, about, examples, browser, versions, sizes, shapes, engines, budget, repeats, largestRepeats, took, quick }) {
  const find = (engine, shape, length, chunk) =>
    runs.find((run) => run.engine === engine && run.shape === shape && run.size === length && run.chunk === chunk);
  const cell = (run, value) =>
    run === undefined ? "–" : run.finished ? value(run) : `gave up at ${(run.share * 100).toFixed(0)} %`;
  const middle = Math.min(40_000, sizes.at(-1));
  const out = [
    "## Rendering",
    "",
    `\`cargo xtask bench render${quick ? " --quick" : ""}\`, one run of ${took} s: ${browser}, ${cpus().length} × ${cpus()[0]?.model ?? "unknown processor"}. ${versions.map(([name, version]) => `${name} ${version}`).join(", ")}.`,
    "",
    `Each chunk is brought to the screen before the next one comes. Cheap runs are repeated ${repeats} times, those of the largest size ${largestRepeats} times, and the one in the middle counts. What grows faster than its text is given up after ${budget.run / 1000} s of script in a run, ${budget.headline / 1000} s for the mixed text of 40 KB; the others after ${budget.linear / 1000} s. \`once\` renders only at the end and \`plain\` is text without markdown: they are limits, not rivals.`,
    "",
    "The smallest texts of a shape run code that is hardly warm. In `details` that is riacho's sanitiser, a second wasm module, which the browser compiles as it is called first: what it costs from then on stands with the larger texts.",
    "",
    "### At a glance",
    "",
    table(
      ["engine", `${size(middle)} mixed, chunks of 4: script, ms`, "the first time in a page, ms", "p99 of a chunk, ms", "elements removed", `CommonMark examples right, of ${examples}`, "two live answers: main thread, ms", "heap for 40 KB", "download, brotli"],
      engines.map((engine) => {
        const run = find(engine, "mixed", middle, 4);
        const { download, first, examples: right, heap, two } = about[engine];
        return [
          engine,
          cell(run, (r) => ms(r.total)),
          cell(first, (r) => ms(r.total)),
          cell(run, (r) => ms(r.p99)),
          run?.removed ?? "–",
          right ?? "–",
          two.share === 1 ? ms(two.task) : `gave up at ${(two.share * 100).toFixed(0)} %`,
          kb(heap),
          kb(download.bytes) + (download.withHtml ? ` (${kb(download.withHtml)} with raw HTML)` : ""),
        ];
      }),
    ),
  ];
  const held = aims(find, about, runs, shapes, sizes, engines);
  if (held.length > 0) {
    out.push("", "### What riacho aims at", "", table(["aim", "measured", "held?"], held));
  }
  for (const chunk of [4, 64]) {
    for (const length of sizes) {
      out.push("", `### ${size(length)}, chunks of ${chunk}: script time in ms`, "",
        table(["engine", ...shapes], engines.map((engine) => [engine, ...shapes.map((shape) => cell(find(engine, shape, length, chunk), (r) => ms(r.total)))])));
    }
  }
  for (const chunk of [4, 64]) {
    out.push("", `### Growth: a chunk in the last tenth over one in the first, at the largest size that finished, chunks of ${chunk}`, "",
      table(["engine", ...shapes], engines.map((engine) => [engine, ...shapes.map((shape) => {
        const run = runs.filter((r) => r.engine === engine && r.shape === shape && r.chunk === chunk && r.finished).at(-1);
        return run ? `${run.growth.toFixed(2)} (${size(run.size)})` : "–";
      })])));
    const tail = Math.min(200_000, sizes.at(-1));
    out.push("", `### p99 of a chunk at ${size(tail)}, chunks of ${chunk}, in ms`, "",
      table(["engine", ...shapes], engines.map((engine) => [engine, ...shapes.map((shape) => cell(find(engine, shape, tail, chunk), (r) => ms(r.p99)))])));
  }
  out.push("", `### Elements removed, ${size(middle)} in chunks of 4`, "",
    table(["engine", ...shapes], engines.map((engine) => [engine, ...shapes.map((shape) => cell(find(engine, shape, middle, 4), (r) => r.removed ?? "–"))])), "",
    "What riacho takes out again was a guess in the block that is being written: a reference that nothing has defined yet, shown as a link while its label was coming, or a footnote's label at the start of a line before its colon. Nothing is taken out of a block that is finished: `tests/tests/engine_work.rs`.");
  const lost = losses(find, shapes, sizes, engines);
  out.push("", "### Where riacho is behind", "", lost.length === 0 ? "Nowhere in this run." : lost.join("\n"));
  return out.join("\n");
}

/** The bounds that riacho is held to, each with what this run says. One that this run could not look at is left out. */
function aims(find, about, runs, shapes, sizes, engines) {
  const out = [];
  const judge = (aim, measured, held) => out.push([aim, measured, held ? "held" : "**not held**"]);
  const rival = engines.includes("streaming-markdown") && engines.includes("riacho");
  const [ours, theirs] = ["riacho", "streaming-markdown"].map((engine) => find(engine, "mixed", 40_000, 4));
  if (ours?.finished && theirs?.finished) {
    const ratio = ours.total / theirs.total;
    for (const most of [2, 3]) {
      judge(`40 KB mixed in chunks of 4: at most ${most}× streaming-markdown`, `${ratio.toFixed(2)}×`, ratio <= most);
    }
  }
  const own = runs.filter((run) => run.engine === "riacho");
  const unfinished = own.filter((run) => !run.finished);
  if (own.length > 0) {
    judge("every shape and size to its end", unfinished.length === 0 ? `${own.length} of ${own.length}` : unfinished.map((run) => `${run.shape}, ${size(run.size)} in ${run.chunk}s`).join("; "), unfinished.length === 0);
  }
  const worst = (list, value) => list.reduce((a, b) => (value(b) > value(a) ? b : a));
  const large = own.filter((run) => run.finished && run.size === 200_000 && run.chunk === 4);
  if (large.length > 0) {
    const run = worst(large, (r) => r.p99);
    judge("p99 of a chunk of 4 at 200 KB: under 0.5 ms in every shape", `${ms(run.p99)} ms at most (${run.shape})`, run.p99 < 0.5);
  }
  for (const chunk of [4, 64]) {
    const last = shapes.map((shape) => own.filter((r) => r.shape === shape && r.chunk === chunk && r.finished).at(-1)).filter(Boolean);
    if (last.length === 0) continue;
    const run = worst(last, (r) => r.growth);
    for (const most of [1.2, 1.5]) {
      judge(`growth of a chunk of ${chunk}: under ${most} in every shape`, `${run.growth.toFixed(2)} at most (${run.shape}, ${size(run.size)})`, run.growth < most);
    }
  }
  const [two, otherTwo] = [about.riacho?.two, about["streaming-markdown"]?.two];
  if (rival && two.share === 1 && otherTwo.share === 1) {
    judge("two live answers: no more of the main thread than streaming-markdown", `${ms(two.task)} ms beside ${ms(otherTwo.task)} ms`, two.task <= otherTwo.task);
  }
  return out;
}

/** Every shape and size in which a real rival took less script than riacho. */
function losses(find, shapes, sizes, engines) {
  const out = [];
  for (const chunk of [4, 64]) {
    for (const length of sizes) {
      for (const shape of shapes) {
        const ours = find("riacho", shape, length, chunk);
        if (ours === undefined) continue;
        for (const engine of engines.filter((name) => !["riacho", "once", "plain"].includes(name))) {
          const theirs = find(engine, shape, length, chunk);
          if (theirs?.finished && (!ours.finished || theirs.total < ours.total)) {
            out.push(`- ${shape}, ${size(length)} in ${chunk}s: ${engine} ${ms(theirs.total)} ms, riacho ${ours.finished ? `${ms(ours.total)} ms (${(ours.total / theirs.total).toFixed(2)}×)` : "gave up"}`);
          }
        }
      }
    }
  }
  return out;
}
