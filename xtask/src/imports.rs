//! Short names for what a module imports and exports. wasm-bindgen's stand twice, in the wasm and in its glue, and many hold a
//! hash.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};

use crate::files;

/// The sections, and the one kind of import that wasm-bindgen makes.
const IMPORTS: u8 = 2;
const EXPORTS: u8 = 7;
const FUNCTION: u8 = 0;

/// The one export that keeps its name: what it is says nothing else.
const MEMORY: &[u8] = b"memory";

/// What there was, in the order of its short names.
#[derive(Debug, Default, PartialEq, Eq)]
struct Names {
    imports: Vec<String>,
    exports: Vec<String>,
}

/// Renames in both files.
pub fn shorten(wasm: &Path, glue: &Path) -> Result<()> {
    let (short, names) = renamed(&files::read(wasm)?).with_context(|| format!("in {}", wasm.display()))?;
    let mut script = files::read_text(glue)?;
    for (at, name) in names.imports.iter().enumerate() {
        // As the glue writes a member of the object that it imports.
        let (old, new) = (format!(" {name}: "), format!(" {}: ", short_name(at)));
        if script.matches(&old).count() != 1 {
            bail!("{} has not one {name}: wasm-bindgen writes another glue now", glue.display());
        }
        script = script.replace(&old, &new);
    }
    script = with_exports(&script, &names.exports);
    fs::write(wasm, short)?;
    Ok(fs::write(glue, script)?)
}

/// The glue with short names behind each `wasm.`, which is what it calls the exports.
fn with_exports(glue: &str, names: &[String]) -> String {
    const EXPORTS: &str = "wasm.";
    let mut pieces = glue.split(EXPORTS);
    let mut out = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '$';
        let (name, rest) = piece.split_at(piece.find(|c| !is_name(c)).unwrap_or(piece.len()));
        let at = names.iter().position(|known| known == name);
        out += EXPORTS;
        out += &at.map_or_else(|| name.to_owned(), short_name);
        out += rest;
    }
    out
}

/// Two letters, of which the glue's own names have none like it.
fn short_name(at: usize) -> String {
    let letter = |n: usize| char::from(b'a' + u8::try_from(n % 26).unwrap_or(0));
    format!("${}{}", letter(at / 26), letter(at))
}

/// The module with short names, and the long ones in their order.
fn renamed(wasm: &[u8]) -> Result<(Vec<u8>, Names)> {
    let mut reader = Reader { bytes: wasm, at: 8 };
    let mut out = wasm.get(..8).context("no wasm")?.to_vec();
    let mut names = Names::default();
    while reader.at < wasm.len() {
        let id = reader.byte()?;
        let section = reader.string()?;
        let mut section = section.to_vec();
        match id {
            IMPORTS => section = imports(&section, &mut names.imports)?,
            EXPORTS => section = exports(&section, &mut names.exports)?,
            _ => {}
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
        let name = String::from_utf8(reader.string()?.to_vec())?;
        // A function that needs no glue is imported as it is, from the script that has it.
        let is_direct = module.starts_with(b"./snippets/");
        let written = if is_direct { name.clone() } else { short_name(names.len()) };
        number(written.len(), &mut out);
        out.extend(written.bytes());
        if reader.byte()? != FUNCTION {
            bail!("import {at}, {name}, is no function");
        }
        if !is_direct {
            names.push(name);
        }
        out.push(FUNCTION);
        number(reader.number()?, &mut out);
    }
    Ok(out)
}

fn exports(section: &[u8], names: &mut Vec<String>) -> Result<Vec<u8>> {
    let mut reader = Reader { bytes: section, at: 0 };
    let mut out = Vec::new();
    let count = reader.number()?;
    number(count, &mut out);
    for _ in 0..count {
        let mut name = reader.string()?.to_vec();
        if name != MEMORY {
            let short = short_name(names.len()).into_bytes();
            names.push(String::from_utf8(std::mem::replace(&mut name, short))?);
        }
        number(name.len(), &mut out);
        out.extend(name);
        out.push(reader.byte()?);
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
    fn only_the_names_of_imports_and_exports_change() {
        let module = |import: &[u8], export: &[u8]| {
            let mut imports = vec![2, 11];
            imports.extend(b"./snippets/");
            imports.extend([1, b'd', FUNCTION, 3, 1, b'm']);
            number(import.len(), &mut imports);
            imports.extend(import);
            imports.extend([FUNCTION, 3]);
            let mut exports = vec![2, 6];
            exports.extend(b"memory\x02\x07");
            number(export.len(), &mut exports);
            exports.extend(export);
            exports.extend([FUNCTION, 8]);
            let mut wasm = b"\0asm\x01\0\0\0\x01\x01\0".to_vec();
            for (id, section) in [(IMPORTS, imports), (EXPORTS, exports)] {
                wasm.push(id);
                number(section.len(), &mut wasm);
                wasm.extend(section);
            }
            wasm.extend([0, 2, 1, b'x']);
            wasm
        };
        let long = [b'n'; 200];
        let (short, names) = renamed(&module(&long, &long)).unwrap();
        assert_eq!(short, module(b"$aa", b"$aa"));
        let name = vec![String::from_utf8(long.to_vec()).unwrap()];
        assert_eq!(names, Names { imports: name.clone(), exports: name });
        assert!(renamed(&short[..short.len() - 1]).is_err());
    }

    #[test]
    fn exports_are_renamed_where_the_glue_names_them_whole() {
        let names = ["push".to_owned(), "pushCut".to_owned()];
        let glue = "f(wasm.push, wasm.memory); wasm.pushCut(push); wasm = x;";
        assert_eq!(with_exports(glue, &names), "f(wasm.$aa, wasm.memory); wasm.$ab(push); wasm = x;");
    }
}
