//! From a question to HTML: pulldown-cmark writes its own events, and footnotes have the numbers that the engine gives.

use pulldown_cmark::{Event, Tag, TagEnd};
use riacho_flat::Error;
use riacho_flat::question::{Asked, Part, Question};
use riacho_flat::words::NOTE_ID;

/// The HTML that a question is about.
pub fn written(question: &[u8]) -> Result<String, Error> {
    let mut question = Question::new(question);
    let mut html = String::new();
    let (mut events, mut part) = (Vec::new(), Part::Whole);
    while let Some(asked) = question.step()? {
        match asked {
            Asked::Html(more) => {
                html.push_str(&write(&mut events));
                html.push_str(more);
            }
            Asked::Part(next) => {
                html.push_str(&write(&mut events));
                part = next;
            }
            Asked::Event(Event::Start(Tag::Paragraph) | Event::End(TagEnd::Paragraph), _)
                if part == Part::Inside => {}
            Asked::Event(event, number) => events.push(numbered(event, number)),
        }
    }
    html.push_str(&write(&mut events));
    Ok(html)
}

/// Where a footnote begins, which the renderer puts on a line of its own. The text of a question has none of these.
const NOTE: char = '\0';

/// The renderer counts the footnotes that it sees, and it does not see them all.
fn numbered(event: Event<'_>, number: usize) -> Event<'_> {
    match event {
        Event::FootnoteReference(label) => Event::InlineHtml(
            format!(
                "<sup class=\"footnote-reference\"><a href=\"#{NOTE_ID}{}\">{number}</a></sup>",
                escaped(&label)
            )
            .into(),
        ),
        Event::Start(Tag::FootnoteDefinition(_)) if number == 0 => Event::Html(format!("{NOTE}<div>").into()),
        Event::Start(Tag::FootnoteDefinition(label)) => Event::Html(
            format!(
                "{NOTE}<div class=\"footnote-definition\" id=\"{NOTE_ID}{}\">\
                 <sup class=\"footnote-definition-label\">{number}</sup>",
                escaped(&label)
            )
            .into(),
        ),
        event => event,
    }
}

fn write(events: &mut Vec<Event<'_>>) -> String {
    let mut html = String::new();
    pulldown_cmark::html::push_html(&mut html, events.drain(..));
    if html.contains(NOTE) {
        let html = html.replace("\n\0", "\n");
        return html.strip_prefix(NOTE).unwrap_or(&html).replace(NOTE, "\n");
    }
    html
}

fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    // Writing to a string does not fail.
    let _ = pulldown_cmark_escape::escape_html(&mut out, text);
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use pulldown_cmark::{Options, Parser};
    use riacho_flat::question::{put_event, put_html, put_part};

    const TEXT: &str = "a *b* [c](d \"e\") ![f](g)\n\n- h\n- i\n\n> j\n\n3. k\n\n```l m\nn\n```\n\n    o\n\n---\n\n\
        <p@q.r> $s$ <b>t</b>\\\nu\n\n<div>\n\n|v|w|\n|-|-:|\n|x|y|\n\n- [ ] z\n";

    fn question(text: &str, part: Part) -> Vec<u8> {
        let mut out = Vec::new();
        put_html(&mut out, "<i>");
        put_part(&mut out, part);
        Parser::new_ext(text, Options::all()).for_each(|event| put_event(&mut out, &event, 7));
        put_html(&mut out, "</i>");
        out
    }

    #[test]
    fn events_are_written_as_the_renderer_writes_them() {
        let mut html = String::new();
        pulldown_cmark::html::push_html(&mut html, Parser::new_ext(TEXT, Options::all()));
        assert_eq!(written(&question(TEXT, Part::Whole)).unwrap(), format!("<i>{html}</i>"));
    }

    #[test]
    fn a_part_may_be_without_its_paragraphs() {
        assert_eq!(written(&question("a *b*", Part::Inside)).unwrap(), "<i>a <em>b</em></i>");
    }

    #[test]
    fn footnotes_have_the_numbers_that_are_given() {
        let html = written(&question("a[^x]\n\n[^x]: b\n", Part::Whole)).unwrap();
        assert!(html.contains("<a href=\"#fn-x\">7</a>") && html.contains(">7</sup>\n<p>b</p>"), "{html}");
        // On lines of their own, and nothing is left of the mark.
        assert!(html.contains("</p>\n<div") && !html.contains('\0'), "{html}");
    }
}
