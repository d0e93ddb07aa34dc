//! Files and folders: fingerprints, and making one folder equal to a list of files.

use std::collections::BTreeMap;
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

pub fn read(path: &Path) -> Result<Vec<u8>> {
    fs::read(path).with_context(|| format!("cannot read {}", path.display()))
}

pub fn read_text(path: &Path) -> Result<String> {
    fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))
}

pub fn make_dir(path: &Path) -> Result<()> {
    fs::create_dir_all(path).with_context(|| format!("cannot make {}", path.display()))
}

/// Copies, and leaves a file that is the same already alone, so that whoever watches it sees changes only.
pub fn copy(from: &Path, to: &Path) -> Result<()> {
    let bytes = read(from)?;
    if fs::read(to).is_ok_and(|old| old == bytes) {
        return Ok(());
    }
    if let Some(parent) = to.parent() {
        make_dir(parent)?;
    }
    fs::write(to, bytes).with_context(|| format!("cannot write {}", to.display()))
}

/// Every file below `dir`, as sorted paths relative to it. A folder that is not there has none.
pub fn below(dir: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut todo = vec![PathBuf::new()];
    while let Some(relative) = todo.pop() {
        let here = dir.join(&relative);
        if !here.is_dir() {
            continue;
        }
        for entry in fs::read_dir(&here).with_context(|| format!("cannot list {}", here.display()))? {
            let entry = entry?;
            let path = relative.join(entry.file_name());
            if entry.file_type()?.is_dir() { todo.push(path) } else { found.push(path) }
        }
    }
    found.sort();
    Ok(found)
}

/// Makes `dir` hold exactly these files: relative path → source.
pub fn sync(dir: &Path, wanted: &BTreeMap<PathBuf, PathBuf>) -> Result<()> {
    for (relative, source) in wanted {
        copy(source, &dir.join(relative))?;
    }
    for relative in below(dir)? {
        if !wanted.contains_key(&relative) {
            let extra = dir.join(relative);
            fs::remove_file(&extra).with_context(|| format!("cannot remove {}", extra.display()))?;
        }
    }
    Ok(())
}

/// A fingerprint of bytes, to tell "the same as last time". Nothing here is about security.
pub fn fingerprint(parts: &[&[u8]]) -> String {
    let mut hasher = DefaultHasher::new();
    parts.hash(&mut hasher);
    format!("{:016x}", hasher.finish())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_synced_folder_holds_exactly_what_was_wanted() {
        let dir = std::env::temp_dir().join(format!("riacho-xtask-sync-{}", std::process::id()));
        let (from, to) = (dir.join("from"), dir.join("to"));
        make_dir(&from).unwrap();
        make_dir(&to.join("old")).unwrap();
        fs::write(from.join("a"), "1").unwrap();
        fs::write(to.join("old/b"), "2").unwrap();
        sync(&to, &BTreeMap::from([(PathBuf::from("sub/a"), from.join("a"))])).unwrap();
        assert_eq!(below(&to).unwrap(), [PathBuf::from("sub/a")]);
        assert_eq!(fs::read(to.join("sub/a")).unwrap(), b"1");
        fs::remove_dir_all(dir).unwrap();
    }

    #[test]
    fn a_fingerprint_keeps_parts_apart() {
        assert_ne!(fingerprint(&[b"ab", b"c"]), fingerprint(&[b"a", b"bc"]));
        assert_eq!(fingerprint(&[b"ab"]), fingerprint(&[b"ab"]));
    }
}
