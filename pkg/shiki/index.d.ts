// The types of riacho/shiki.
import type { Highlighter } from "../index.js";

export interface ShikiOptions {
  /**
   * A theme of Shiki's by name, or two, of which the text's `color-scheme` chooses. Without it the colours are CSS
   * variables, which riacho.css sets: `--riacho-code-token-keyword` and so on.
   */
  theme?: string | { light: string; dark: string };
  /**
   * Where the worker is, on a page without a bundler or with Trusted Types: its address, for which the adapter has a policy
   * `riacho-shiki`; or a function that makes it. Without it the worker is found beside the module, as bundlers do.
   */
  worker?: string | URL | (() => Worker);
}

/** For the option `highlight`. It needs the package `shiki`; the worker starts when the first block of code comes. */
export function shiki(options?: ShikiOptions): Highlighter;
