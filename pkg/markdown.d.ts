// The types of `riacho/markdown`: a part of what `riacho` has.
export {
  default,
  init,
  MarkdownStream,
  type CodeEvent,
  type CodeHeaderWords,
  type CodeOptions,
  type CustomBlock,
  type CustomBlockFunction,
  type HighlightRange,
  type Highlighter,
  type InitOptions,
  type LineHighlighter,
  type MarkdownStreamOptions,
  type RiachoError,
  type Started,
  type WasmSource,
} from "./index.js";
