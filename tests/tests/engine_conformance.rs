//! However the text is cut, the finished page is that of the whole text rendered once.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;

use riacho_tests::oracle::{oracle, streamed};
use riacho_wasm::core::policy::Policy;

/// The inputs of the CommonMark spec and of pulldown-cmark's own spec files.
fn corpus() -> Option<Vec<(String, String)>> {
    let Some(folder) = std::env::var_os("RIACHO_CORPORA") else {
        eprintln!("skipped: RIACHO_CORPORA is not set");
        return None;
    };
    let text = std::fs::read_to_string(PathBuf::from(folder).join("conformance.jsonl")).expect("the corpus");
    let cases = text.lines().map(|line| {
        let case: serde_json::Value = serde_json::from_str(line).expect("a case");
        (format!("{} {}", case["src"], case["n"]), case["data"].as_str().expect("data").to_owned())
    });
    Some(cases.collect())
}

fn characters(text: &str) -> Vec<&str> {
    text.char_indices().map(|(at, c)| &text[at..at + c.len_utf8()]).collect()
}

/// Checks a text in one piece, by character and at every cut. Gives back what went wrong.
fn check(text: &str, every_cut: bool) -> Result<(), String> {
    let expected = oracle(text, &Policy::default(), "m");
    let compare = |what: &str, pieces: Vec<&str>| {
        let shown = catch_unwind(AssertUnwindSafe(|| streamed(pieces).page.shown()))
            .map_err(|_| format!("{what}: panicked"))?;
        if shown == expected {
            Ok(())
        } else {
            Err(format!("{what}\n  text     {text:?}\n  expected {expected}\n  shown    {shown}"))
        }
    };
    compare("whole", vec![text])?;
    compare("by character", characters(text))?;
    if every_cut {
        for (at, _) in text.char_indices() {
            compare(&format!("cut at {at}"), vec![&text[..at], &text[at..]])?;
        }
    }
    Ok(())
}

fn report(failures: Vec<String>, count: usize) {
    for failure in failures.iter().take(20) {
        eprintln!("{failure}");
    }
    assert!(failures.is_empty(), "{} of {count} texts differ", failures.len());
}

#[test]
fn the_corpus_at_every_cut() {
    let Some(cases) = corpus() else { return };
    assert!(cases.len() > 1000);
    let failures = cases
        .iter()
        .filter_map(|(name, text)| check(text, true).err().map(|error| format!("{name}: {error}")))
        .collect();
    report(failures, cases.len());
}

/// Cases that once went wrong, or nearly. Each has a name.
const NAMED: &[(&str, &str)] = &[
    ("generics stay text", "a `x` Vec<String> and <T>\n\n<Foo>\nbar\n"),
    ("a definition whose title goes on", "[a]\n\n[a]: /u\n\"title\ngoes on\"\n\n[a]\n"),
    ("a footnote in a link", "[**a[^1]b** c](/u) d\n\n[^1]: x\n"),
    ("a late footnote renumbers", "a[^b] c[^a]\n\n[^a]: one\n\nmore[^a]\n\n[^b]: two\n"),
    ("formatting that html5ever carries over", "<b>a\n\nb\n\n</b>c\n\nd\n"),
    ("details", "<details>\n<summary>s</summary>\n\n- a\n- b\n\n</details>\n\nafter\n"),
    ("html in an item", "- a <b>b\n- c\n\nd\n"),
    ("a list turns loose", "- a\n- b\n\n- c\n"),
    ("carriage returns from references", "a&#13;b&#13;\nc\n"),
    ("text after html", "</x>foo\n\n</y>bar\n\nbaz\n"),
    ("late link", "see [a] and [b]\n\ntext\n\n[a]: /a\n\nmore [b]\n\n[b]: /b 'B'\n"),
    ("the first definition counts", "[a]: /1\n\n[a]\n\n[a]: /2\n\n[a]\n"),
    ("an image", "![alt *x*](https://a.example/b.png \"t\")\n"),
    ("tasks", "- [x] a\n- [ ] b\n\n  c\n"),
    ("table", "|a|b|\n|:-|-:|\n|1|2|\n|<b>x|y\n\nz\n"),
    ("math", "$a$ and $$b$$ and $5 and $6\n"),
    (
        "a link whose text names another host",
        "[https://a.example](https://b.example/x) and [*a.exa*mple](/x)\n",
    ),
    (
        "such a link in raw HTML",
        "<b>x</b> [a.example](https://b.example)\n\n<a href=\"https://b.example\">a.example</a>\n",
    ),
    (
        "headings that links lead to",
        "[x](#o-que-é) [y](#two)\n\n# O que *é*?\n\nTwo\n---\n\n## a[^1]\n\n[^1]: n\n\n<h3>Two</h3>\n",
    ),
    (
        "text that lies",
        "a\u{202e}b\u{2066} &#x202e;&#x2067;c `d\u{202e}` ![e&#x202d;](/x \"f&#x202e;\")\n\n```\ng\u{202e}\n```\n",
    ),
    (
        "hidden text",
        "\u{e0068}\u{e0069} &#xE0068; 🏴\u{e0067}\u{e0062}\u{e0073}\u{e0063}\u{e0074}\u{e007f} 🏴\u{e0067}\n",
    ),
    ("hidden text in raw HTML", "<b title=\"&#x202e;\">&#x202e;&#xE0068;\u{202e}</b> 🏴&#xE0067;\u{e0067}\n"),
    (
        "runs that are not seen",
        "a\u{200b}\u{200b}\u{200b}\u{200b}\u{200b}&#8203;b&#8203;&#8203;&#8203;&#8203;&#8203;*&#8203;*\n\n<i>&#8203;&#8203;&#8203;&#8203;&#8203;</i>\n",
    ),
    ("raw rows in a table", "| a | b |\n|---|:-:|\n|<tr><td>"),
    ("a table in a table", "| a | b |\n|---|:-:|\n| a | b |\n---<table>__a| 1 | 2 |\n]"),
    ("a row that ends its table", "| a | b |\n|---|:-:|\n|</table>\n**"),
    ("formatting around a footnote", "<b>| a | b |\n|---|:-:|\n[^n]: note"),
    ("a list right behind a definition", "[a]: /a\n2) <i>\r\n"),
    ("a footnote in an open link of raw HTML", "[^n]\n\n<a href=\"/x\">\n\n[^n]: note"),
    ("a paragraph that ends itself in a list that turns loose later", "* a</p>\n* b\n\n  c\n* d"),
    ("a block in a line of a list that turns loose later", "1. a <div>b</div> c\n2. \n\n3. d\n"),
    ("a form in a line of a list that turns loose later", "- a<form>b\n- c\n- \n\n- d</form>e\n"),
    ("a definition inside of one piece of HTML", "<div>a\n\n[a]: /a\n[a]"),
    (
        "a definition that is none in the end",
        "[b]: /b 't'<!--\n<script>\n</script>](/u)\n\n[b]: /b 't' [a]](/u)word\n",
    ),
    ("raw HTML closes what raw HTML opened", "|<ul>| a | b |\n|---|:-:|\n\n---- ***</ul>\r["),
    ("raw formatting in a list that was loose", "+ \n\n+ | \n <i>"),
    ("a definition behind a list that ends late", "[linkme-3]: a\n   - a\n\n[linkme-4]: a\n    - b\n\nc\n"),
    ("a quote in an item of a list that turns loose", "* A\n  > i\n* H\n* T:\n\n  b\n"),
    ("what is held back would make a table of a paragraph", "<\n||<\n-|:<"),
    ("a tag that begins in what looks like a table's second line", "a\n| b |\n|---|:<b>c</b> |\n|---|:<i>d"),
    ("a definition over two lines, alone in the last item", "- a\n- [d\ne]:b"),
    ("the same, and more items", "* :$g| a| b \n* [1\n|d^]:|>\n* c\n\n[d\ne]"),
    ("an item in a table in an item", "- <table><li>\n|</table>\n> "),
    ("an item in a form in an item", "<ul><li>\n\n<form><li></form>\n\nb\n\n- c\n"),
    ("the same in one piece", "<ul><li>a<form><li></form>\n\nb\n\n- c\n"),
    ("an item's end that ends an outer element", "<div><li><div><form><li></form></div></li>\n\nb\n\n> c\n"),
    (
        "raw HTML right behind a tight paragraph",
        "- | a | b |\n|---|:-:|\n| a | b |\n|---|:-:|\n    </div>a<summary>s</summary>",
    ),
    (
        "comments beside tight paragraphs",
        "- a\n  <!-- b -->\n  c\n- <!-- d -->\n  e\n- f\n  <!-- g -->\n  <!-- h -->\n  i\n",
    ),
    (
        "capitals beside other letters",
        "<http://Aé.example> [b](https://Bü.example/x) <a href=\"https://Cü.example\">c</a>\n",
    ),
    ("hosts in other letters", "<http://a.é> [b](https://ü.example/x) <a href=\"https://ü.example\">c</a>\n"),
    ("a marker and a tab behind what looks like emphasis", "*\"\n*\t\n"),
    ("footnotes at the end of a tight item", "- [^1][^1]\n[^1]: \n"),
    ("tasks with nothing to do in a list that turns loose", "- [ ] \r- [ ] \n\r- **"),
    ("an empty item of a list that turns loose", "- **\n  ***\n\n  [^n]: note"),
    ("looseness that only headings are parted by", "- # a\n\n  # b\n  foo\n"),
    ("the same behind a tight paragraph", "- a\n  # b\n\n  # c\n- d\n"),
    ("the same with code", "1. # a\n\n   ```\n   x\n   ```\n   foo\n"),
    ("items without text, parted", "- a\n- # b\n\n- # c\n- d\n"),
    ("a list of headings, parted", "- # b\n\n- # c\n- d\n"),
    ("an inner list that turns loose", "- a\n  - b\n    # x\n\n    # c\n"),
    ("a list that turns loose in a quote", "> - b\n>   # x\n>\n>   # c\n> - d\n"),
    ("an empty quote is no blank line", "- b\n  # x\n  >\n  # c\n- d\n"),
    ("a blank line in code that is not closed", "- a\n- ```\n\n- # b\n- c\n"),
    ("a blank line in a comment that is not closed", "- a\n- <!--\n\n- # b\n- c\n"),
    ("items on one line behind a blank one", "- a\n\n- - # b\n  - c\n"),
    ("looseness that only a definition shows", "- a\n  # b\n\n  [x]: /y\n  # c\n- d\n"),
    ("the same in the last item", "- a\n- # b\n\n  [x]: /y\n"),
    ("the same in the first item", "- # b\n\n  [x]: /y\n- d\n"),
    ("a definition right behind a heading", "- a\n  # b\n  [x]: /y\n- d\n"),
    ("a definition behind a list", "- a\n- # b\n\n[x]: /y\n"),
    ("a definition in a list in an item", "- a\n  - # b\n\n    [x]: /y\n  - c\n- d\n"),
    ("generics in a tight list", "- a\n- <Foo>\n  bar\n- b\n"),
    ("a task with its text on the next line", "- [ ] \n  foo\n- b\n\n- [ ] \n  foo\n- [ ] \n"),
    ("an empty marker right behind a definition", "[b]: /u\r- \ntext"),
    ("the same behind an address that does not end in ASCII", "[b]:é\r- \ntext"),
    ("the same behind a definition that means nothing", "[b]: /1\n\n[B]: /u\n- \ntext"),
    ("the same in an item", "- [b]: /1\n- [b]: /2\n  - \n  text"),
    ("a table's head that does not end in ASCII", "| [a] | é\n|---|---\n| b | c |\n\nd\n\n[a]: /u\n"),
    ("looseness that only a second definition shows", "- a\n- # b\n  [x]: /z\n  # c\n\n  [x]: /y\n- # d\n"),
    ("the same behind the definition", "- a\n- [x]: /z\n\n  [X]: /y\n- # d\n"),
    ("the same in a quote", "> - a\n> - [x]: /z\n>   # c\n>\n>   [x]: /y\n> - # d\n"),
    ("line ends", "a\r\nb\rc\r\n\r\nd\0e\r"),
];

#[test]
fn named_cases() {
    let failures = NAMED
        .iter()
        .filter_map(|(name, text)| check(text, true).err().map(|e| format!("{name}: {e}")))
        .collect();
    report(failures, NAMED.len());
}
