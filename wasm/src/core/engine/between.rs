//! Where definitions of links stand, those too that the parser passes over in silence: of a label that has one already.
//!
//! What no event covers is a container's prefix, a blank line or a definition. There are no blank lines in a definition. So
//! what begins with a bracket there is one up to the next blank line, or several, which then count as one.

use std::ops::Range;

use crate::core::pattern::{any_of, part_of};
use pulldown_cmark::{Event, Tag, TagEnd};

/// Gives the definitions in the order in which they stand among the events.
#[derive(Debug)]
pub struct Between<'a> {
    input: &'a str,
    /// The first definitions of their labels.
    known: Vec<Range<usize>>,
    next: usize,
    /// So far it is known what the input is.
    at: usize,
}

impl<'a> Between<'a> {
    /// `known` are the places of those that the parser names, in order.
    pub fn new(input: &'a str, known: Vec<Range<usize>>) -> Between<'a> {
        Between { input, known, next: 0, at: 0 }
    }

    /// The definitions that begin before `here` and behind what was covered last.
    pub fn until(&mut self, here: usize) -> Vec<Range<usize>> {
        let mut found = Vec::new();
        // Nothing is defined again where nothing is defined.
        if self.known.is_empty() {
            return found;
        }
        while let Some(known) = self.known.get(self.next).filter(|known| known.start < here) {
            self.next += 1;
            self.repeated(known.start, &mut found);
            found.push(known.clone());
            self.at = self.at.max(known.end);
        }
        self.repeated(here, &mut found);
        self.at = self.at.max(here);
        found
    }

    /// What the event is made of is no definition.
    pub fn cover(&mut self, event: &Event<'_>, at: &Range<usize>) {
        let until = match event {
            Event::Start(Tag::FootnoteDefinition(label)) => at.start + "[^]:".len() + label.len(),
            Event::Start(Tag::BlockQuote(_) | Tag::List(_) | Tag::Item)
            | Event::End(
                TagEnd::BlockQuote(_) | TagEnd::List(_) | TagEnd::Item | TagEnd::FootnoteDefinition,
            ) => return,
            _ => at.end,
        };
        self.at = self.at.max(until);
    }

    fn repeated(&self, until: usize, found: &mut Vec<Range<usize>>) {
        let mut at = self.at;
        let mut run: Option<Range<usize>> = None;
        for line in part_of(self.input, at..until).split_inclusive('\n') {
            let text = line.trim_end_matches(any_of(" \t>\n"));
            match &mut run {
                Some(run) if !text.is_empty() => run.end = at + text.len(),
                Some(_) => found.extend(run.take()),
                None => {
                    let begin = text.find('[').filter(|begin| !text[*begin..].starts_with("[^"));
                    run = begin.map(|begin| at + begin..at + text.len());
                }
            }
            at += line.len();
        }
        found.extend(run);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::engine::grammar;

    fn found(text: &str) -> Vec<&str> {
        let parser = grammar::parser(text, None);
        let mut known: Vec<_> = parser.reference_definitions().iter().map(|(_, d)| d.span.clone()).collect();
        known.sort_by_key(|span| span.start);
        let mut between = Between::new(text, known);
        let mut all = Vec::new();
        for (event, at) in parser.into_offset_iter() {
            let here = if matches!(event, Event::End(_)) { at.end } else { at.start };
            all.extend(between.until(here));
            between.cover(&event, &at);
        }
        all.extend(between.until(text.len()));
        all.into_iter().map(|at| &text[at]).collect()
    }

    #[test]
    fn those_of_a_label_that_has_one_are_found() {
        assert_eq!(found("[a]: /1\n\n# [a]\n\n[A]: /2 't\nu'\n\nb [a]: /3\n"), ["[a]: /1", "[A]: /2 't\nu'"]);
        assert_eq!(found("> - [a]: /1\n>   [a]: /2\n> - [a]: /3\n"), ["[a]: /1", "[a]: /2", "[a]: /3"]);
        assert_eq!(found("[^n]: [a]: /1\n\n    [a]: /2\n\n[^n]\n"), ["[a]: /1", "[a]: /2"]);
        assert_eq!(found("[a]: /1\n[b]: /2\n[a]: /3\n[a]: /4\n"), ["[a]: /1", "[b]: /2", "[a]: /3\n[a]: /4"]);
    }

    #[test]
    fn what_only_looks_like_one_is_not() {
        assert_eq!(found("[a]: /1\n\n- [a]: /2 x\n- b\n  [a]: /3\n- [ ] \n"), ["[a]: /1"]);
        assert_eq!(found("[a]: /1\n\n```\n[a]: /2\n```\n\n    [a]: /3\n\n<div>\n[a]: /4\n"), ["[a]: /1"]);
        assert_eq!(found("[a]: /1\n\n|[a]|\n|---|\n|[a]: /2|\n"), ["[a]: /1"]);
        assert_eq!(found("# [a]: /1\n"), [""; 0]);
    }
}
