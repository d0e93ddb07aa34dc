//! The elements of a chat: the view of a conversation, one element a message, and what riacho adds around its text.
//!
//! The contract of the DOM stands in docs/ARCHITECTURE.md. An element stays the same as long as it is mounted.

use gloo_events::EventListener;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{Document, Element};

use riacho_protocol::{ConversationId, Map, MessageId, Role};

use super::drawing::{Drawing, Drawings};
use crate::core::client::{Appearance, Mount, News};
use crate::core::sweeper::Container;

/// What a reader asked for with a control that riacho put there.
pub enum Action {
    Retry(MessageId),
}

/// One message on the page.
struct Mounted {
    element: Element,
    /// Made when the first text comes; until then what a server rendered may stand there.
    drawing: Option<Drawing>,
    footer: Option<Element>,
}

pub struct Page {
    root: Element,
    view: Option<Element>,
    mounted: Map<MessageId, Mounted>,
    /// Elements that were on the page before and hold what no log does: they come back with their conversation.
    adopted: Map<MessageId, Element>,
    /// Nothing waits for the sanitiser any more.
    gave_up_sanitizer: bool,
    _clicks: EventListener,
}

impl Page {
    pub fn new(root: Element, on_action: impl Fn(Action) + 'static) -> Self {
        let clicks = EventListener::new(&root, "click", move |event| {
            if let Some(action) = event.target().and_then(|target| action_at(target.dyn_ref::<Element>()?)) {
                on_action(action);
            }
        });
        let (mounted, adopted) = (Map::default(), Map::default());
        Self { root, view: None, mounted, adopted, gave_up_sanitizer: false, _clicks: clicks }
    }

    /// Puts up the view of a conversation: the one that a server rendered, or an empty one.
    pub fn show(&mut self, conversation: &ConversationId) {
        if let Some(view) = self.view.take() {
            for element in messages_in(&view) {
                if let Some(id) = id_of(&element)
                    && self.mounted.get(&id).is_none_or(|mounted| mounted.drawing.is_none())
                {
                    self.adopted.insert(id, element);
                }
            }
            view.remove();
        }
        self.mounted.clear();
        let found = children(&self.root).find(|child| {
            child.get_attribute("data-conversation-view").as_deref() == Some(conversation.as_str())
        });
        let view = found.or_else(|| {
            let view = self.create("div", "conversation")?;
            set(&view, "data-conversation-view", conversation.as_str());
            self.root.append_child(&view).ok()?;
            Some(view)
        });
        self.view = view;
    }

    pub fn mount(&mut self, mount: &Mount) {
        let Some(view) = self.view.clone() else { return };
        let id = &mount.message_id;
        let there = messages_in(&view).into_iter().find(|element| id_of(element).as_ref() == Some(id));
        let element = match there.or_else(|| self.adopted.remove(id)).or_else(|| self.create("article", "")) {
            Some(element) => element,
            None => return,
        };
        element.set_class_name(match mount.role {
            Role::User => "message user",
            Role::Assistant => "message assistant",
        });
        set(&element, "data-message-id", id.as_str());
        set(&element, "data-conversation-id", mount.conversation_id.as_str());
        set(&element, "data-role", mount.role.as_str());
        if content_of(&element).is_none()
            && let Some(content) = self.create("div", "message-content")
        {
            // A new element, or one that a server filled without the wrapper.
            while let Some(child) = element.first_child() {
                if content.append_child(&child).is_err() {
                    break;
                }
            }
            let _ = element.append_child(&content);
        }
        if !element.is_connected() {
            let behind = mount.after.as_ref().and_then(|after| self.mounted.get(after));
            let place = match behind {
                Some(before) => before.element.next_sibling(),
                None if mount.after.is_some() => None,
                None => view.first_child(),
            };
            // It can only fail for a node that is not a child of the view, and both places are asked from it.
            let _ = view.insert_before(&element, place.as_ref());
        }
        self.mounted.insert(id.clone(), Mounted { element, drawing: None, footer: None });
        self.set_status(id, &mount.appearance);
    }

    pub fn unmount(&mut self, id: &MessageId) {
        let mounted = self.mounted.remove(id);
        if let Some(Mounted { element, drawing: Some(_), .. }) = &mounted {
            return element.remove();
        }
        let found = match mounted {
            Some(mounted) => Some(mounted.element),
            None => messages_in(&self.root).into_iter().find(|element| id_of(element).as_ref() == Some(id)),
        };
        if let Some(element) = found {
            element.remove();
            // No log has what a server rendered: the element comes back as it is.
            if has_text(&element) {
                self.adopted.insert(id.clone(), element);
            }
        }
    }

    /// Empties the content; the element stays.
    pub fn reset(&mut self, id: &MessageId) {
        // A message that was adopted where it stood has had no mount of its own.
        if !self.mounted.contains_key(id)
            && let Some(element) = messages_in(&self.root).into_iter().find(|e| id_of(e).as_ref() == Some(id))
        {
            let mounted = Mounted { element, drawing: None, footer: None };
            self.mounted.insert(id.clone(), mounted);
        }
        if let Some(mounted) = self.mounted.get_mut(id) {
            mounted.drawing = None;
            if let Some(content) = content_of(&mounted.element) {
                content.replace_children_with_node_0();
            }
        }
    }

    /// Brings the content of a message up to date. True while raw HTML in it waits for the sanitiser.
    pub fn paint(&mut self, news: &News, drawings: &Drawings, sanitizer: &JsValue) -> bool {
        let Some(mounted) = self.mounted.get_mut(&news.message_id) else { return false };
        if mounted.drawing.is_none() {
            let content = content_of(&mounted.element).filter(|_| !news.text.is_empty());
            let Some(content) = content else { return false };
            // What a server rendered goes when the log's text comes.
            content.replace_children_with_node_0();
            mounted.drawing = drawings.make(&content, news.message_id.as_str());
            if self.gave_up_sanitizer
                && let Some(drawing) = &mounted.drawing
            {
                drawing.give_up_sanitizer();
            }
        }
        mounted.drawing.as_ref().is_some_and(|drawing| drawing.show(news, sanitizer))
    }

    /// There will be no sanitiser, for what is on the page and for what comes.
    pub fn give_up_sanitizer(&mut self) {
        self.gave_up_sanitizer = true;
        self.mounted
            .values()
            .filter_map(|mounted| mounted.drawing.as_ref())
            .for_each(Drawing::give_up_sanitizer);
    }

    pub fn set_status(&mut self, id: &MessageId, appearance: &Appearance) {
        let Some(mounted) = self.mounted.get_mut(id) else { return };
        set(&mounted.element, "data-status", appearance.status.as_str());
        if appearance.paused {
            set(&mounted.element, "data-paused", "");
        } else {
            let _ = mounted.element.remove_attribute("data-paused");
        }
        if let Some(footer) = mounted.footer.take() {
            footer.remove();
        }
        let footer = self.root.owner_document().and_then(|document| footer(&document, appearance));
        if let Some(footer) = &footer {
            let _ = mounted.element.append_child(footer);
        }
        mounted.footer = footer;
    }

    /// The containers on the page. A second one with the same id is no container, and goes.
    pub fn survey(&self) -> Vec<Container> {
        let mut found = Map::default();
        for element in messages_in(&self.root) {
            let Some(message_id) = id_of(&element) else { continue };
            if let Some(mounted) = self.mounted.get(&message_id)
                && mounted.element != element
            {
                element.remove();
                continue;
            }
            let role = match element.get_attribute("data-role").as_deref() {
                Some("user") => Some(Role::User),
                Some("assistant") => Some(Role::Assistant),
                _ => None,
            };
            let container = Container { message_id: message_id.clone(), role, has_text: has_text(&element) };
            found.get_or_insert(message_id, container);
        }
        found.into_values().collect()
    }

    pub fn count(&self) -> u32 {
        u32::try_from(messages_in(&self.root).len()).unwrap_or(u32::MAX)
    }

    fn create(&self, tag: &str, class: &str) -> Option<Element> {
        let element = self.root.owner_document()?.create_element(tag).ok()?;
        if !class.is_empty() {
            element.set_class_name(class);
        }
        Some(element)
    }
}

/// A sentence and a button under the text, where there is something to say.
fn footer(document: &Document, appearance: &Appearance) -> Option<Element> {
    let notice = appearance.notice.as_ref()?;
    let footer = document.create_element("div").ok()?;
    footer.set_class_name("message-footer");
    set(&footer, "data-riacho-ui", "");
    set(&footer, "role", "status");
    let words = document.create_element("p").ok()?;
    words.set_class_name("message-notice");
    words.set_text_content(Some(notice));
    footer.append_child(&words).ok()?;
    if let Some(words) = &appearance.retry {
        let button = document.create_element("button").ok()?;
        button.set_class_name("message-retry");
        set(&button, "type", "button");
        set(&button, "data-riacho-action", "retry");
        button.set_text_content(Some(words));
        footer.append_child(&button).ok()?;
    }
    Some(footer)
}

fn action_at(target: &Element) -> Option<Action> {
    let control = target.closest("[data-riacho-action]").ok()??;
    // Only controls that riacho put there: text of a message has no such attribute, the policy lets none through.
    control.closest("[data-riacho-ui]").ok()??;
    let id = id_of(&control.closest("[data-message-id]").ok()??)?;
    match control.get_attribute("data-riacho-action")?.as_str() {
        "retry" => Some(Action::Retry(id)),
        _ => None,
    }
}

fn messages_in(root: &Element) -> Vec<Element> {
    let Ok(found) = root.query_selector_all("[data-message-id]") else { return Vec::new() };
    (0..found.length()).filter_map(|index| found.item(index)?.dyn_into().ok()).collect()
}

fn children(parent: &Element) -> impl Iterator<Item = Element> {
    let children = parent.children();
    (0..children.length()).filter_map(move |index| children.item(index))
}

fn content_of(message: &Element) -> Option<Element> {
    children(message).find(|child| child.class_list().contains("message-content"))
}

/// Text, or what stands for text.
fn has_text(message: &Element) -> bool {
    let content = content_of(message).unwrap_or_else(|| message.clone());
    let text = content.text_content().unwrap_or_default();
    !text.trim().is_empty()
        || content.query_selector("img,video,audio,canvas,svg,hr").ok().flatten().is_some()
}

fn id_of(message: &Element) -> Option<MessageId> {
    MessageId::new(message.get_attribute("data-message-id")?).ok()
}

fn set(element: &Element, name: &str, value: &str) {
    // It fails only for names that are no attribute names, and ours are literals.
    let _ = element.set_attribute(name, value);
}
