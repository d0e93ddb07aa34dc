//! What the demo looks like: one picture for each thing that it shows, phone and wide, light and dark. They are to be looked
//! at; what a test can say of them is that nothing stands out of the window and that they are small enough for a README.

use std::fs;
use std::time::Duration;

use riacho_tests::built;
use riacho_tests::page::Page;
use riacho_tests::scene::{Scene, Setup, play};
use serde_json::json;

/// Bytes of one picture.
const MOST: usize = 150_000;

/// A picture's name, the question, the status to wait for, and a word of the text that must have come.
const SHOWN: [(&str, &str, &str, &str); 7] = [
    ("welcome", "", "", ""),
    ("streaming", "slow, please: I want to read along", "streaming", "indented code"),
    ("tour", "Show me what markdown can do", "completed", ""),
    ("error", "error: break off, please", "error", ""),
    ("hostile", "hostile: text that tries everything", "completed", ""),
    ("code", "code: a long program", "streaming", "step_12"),
    ("rtl", "rtl: a text from right to left", "completed", ""),
];

async fn show(scene: &Scene, question: &str, status: &str, text: &str) {
    scene.page.run::<()>("document.getElementById('new').click();", vec![]).await;
    if question.is_empty() {
        return;
    }
    let script = "const composer = document.getElementById('message');
        composer.value = arguments[0];
        composer.form.requestSubmit();";
    scene.page.run::<()>(script, vec![question.into()]).await;
    let there = async |page: &Page| {
        let answers = page.answers().await;
        answers.into_iter().find(|answer| answer.status == status && answer.text.contains(text)).map(|_| ())
    };
    scene.page.until(question, there).await;
    if status == "completed" {
        scene.page.run::<()>("document.getElementById('chat').scrollTop = 0;", vec![]).await;
    }
}

#[test]
fn pictures_of_all_that_the_demo_shows() {
    let folder = built::site().with_file_name("pictures");
    fs::create_dir_all(&folder).expect("a folder beside the site");
    let setup = Setup::default().no_provider().relay_args(&["--demo-pace", "4", "--demo-chunk", "12"]);
    play(setup, async |scene| {
        let tools = scene.browser.driver.cdp();
        for (size, width, height) in [("wide", 1280, 800), ("phone", 390, 844)] {
            let window =
                json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": size == "phone"});
            tools
                .send_raw("Emulation.setDeviceMetricsOverride", window)
                .await
                .expect("a window of this size");
            for theme in ["light", "dark"] {
                let keep =
                    "localStorage.setItem('riacho:preferences', JSON.stringify({ theme: arguments[0] }));";
                scene.page.run::<()>(keep, vec![theme.into()]).await;
                scene.page.reload().await;
                for (name, question, status, text) in SHOWN {
                    scene
                        .page
                        .until("a conversation", async |page| {
                            (!page.conversation().await.is_empty()).then_some(())
                        })
                        .await;
                    show(scene, question, status, text).await;
                    // Colours, formulas and the list of conversations follow.
                    tokio::time::sleep(Duration::from_millis(700)).await;
                    let fits: (bool, bool) = scene
                        .page
                        .run(
                            "const scroller = document.getElementById('chat');
                            return [document.documentElement.scrollWidth <= innerWidth && scroller.scrollWidth <= scroller.clientWidth,
                                document.getElementById('send').getBoundingClientRect().bottom <= innerHeight];",
                            vec![],
                        )
                        .await;
                    assert_eq!(fits, (true, true), "{name}, {size}, {theme}");
                    let picture = scene.browser.driver.screenshot_as_png().await.expect("a picture");
                    assert!(picture.len() < MOST, "{name}, {size}, {theme}: {} bytes", picture.len());
                    fs::write(folder.join(format!("{name}-{size}-{theme}.png")), picture)
                        .expect("the picture is kept");
                    scene.page.run::<()>("chat.debug().messages.forEach(({ messageId, isStreaming }) => isStreaming && chat.stop(messageId));", vec![]).await;
                }
            }
        }
    });
    println!("the pictures are in {}", folder.display());
}
