// What the servers share: files of one folder under the demo's content policy, on a free port of this machine.
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { extname, join, normalize } from "node:path";

const CSP =
  "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self'; " +
  "connect-src 'self'; base-uri 'none'; form-action 'none'; require-trusted-types-for 'script'";
const TYPES = {
  ".css": "text/css",
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript",
  ".svg": "image/svg+xml",
  ".wasm": "application/wasm",
};

/** Serves the folder named on the command line. `answer(request, response)` has the first word: true, and it answers. */
export function serve(answer = () => false) {
  const folder = process.argv[2];
  const server = createServer(async (request, response) => {
    if (await answer(request, response)) {
      return;
    }
    const path = normalize(new URL(request.url, "http://localhost").pathname);
    const file = join(folder, path.endsWith("/") ? `${path}index.html` : path);
    try {
      const body = await readFile(file);
      response.writeHead(200, {
        "content-type": TYPES[extname(file)] ?? "application/octet-stream",
        "content-security-policy": CSP,
      });
      response.end(body);
    } catch {
      response.writeHead(404).end();
    }
  });
  server.listen(0, "127.0.0.1", () => console.log(`listening on http://127.0.0.1:${server.address().port}/`));
  return server;
}

export async function json(request) {
  let text = "";
  for await (const piece of request.setEncoding("utf8")) {
    text += piece;
  }
  return JSON.parse(text);
}

export const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** What the tests stream: `alfa0·água alfa1·água …`, as tests/e2e/text.rs writes it. */
export const pieces = (n) => Array.from({ length: n }, (_, i) => `alfa${i}·água `);
