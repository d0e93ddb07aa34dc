//! The tarball that npm would publish, and folders to unpack it in.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use crate::built;

/// A folder of one test's own, gone with it.
pub struct Folder(pub PathBuf);

impl Folder {
    #[must_use]
    pub fn make(name: &str) -> Folder {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let n = COUNT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("riacho-{name}-{}-{n}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).unwrap();
        Folder(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Runs it to its end, which must be a good one; what it printed.
pub fn run(command: &mut Command, dir: &Path) -> String {
    let output = command.current_dir(dir).stdin(Stdio::null()).output().unwrap();
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{command:?}\n{out}\n{err}");
    out.into_owned()
}

/// Packs the package into this folder; the tarball.
#[must_use]
pub fn pack(into: &Path) -> PathBuf {
    let mut npm = Command::new(built::npm());
    npm.args(["pack", "--silent", "--ignore-scripts", "--pack-destination"]).arg(into);
    let name = run(&mut npm, &built::pkg());
    into.join(name.trim())
}
