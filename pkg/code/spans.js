// Colours for browsers without the Custom Highlight API: spans, in finished code only, a slice at a time.

const SLICE = 8;
const FIELDS = 3;

/**
 * Wraps each range of a block that will not change any more. The text nodes are split and moved, never replaced.
 * @param {Element} code
 * @param {{ node: Text, start: number }[]} rows
 * @param {(number | string)[]} ranges start, end and class of each
 */
export function createSpans(code, rows, ranges) {
  let at = ranges.length - FIELDS;
  let row = rows.length - 1;
  const turn = () => {
    const restore = keepSelection(code);
    const until = performance.now() + SLICE;
    // From the end: what is before stays one text.
    while (at >= 0 && performance.now() < until) {
      const [start, end, name] = ranges.slice(at, at + FIELDS);
      while (rows[row].start >= end) {
        row -= 1;
      }
      const from = Math.max(start - rows[row].start, 0);
      wrap(rows[row].node, from, end - rows[row].start, name);
      if (start >= rows[row].start) {
        at -= FIELDS;
      } else {
        // The rest of it is in the row before.
        ranges[at + 1] = rows[row].start;
      }
    }
    restore();
    if (at >= 0) {
      setTimeout(turn, 0);
    }
  };
  turn();
}

function wrap(node, start, end, name) {
  if (end < node.length) {
    node.splitText(end);
  }
  const piece = start > 0 ? node.splitText(start) : node;
  const span = node.ownerDocument.createElement("span");
  span.className = name;
  piece.before(span);
  span.append(piece);
}

/** A text that moves loses the selection in it: it is put back, counted in characters. */
function keepSelection(code) {
  const selection = code.ownerDocument.getSelection();
  const ends = selection && [
    [selection.anchorNode, selection.anchorOffset],
    [selection.focusNode, selection.focusOffset],
  ];
  if (ends === null || !ends.some(([node]) => code.contains(node))) {
    return () => {};
  }
  const range = code.ownerDocument.createRange();
  const kept = ends.map(([node, offset]) => {
    if (!code.contains(node)) {
      return () => [node, offset];
    }
    range.setStart(code, 0);
    range.setEnd(node, offset);
    const length = range.toString().length;
    return () => placeAt(code, length);
  });
  return () => selection.setBaseAndExtent(...kept[0](), ...kept[1]());
}

function placeAt(code, offset) {
  const texts = code.ownerDocument.createTreeWalker(code, NodeFilter.SHOW_TEXT);
  let last = [code, 0];
  while (texts.nextNode()) {
    const { length } = texts.currentNode;
    if (offset <= length) {
      return [texts.currentNode, offset];
    }
    offset -= length;
    last = [texts.currentNode, length];
  }
  return last;
}
