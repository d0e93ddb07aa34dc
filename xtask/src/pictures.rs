//! The pictures of the demo: the test makes them all, and those that the docs show are kept in docs/pictures.

use anyhow::{Result, bail};

use crate::cx::Cx;
use crate::{files, test};

/// What README and the docs show.
const KEPT: [&str; 4] =
    ["tour-wide-light.png", "streaming-wide-dark.png", "tour-phone-light.png", "rtl-phone-dark.png"];

pub fn run() -> Result<()> {
    if !test::run(&test::Options::parse(&["e2e".to_owned(), "pictures_of_all".to_owned()])?)? {
        bail!("the pictures could not be made");
    }
    let cx = Cx::new()?;
    let made = cx.site().with_file_name("pictures");
    for name in KEPT {
        files::copy(&made.join(name), &cx.root.join("docs/pictures").join(name))?;
    }
    println!("all of them are in {}; docs/pictures has {}", made.display(), KEPT.join(", "));
    Ok(())
}
