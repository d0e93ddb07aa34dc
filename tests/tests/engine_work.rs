//! What a flush costs, counted in the engine's own work: the same on every machine, and flat in every shape.

use riacho_tests::oracle::{Page, Stream, oracle};
use riacho_wasm::core::policy::Policy;

/// Bounds the work of a whole text that is twice as long.
const DOUBLE: f64 = 2.2;
/// No flush does more, the amortised re-reading of one long leaf apart.
const MOST: u64 = 64 * 1024;

/// A name, and a text of about as many bytes as asked for.
type Shape = (&'static str, fn(usize) -> String);

fn shapes() -> Vec<Shape> {
    fn repeat(size: usize, mut line: impl FnMut(usize) -> String) -> String {
        let mut out = String::new();
        for n in 0.. {
            if out.len() >= size {
                break;
            }
            out.push_str(&line(n));
        }
        out
    }
    vec![
        ("paragraph", |size| repeat(size, |n| format!("word{n} is *here* and `there`. "))),
        ("paragraph of lines", |size| repeat(size, |n| format!("line {n} with **strong** words in it\n"))),
        ("paragraphs", |size| repeat(size, |n| format!("Paragraph {n} says a little, with *emphasis*.\n\n"))),
        ("fence", |size| "```rust\n".to_owned() + &repeat(size, |n| format!("let x{n} = {n}; // code\n"))),
        ("fences", |size| repeat(size, |n| format!("```js\nconst a = {n};\n```\n\ntext {n}\n\n"))),
        ("flat list", |size| repeat(size, |n| format!("- item {n} with *some* text\n"))),
        ("loose list", |size| repeat(size, |n| format!("- item {n}\n\n  more of it\n\n"))),
        ("numbered list", |size| repeat(size, |n| format!("{}. item with `code`\n", n + 1))),
        ("nested list", |size| {
            repeat(size, |n| format!("{}- item {n}\n", "  ".repeat([0, 1, 2, 3, 4, 3, 2, 1][n % 8])))
        }),
        ("one long nested list", |size| "- top\n".to_owned() + &repeat(size, |n| format!("  - item {n}\n"))),
        ("list of fences", |size| repeat(size, |n| format!("- item {n}\n\n  ```\n  code {n}\n  ```\n"))),
        ("quote", |size| repeat(size, |n| format!("> line {n} of a quote\n>\n"))),
        ("quoted list", |size| repeat(size, |n| format!("> - item {n}\n"))),
        ("table", |size| {
            "| a | b | c |\n|---|:-:|--:|\n".to_owned() + &repeat(size, |n| format!("| {n} | *x* | `y` |\n"))
        }),
        ("links, defined at the end", |size| {
            repeat(size / 2, |n| format!("See [the {n}th][l{n}] one.\n\n"))
                + &repeat(size / 2, |n| format!("[l{n}]: https://a.example/{n}\n"))
        }),
        ("footnotes", |size| {
            repeat(size / 2, |n| format!("A claim[^{n}] is made.\n\n"))
                + &repeat(size / 2, |n| format!("[^{n}]: Said by {n}.\n"))
        }),
        ("details", |size| {
            repeat(size, |n| format!("<details>\n<summary>s {n}</summary>\n\n- a\n- b\n\n</details>\n\n"))
        }),
        ("one long details", |size| {
            "<details>\n<summary>s</summary>\n\n".to_owned()
                + &repeat(size, |n| format!("Paragraph {n} of it.\n\n"))
        }),
        ("inline html", |size| repeat(size, |n| format!("Line {n} has <b>bold</b> and<br>a break.\n\n"))),
        ("mixed prose", |size| {
            repeat(size, |n| {
                format!(
                    "## Part {n}\n\nSome *text* with `code`, a [link](https://a.example/{n}) and **more**.\n\n\
                     1. one\n2. two\n   - deep\n\n```py\nprint({n})\n```\n\n| a | b |\n|---|---|\n| {n} | 2 |\n\n"
                )
            })
        }),
    ]
}

struct Cost {
    total: u64,
    most: u64,
}

fn pieces(text: &str, size: usize) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let end = rest.char_indices().map(|(at, _)| at).find(|&at| at >= size).unwrap_or(rest.len());
        let (head, tail) = rest.split_at(end);
        rest = tail;
        (!head.is_empty()).then_some(head)
    })
}

fn cost(text: &str) -> (Cost, Page) {
    let mut stream = Stream::default();
    let (mut before, mut most) = (0, 0);
    for piece in pieces(text, 4) {
        stream.piece(piece);
        let work = stream.engine.work();
        most = most.max(work.total() - work.amortised - before);
        before = work.total() - work.amortised;
    }
    stream.end();
    (Cost { total: stream.engine.work().total(), most }, stream.page)
}

#[test]
fn work_is_linear_in_every_shape() {
    let largest = if cfg!(debug_assertions) { 200_000 } else { 1_000_000 };
    let mut wrong = Vec::new();
    for (name, make) in shapes() {
        let mut sizes = vec![10_000, 20_000, 100_000, 200_000];
        sizes.extend([largest / 2, largest].into_iter().filter(|size| *size > 200_000));
        let costs: Vec<Cost> = sizes.iter().map(|size| cost(&make(*size)).0).collect();
        let per_byte: Vec<u64> =
            sizes.iter().zip(&costs).map(|(size, cost)| cost.total / *size as u64).collect();
        eprintln!("{name}: {per_byte:?} a byte, {} at most", costs.iter().map(|c| c.most).max().unwrap_or(0));
        for (at, pair) in costs.windows(2).enumerate() {
            let grown = sizes[at + 1] as f64 / sizes[at] as f64;
            let ratio = pair[1].total as f64 / pair[0].total as f64;
            // So much a doubling, however many doublings lie between the two.
            if ratio > DOUBLE.powf(grown.log2()) {
                wrong.push(format!("{name}: {} to {}: {ratio:.2} times the work", sizes[at], sizes[at + 1]));
            }
        }
        if let Some(cost) = costs.iter().find(|cost| cost.most > MOST) {
            wrong.push(format!("{name}: one flush did {}", cost.most));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn shapes_end_exactly() {
    for (name, make) in shapes() {
        let text = make(20_000);
        let (_, page) = cost(&text);
        assert!(page.shown() == oracle(&text, &Policy::default(), "m"), "{name}");
    }
}

#[test]
fn nothing_that_is_finished_is_made_again() {
    let mut wrong = Vec::new();
    for (name, make) in shapes() {
        let (_, page) = cost(&make(20_000));
        if page.removed_from_finished > 0 {
            let (finished, all, now) =
                (page.removed_from_finished, page.removed_elements, page.elements_now());
            wrong
                .push(format!("{name}: {finished} of {all} removed elements were finished, {now} are there"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What these have is shown as what it becomes, from its first character on.
#[test]
fn nothing_is_taken_back_in_plain_answers() {
    for (name, make) in shapes() {
        // Labels may not be defined, tags may be none, and one paragraph of many lines is read again at growing lengths.
        if name.contains("links")
            || name.contains("html")
            || ["footnotes", "paragraph of lines"].contains(&name)
        {
            continue;
        }
        let (_, page) = cost(&make(20_000));
        assert_eq!(page.removed_elements, 0, "{name}");
    }
}

#[test]
fn the_table_of_ids_does_not_grow() {
    for (name, make) in shapes() {
        // Leaves that wait for a definition stay known, and so does one long leaf while it is open.
        if name.contains("defined at the end") || name == "footnotes" || name.starts_with("paragraph") {
            continue;
        }
        let mut stream = Stream::default();
        let mut most = 0;
        for piece in pieces(&make(40_000), 16) {
            stream.piece(piece);
            most = most.max(stream.page.known());
        }
        // A tight list may still turn loose; two ids of each item are kept for that.
        let bound = if name.contains("list") { 8_000 } else { 3_000 };
        assert!(most < bound, "{name}: {most} nodes known at once");
    }
}

/// Inputs that are known to make markdown parsers slow.
fn pathological() -> Vec<Shape> {
    vec![
        ("nested brackets", |n| "[".repeat(n / 2) + &"]".repeat(n / 2)),
        ("open brackets", |n| "[a](".repeat(n / 4)),
        ("link openers", |n| "[a](<b".repeat(n / 6)),
        ("nested quotes", |n| ">".repeat(n)),
        ("quote lines", |n| "> ".repeat(50).repeat(n / 100) + "a"),
        ("emphasis openers", |n| "*a ".repeat(n / 3)),
        ("emphasis closers", |n| "a* ".repeat(n / 3)),
        ("alternating emphasis", |n| "*a _b ".repeat(n / 6)),
        ("nested strong", |n| "*a **a ".repeat(n / 7)),
        ("emphasis runs", |n| "a**b".to_owned() + &"c* ".repeat(n / 3)),
        ("backtick runs", |n| (1..).map(|k| format!("e{}", "`".repeat(k % 100))).take(n / 50).collect()),
        ("open comments", |n| "</".repeat(n / 4) + &"<!--".repeat(n / 8)),
        ("open tags", |n| "<a ".repeat(n / 3)),
        ("wide table", |n| format!("{}\n{}\n", "|x".repeat(n / 4), "|-".repeat(n / 4))),
        ("table rows without cells", |n| "|a|b|c|d|\n|-|-|-|-|\n".to_owned() + &"a\n".repeat(n / 2)),
        ("deep list", |n| (0..).map(|k| format!("{}- a\n", "  ".repeat(k % 80))).take(n / 80).collect()),
        ("list markers in one line", |n| "- ".repeat(n / 2)),
        ("many definitions", |n| (0..n / 12).map(|k| format!("[{k}]: u{k}\n")).collect()),
        ("one long label", |n| "[".to_owned() + &"a".repeat(n) + "]"),
        ("entities", |n| "&amp".repeat(n / 4)),
        ("dollars", |n| "$a $$b ".repeat(n / 7)),
        ("raw lists", |n| "<ul><li>".repeat(n / 8)),
        ("raw formatting", |n| "<b>\n\n".repeat(n / 50)),
        ("blank lines", |n| "\n".repeat(n)),
        ("one long line", |n| "x".repeat(n)),
        ("indented code", |n| "    code\n".repeat(n / 9)),
        ("open title", |n| "[a]: /u '".to_owned() + &"t\n".repeat(n / 2)),
    ]
}

#[test]
fn known_bad_inputs_are_linear_too() {
    let scale = if cfg!(debug_assertions) { 1 } else { 2 };
    let sizes = [20_000, 40_000, 80_000].map(|size| size * scale);
    let mut wrong = Vec::new();
    for (name, make) in pathological() {
        let costs = sizes.map(|size| cost(&make(size)).0.total);
        let grown = costs.windows(2).map(|pair| pair[1] as f64 / pair[0] as f64).fold(0.0, f64::max);
        eprintln!("{name}: {costs:?}, {grown:.2} times at most");
        if grown > DOUBLE {
            wrong.push(format!("{name}: {costs:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_removal_from_a_finished_block_is_seen() {
    use riacho_wasm::core::engine::{Batch, batch::op};
    let removed = |removed: u32| {
        let mut page = Page::default();
        let ops = vec![op::NAME, 1, 1, op::ELEMENT, 1, 1, 0, 0, op::ELEMENT, 2, 1, 0, 1, op::REMOVE, removed];
        page.apply(&Batch { ops, strings: "p".into() });
        page.removed_from_finished
    };
    assert_eq!((removed(1), removed(2)), (1, 0));
}
