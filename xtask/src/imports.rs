//! Short names for what a module imports. wasm-bindgen's hold a hash each, twice: in the wasm and in its glue.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};

use crate::files;

/// The section of the imports, and the one kind of import that wasm-bindgen makes.
const IMPORTS: u8 = 2;
const FUNCTION: u8 = 0;

/// Renames in both files.
pub fn shorten(wasm: &Path, glue: &Path) -> Result<()> {
    let (short, names) = renamed(&files::read(wasm)?).with_context(|| format!("in {}", wasm.display()))?;
    let mut script = files::read_text(glue)?;
    for (at, name) in names.iter().enumerate() {
        // As the glue writes a member of the object that it imports.
        let (old, new) = (format!(" {name}: function("), format!(" {}: function(", short_name(at)));
        if script.matches(&old).count() != 1 {
            bail!("{} has not one {name}: wasm-bindgen writes another glue now", glue.display());
        }
        script = script.replace(&old, &new);
    }
    fs::write(wasm, short)?;
    Ok(fs::write(glue, script)?)
}

/// Two letters, of which the glue's own names have none like it.
fn short_name(at: usize) -> String {
    let letter = |n: usize| char::from(b'a' + u8::try_from(n % 26).unwrap_or(0));
    format!("${}{}", letter(at / 26), letter(at))
}

/// The module with short names, and the long ones in their order.
fn renamed(wasm: &[u8]) -> Result<(Vec<u8>, Vec<String>)> {
    let mut reader = Reader { bytes: wasm, at: 8 };
    let mut out = wasm.get(..8).context("no wasm")?.to_vec();
    let mut names = Vec::new();
    while reader.at < wasm.len() {
        let id = reader.byte()?;
        let section = reader.string()?;
        let mut section = section.to_vec();
        if id == IMPORTS {
            section = imports(&section, &mut names)?;
        }
        out.push(id);
        number(section.len(), &mut out);
        out.extend(section);
    }
    Ok((out, names))
}

fn imports(section: &[u8], names: &mut Vec<String>) -> Result<Vec<u8>> {
    let mut reader = Reader { bytes: section, at: 0 };
    let mut out = Vec::new();
    let count = reader.number()?;
    number(count, &mut out);
    for at in 0..count {
        let module = reader.string()?;
        number(module.len(), &mut out);
        out.extend(module);
        names.push(String::from_utf8(reader.string()?.to_vec())?);
        let short = short_name(at);
        number(short.len(), &mut out);
        out.extend(short.bytes());
        if reader.byte()? != FUNCTION {
            bail!("{} is no function", names[at]);
        }
        out.push(FUNCTION);
        number(reader.number()?, &mut out);
    }
    Ok(out)
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    fn byte(&mut self) -> Result<u8> {
        let byte = self.bytes.get(self.at).copied().context("it ends in the middle")?;
        self.at += 1;
        Ok(byte)
    }

    /// LEB128.
    fn number(&mut self) -> Result<usize> {
        let (mut number, mut shift) = (0, 0);
        loop {
            let byte = self.byte()?;
            number |= usize::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(number);
            }
            shift += 7;
        }
    }

    /// So many bytes as the number before them says.
    fn string(&mut self) -> Result<&'a [u8]> {
        let length = self.number()?;
        let string = self.bytes.get(self.at..self.at + length).context("it ends in the middle")?;
        self.at += length;
        Ok(string)
    }
}

fn number(mut number: usize, out: &mut Vec<u8>) {
    while number >= 0x80 {
        out.push((number & 0x7f) as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_names_of_imports_change() {
        let module = |name: &[u8]| {
            let mut import = vec![1, 1, b'm'];
            number(name.len(), &mut import);
            import.extend(name);
            import.extend([FUNCTION, 3]);
            let mut wasm = b"\0asm\x01\0\0\0\x01\x01\0".to_vec();
            wasm.push(IMPORTS);
            number(import.len(), &mut wasm);
            wasm.extend(import);
            wasm.extend([0, 2, 1, b'x']);
            wasm
        };
        let long = [b'n'; 200];
        let (short, names) = renamed(&module(&long)).unwrap();
        assert_eq!(short, module(b"$aa"));
        assert_eq!(names, [String::from_utf8(long.to_vec()).unwrap()]);
        assert!(renamed(&short[..short.len() - 1]).is_err());
    }
}
