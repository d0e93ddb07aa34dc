// The worker of the adapter: Shiki with its JavaScript engine, one state of the grammar for each block of code.
import { createCssVariablesTheme, createHighlighterCore } from "shiki/core";
import { createJavaScriptRegexEngine } from "shiki/engine/javascript";
import { bundledLanguages } from "shiki/langs";
import { bundledThemes } from "shiki/themes";

/** Longer lines are for machines, and stay plain. The editor that the grammars were made for does the same. */
const LONGEST = 20_000;

/** The theme of variables: what they are is a matter of the page's CSS. */
const VARIABLES = createCssVariablesTheme({ name: "variables", variablePrefix: "--riacho-code-" });

/** The names of the themes, the light one first. */
let themes = [VARIABLES.name];
let highlighter;

/** Block → its language, and the state of the grammar for each theme. */
const blocks = new Map();

async function start(theme) {
  const asked = theme === undefined ? [] : typeof theme === "string" ? [theme] : [theme.light, theme.dark];
  const load = (name) => {
    if (!Object.hasOwn(bundledThemes, name)) {
      throw new Error(`Shiki has no theme ${name}`);
    }
    return bundledThemes[name]();
  };
  const loaded = asked.length === 0 ? [VARIABLES] : await Promise.all(asked.map(load));
  themes = asked.length === 0 ? [VARIABLES.name] : asked;
  return await createHighlighterCore({
    themes: loaded,
    langs: [],
    // A pattern that JavaScript can't express is left out; the rest of its grammar still colours.
    engine: createJavaScriptRegexEngine({ forgiving: true }),
  });
}

async function open(block, language) {
  if (!Object.hasOwn(bundledLanguages, language)) {
    return false;
  }
  const shiki = await highlighter;
  await shiki.loadLanguage(bundledLanguages[language]);
  blocks.set(block, { language, states: themes.map(() => undefined) });
  return true;
}

async function tokenise(block, lines) {
  const shiki = await highlighter;
  const { language, states } = blocks.get(block);
  return lines.map((line) => {
    const layers = themes.map((theme, index) => {
      const tokens = shiki.codeToTokensBase(line, {
        lang: language,
        theme,
        grammarState: states[index],
        tokenizeMaxLineLength: LONGEST,
        tokenizeTimeLimit: 0,
      });
      states[index] = shiki.getLastGrammarState(tokens);
      const plain = shiki.getTheme(theme).fg.toLowerCase();
      return tokens[0].map(({ content, color }) => [content.length, color?.toLowerCase() === plain ? undefined : color]);
    });
    return layers.length === 1 ? ranges(layers[0]) : ranges(both(layers));
  });
}

/** Stretches of one colour each, laid end to end, as ranges; what has the text's own colour is none. */
function ranges(stretches) {
  const found = [];
  let start = 0;
  for (const [length, color] of stretches) {
    const end = start + length;
    const last = found.at(-1);
    if (color !== undefined && last?.end === start && last.color === color) {
      last.end = end;
    } else if (color !== undefined) {
      found.push({ start, end, color });
    }
    start = end;
  }
  return found;
}

/** Two lists of stretches as one: each has the colour for light and the one for dark. */
function both([light, dark]) {
  const merged = [];
  const rest = [light.map((stretch) => [...stretch]), dark.map((stretch) => [...stretch])];
  while (rest[0].length > 0 && rest[1].length > 0) {
    const [[a], [b]] = rest;
    const length = Math.min(a[0], b[0]);
    const plain = a[1] === undefined && b[1] === undefined;
    merged.push([length, plain ? undefined : `light-dark(${a[1] ?? "currentcolor"}, ${b[1] ?? "currentcolor"})`]);
    for (const list of rest) {
      list[0][0] -= length;
      if (list[0][0] === 0) {
        list.shift();
      }
    }
  }
  return merged;
}

addEventListener("message", async ({ data: { theme, question, block, language, lines, closed } }) => {
  if (closed) {
    blocks.delete(block);
  } else if (question === undefined) {
    highlighter = start(theme);
    highlighter.catch((error) => postMessage({ failed: String(error?.message ?? error) }));
  } else {
    try {
      postMessage({ question, answer: await (lines === undefined ? open(block, language) : tokenise(block, lines)) });
    } catch (error) {
      postMessage({ question, error: String(error?.message ?? error) });
    }
  }
});
