// thetarnav/streaming-markdown: a character automaton that only appends. It does not sanitise.
import * as smd from "streaming-markdown";

export function create(container) {
  const parser = smd.parser(smd.default_renderer(container));
  return { push: (chunk) => smd.parser_write(parser, chunk), end: () => smd.parser_end(parser) };
}
