// react-markdown with GFM, raw HTML and its sanitiser.
import Markdown from "react-markdown";
import rehypeRaw from "rehype-raw";
import rehypeSanitize from "rehype-sanitize";
import remarkGfm from "remark-gfm";
import { createElement, inReact } from "./react.js";

const plugins = { remarkPlugins: [remarkGfm], rehypePlugins: [rehypeRaw, rehypeSanitize] };

export function create(container) {
  return inReact(container, (text) => createElement(Markdown, plugins, text));
}
