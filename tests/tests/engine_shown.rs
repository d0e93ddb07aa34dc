//! What is shown of a text that is still being written does not depend on how it came.

use riacho_tests::oracle::Stream;

/// Text of the kind that answers are made of.
const PROSE: &[(&str, &str)] = &[
    (
        "styled",
        "The **river** is *calm* and `water *flows*` over [flat stones](https://a.example/x?y=1&z=2), ~~not~~ fast.\n\nThen __more__ of _it_.\n",
    ),
    (
        "nested",
        "A **strong *and* weak** one, *weak **and** strong*, a [**link** in `code`](/u) and **[a link](/v)**. Done!\n",
    ),
    (
        "lists",
        "Steps:\n\n1. **First:** do `this`\n2. *Second* [that](/x)\n   - deep **one**\n   - deep two!\n\n- [ ] task **a**\n- [x] task b\n",
    ),
    ("headings", "# Title **one** here\n\ntext\n\n## Another `x` of 3\n\nmore\n"),
    ("tables", "| name | what |\n|---|---|\n| **a** one | `b` |\n| [c](/d) | e *f* g |\n\nafter\n"),
    ("quotes", "> quoted **text** here\n> goes on *and* on\n\nafter `it`\n"),
    (
        "no syntax",
        "a * b, 2 < 3, x<y, snake_case_name, use **kwargs and *args, AT&T & co, $5 and $6, wow! 50% [sic] (ok).\n",
    ),
    ("other scripts", "**强调**后面的文字，“引号”和 *água* rápida… ✅ pronto **não**.\n"),
    ("lines", "line one **with\nstrong** over lines\nand *more* of\nit `here` too\n"),
    (
        "code",
        "```rust\nfn a() {\n\n    let x = `y`;\n  ~~~\n}\n```\n\nafter\n\n~~~\n```\n~~\n~~~\n- ```js\n  let a;\n    b\n  ```\n",
    ),
    (
        "rules and markers",
        "a\n\n---\n\nb\n\n1. c\n2. d\n\n***\n\n- - e\n\nhead\n====\n\n| a |\n|---|\n| b |\n\n---\n",
    ),
    (
        "references",
        "[one]: https://a.example/1\n[two]: /2 \"t w\"\n\nSee [the *book*][one], [two][] and [none][x], [y] or [z[i]] here[^2] and on[^n]. So.\n\nThen [one] text.\n\n[^1]: note **one**\n\nafter [one] and [a]: b\n\n[Note]: this is no definition\n",
    ),
    ("long runs", "so```a `b` c``` d, e ```f``` g````h```i\n```` j\n\nk```l\n```m\n```\n"),
    (
        "behind code",
        "```\na\n```\n\n| b | c |\n|---|---|\n| d | e |\n\n    f\n\nso **g** and [h](/i) j\n\n```\nk\n```\n# l\n\n```\nm\n```\n\n- n **o** p\n",
    ),
    ("not closed", "a **b and *c and `d\n\nnext [e and (f\n\nlast\n"),
];

/// Anchors of headings are brought up to date when the heading is whole.
fn without_anchors(shown: &str) -> String {
    let mut out = String::new();
    for (at, part) in shown.split("<h").enumerate() {
        if at > 0 {
            out.push_str("<h");
        }
        match part.split_once('>') {
            Some((head, rest)) if at > 0 && head.contains(" id=") => {
                out.push_str(head.split(' ').next().unwrap_or_default());
                out.push('>');
                out.push_str(rest);
            }
            _ => out.push_str(part),
        }
    }
    out
}

/// Where it differs from the text shown at once.
fn differs(text: &str, size: usize) -> Option<String> {
    let mut stream = Stream::default();
    let places: Vec<usize> =
        text.char_indices().map(|(at, _)| at).skip(size).step_by(size).chain([text.len()]).collect();
    let mut from = 0;
    for at in places {
        stream.piece(&text[from..at]);
        let mut once = Stream::default();
        once.piece(&text[..at]);
        let (shown, expected) = (without_anchors(&stream.page.shown()), without_anchors(&once.page.shown()));
        if shown != expected {
            return Some(format!(
                "after {:?} in {size}s\n  at once {expected}\n  shown   {shown}",
                &text[..at]
            ));
        }
        from = at;
    }
    None
}

#[test]
fn what_is_shown_does_not_depend_on_the_chunks() {
    let mut wrong = Vec::new();
    for (name, text) in PROSE {
        for size in [1, 2, 3, 4, 7] {
            wrong.extend(differs(text, size).map(|what| format!("{name}: {what}")));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
