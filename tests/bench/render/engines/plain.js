// A limit: plain text into text nodes of 1 KB, no markdown at all.
const NODE = 1024;

export function create(container) {
  let node;
  return {
    push(chunk) {
      if (node === undefined || node.length >= NODE) {
        node = document.createTextNode("");
        container.append(node);
      }
      node.appendData(chunk);
    },
    end() {},
  };
}
