//! Installs every tool at once, for who would rather wait now.

use anyhow::Result;

use crate::cx::Cx;
use crate::{tools, vendor};

pub fn run() -> Result<()> {
    let cx = Cx::new()?;
    tools::rust_components(&cx)?;
    tools::wasm_target(&cx)?;
    tools::npm()?;
    tools::browser()?;
    tools::others(&cx)?;
    tools::wasm_opt(&cx)?;
    tools::yt_dlp(&cx)?;
    vendor::modules(&cx)?;
    tools::wasm_bindgen(&cx)?;
    for folder in ["tests/servers", "tests/consumers"] {
        tools::node_modules(&cx, &cx.root.join(folder))?;
    }
    println!("all tools are there; what is not the system's is in {}", cx.cache.display());
    Ok(())
}
