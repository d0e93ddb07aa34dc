// Documents of every shape and any size: the same bytes in every run.

/** A small generator, so that no two paragraphs are the same. */
function* random(seed) {
  for (let x = seed; ; ) {
    x = (Math.imul(x, 1664525) + 1013904223) >>> 0;
    yield x;
  }
}

const WORDS = ("river brook water flows over small stones and the stream goes on while light falls between leaves " +
  "a reader waits for words that arrive one by one coração água rápida então depois margem").split(" ");

function writer(seed) {
  const numbers = random(seed);
  const next = (n) => numbers.next().value % n;
  const words = (n) => Array.from({ length: n }, () => WORDS[next(WORDS.length)]).join(" ");
  const styled = (n) => {
    const parts = [];
    for (let i = 0; i < n; i += 6) {
      const kind = next(8);
      const text = words(3);
      parts.push(words(3), kind === 0 ? `**${text}**` : kind === 1 ? `*${text}*` : kind === 2 ? `\`${text}\`` : kind === 3 ? `[${text}](https://example.com/${next(999)})` : text);
    }
    return parts.join(" ");
  };
  return { next, words, styled };
}

/** Each gives the i-th piece of a document of that shape. */
const PIECES = {
  paragraph: (w) => `${w.styled(24)}, `,
  fence: (w, i) => `${i === 0 ? "```js\n" : ""}const ${w.words(1)}${i} = ${w.next(1e6)}; // ${w.words(5)}\n`,
  list: (w) => `- ${w.styled(12)}\n`,
  "nested list": (w, i) => `${"  ".repeat(Math.min(i % 8, 6))}- ${w.styled(10)}\n`,
  quote: (w, i) => `> ${w.styled(12)}\n${i % 4 === 3 ? ">\n" : ""}`,
  table: (w, i) => `${i === 0 ? "| a | b | c |\n|---|---|---|\n" : ""}| ${w.words(3)} | **${w.words(2)}** | \`${w.next(1e5)}\` |\n`,
  links: (w, i) => `${w.words(4)} [${w.words(2)}][ref${i}] ${w.words(3)}${i % 5 === 4 ? ".\n\n" : " "}`,
  footnotes: (w, i) => `${w.words(8)}[^n${i}] ${w.words(4)}.\n\n[^n${i}]: ${w.words(9)}.\n\n`,
  details: (w) => `<details><summary>${w.words(3)}</summary>\n\n${w.styled(12)}\n\n</details>\n\n`,
  mixed: (w, i) =>
    [
      () => `## ${w.words(4)}\n\n`,
      () => `${w.styled(40)}.\n\n`,
      () => `${w.styled(30)}.\n\n`,
      () => `- ${w.styled(8)}\n- ${w.styled(8)}\n  - ${w.styled(6)}\n\n`,
      () => `\`\`\`rust\nfn ${w.words(1)}() -> u32 {\n    ${w.next(1e6)}\n}\n\`\`\`\n\n`,
      () => `| ${w.words(1)} | ${w.words(1)} |\n|---|---|\n| ${w.words(2)} | ${w.words(2)} |\n| ${w.words(2)} | ${w.words(2)} |\n\n`,
      () => `> ${w.styled(14)}\n\n`,
    ][i % 7](),
};

export const SHAPES = Object.keys(PIECES);

/** What must stand at the end of a document, for what stood before. */
const ENDINGS = {
  fence: () => "```\n",
  links: (count) => `\n\n${Array.from({ length: count }, (_, i) => `[ref${i}]: https://example.com/${i}\n`).join("")}`,
};

export function document(shape, size) {
  const w = writer(SHAPES.indexOf(shape) + 1);
  const pieces = [];
  for (let length = 0, i = 0; length < size; i += 1) {
    const piece = PIECES[shape](w, i);
    pieces.push(piece);
    length += piece.length;
  }
  return pieces.join("") + (ENDINGS[shape]?.(pieces.length) ?? "");
}

/** Cut into chunks of so many UTF-16 units. */
export function chunks(text, size) {
  const out = [];
  for (let at = 0; at < text.length; at += size) {
    out.push(text.slice(at, at + size));
  }
  return out;
}
