//! The page as the design lets a test rely on it: messages, the view, the composer. Nothing of how it is built.

use std::time::{Duration, Instant};

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use thirtyfour::common::command::FormatRequestData;
use thirtyfour::session::handle::SessionHandle;
use thirtyfour::{By, RequestData, SessionId, WebDriver, WebElement};

use crate::PATIENCE;

/// One message element, wherever it is on the page.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Message {
    pub id: String,
    pub conversation: String,
    pub role: String,
    pub status: String,
    /// The text of its `.message-content`, without what riacho put around it.
    pub text: String,
    /// All the text in it: notices too.
    pub all: String,
}

const MESSAGES: &str = "
    return [...document.querySelectorAll('[data-message-id]')].map((element) => {
        const content = element.querySelector('.message-content');
        const copy = content ? content.cloneNode(true) : document.createElement('p');
        copy.querySelectorAll('[data-riacho-ui]').forEach((ui) => ui.remove());
        return {
            id: element.dataset.messageId,
            conversation: element.dataset.conversationId ?? '',
            role: element.dataset.role ?? '',
            status: element.dataset.status ?? '',
            text: copy.textContent,
            all: element.textContent,
        };
    });";

pub struct Page {
    driver: WebDriver,
}

impl Page {
    #[must_use]
    pub fn new(driver: WebDriver) -> Page {
        Page { driver }
    }

    pub async fn goto(&self, url: &str) {
        self.driver.goto(url).await.expect("the page loads");
    }

    pub async fn reload(&self) {
        self.driver.refresh().await.expect("the page loads again");
    }

    /// Runs a script with these arguments and reads what it returns.
    pub async fn run<T: DeserializeOwned>(&self, script: &str, args: Vec<Value>) -> T {
        let returned = self.driver.execute(script, args).await;
        let returned = returned.unwrap_or_else(|error| panic!("a script failed: {error}\n{script}"));
        returned
            .convert()
            .unwrap_or_else(|error| panic!("a script returned something else: {error}\n{script}"))
    }

    /// Every message on the page, in document order.
    pub async fn messages(&self) -> Vec<Message> {
        self.run(MESSAGES, vec![]).await
    }

    /// The answers on the page, in document order.
    pub async fn answers(&self) -> Vec<Message> {
        let mut messages = self.messages().await;
        messages.retain(|message| message.role == "assistant");
        messages
    }

    /// The conversation on screen; an empty string while there is none.
    pub async fn conversation(&self) -> String {
        self.run(
            "return document.querySelector('[data-conversation-view]')?.dataset.conversationView ?? '';",
            vec![],
        )
        .await
    }

    /// Waits until `look` finds something; a page that never gets there fails the test with what is on it.
    pub async fn until<T>(&self, what: &str, look: impl AsyncFn(&Page) -> Option<T>) -> T {
        let started = Instant::now();
        loop {
            if let Some(found) = look(self).await {
                return found;
            }
            if started.elapsed() > PATIENCE {
                panic!("never came: {what}\non the page: {:#?}", self.messages().await);
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
    }

    /// Waits for the only answer in the view to satisfy this.
    pub async fn answer(&self, what: &str, is: impl Fn(&Message) -> bool) -> Message {
        self.until(what, async |page| {
            let answers = page.answers().await;
            assert!(answers.len() <= 1, "one answer is one container: {answers:#?}");
            answers.into_iter().find(&is)
        })
        .await
    }

    /// Types into the composer and presses Send.
    pub async fn send(&self, text: &str) {
        self.send_as("Message", "Send", text).await;
    }

    /// The same, where the composer and the button have other names.
    pub async fn send_as(&self, composer: &str, button: &str, text: &str) {
        let composer = self.named("textarea, input, [role=textbox]", composer).await;
        composer.send_keys(text).await.expect("the composer takes text");
        self.press(button).await;
    }

    /// Types where the focus is. Keys without a character are WebDriver's: U+E00C is Escape.
    pub async fn keys(&self, keys: &str) {
        let focused = self.driver.active_element().await.expect("something has the focus");
        focused.send_keys(keys).await.expect("it takes keys");
    }

    /// Clicks the first element that is shown of those that this selector finds, as a reader does.
    pub async fn click(&self, css: &str) {
        let found = self
            .until(css, async |page| {
                for element in page.driver.find_all(By::Css(css)).await.ok()? {
                    if element.is_displayed().await.ok()? {
                        return Some(element);
                    }
                }
                None
            })
            .await;
        found.click().await.unwrap_or_else(|error| panic!("{css}: {error}"));
    }

    /// Presses a button by its accessible name.
    pub async fn press(&self, name: &str) {
        self.named("button", name).await.click().await.unwrap_or_else(|error| panic!("{name}: {error}"));
    }

    /// As the browser computes it; WebKit's driver can't say, and there what its markup says must do.
    async fn name_of(&self, element: &WebElement) -> Option<String> {
        if let Some(name) = accessible_name(element).await {
            return Some(name);
        }
        let script = "const [element] = arguments;
            return (element.ariaLabel ?? element.labels?.[0]?.textContent ?? element.textContent).trim();";
        // The page may have put another in its place since it was found.
        self.driver.execute(script, vec![element.to_json().ok()?]).await.ok()?.convert().ok()
    }

    /// The element with this accessible name.
    async fn named(&self, css: &str, name: &str) -> WebElement {
        self.until(&format!("{css} named {name:?}"), async |page| {
            for element in page.driver.find_all(By::Css(css)).await.ok()? {
                if page.name_of(&element).await? == name && element.is_displayed().await.ok()? {
                    return Some(element);
                }
            }
            None
        })
        .await
    }
}

/// What assistive technology calls it, as the browser works it out (WebDriver: "Get Computed Label").
async fn accessible_name(element: &WebElement) -> Option<String> {
    #[derive(Debug)]
    struct ComputedLabel(String);

    impl FormatRequestData for ComputedLabel {
        fn format_request(&self, session: &SessionId) -> RequestData {
            RequestData::new(
                http::Method::GET,
                format!("/session/{session}/element/{}/computedlabel", self.0),
            )
        }
    }

    let handle: &SessionHandle = element.handle();
    let answer = handle.cmd(ComputedLabel(element.element_id().to_string())).await.ok()?;
    answer.value::<String>().ok()
}
