//! wasm-bindgen's glue without what riacho has no use for: it starts one compiled module (`pkg/src/loader.js` gets that), and
//! runs only where all that it needs is there.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};

use crate::files;

/// From here to its end the glue finds, fetches and starts its wasm.
const LOADS: &str = "async function __wbg_load(";
const STARTS: &str = "async function __wbg_init({ module_or_path: module }) {
    return __wbg_finalize_init(await WebAssembly.instantiate(module, __wbg_get_imports()), module);
}

export { __wbg_init as default };
";

/// What browsers of before 2021 need beside it.
const NO_REGISTRY: &str = "(typeof FinalizationRegistry === 'undefined')
    ? { register: () => {}, unregister: () => {} }
    : ";
const NO_ENCODE_INTO: &str = "if (!('encodeInto' in cachedTextEncoder)) {";

pub fn trim(glue: &Path) -> Result<()> {
    let trimmed = trimmed(&files::read_text(glue)?).with_context(|| format!("in {}", glue.display()))?;
    Ok(fs::write(glue, trimmed)?)
}

fn trimmed(glue: &str) -> Result<String> {
    let Some((glue, rest)) = glue.split_once(LOADS) else {
        bail!("no {LOADS}: wasm-bindgen writes another glue now");
    };
    if !rest.contains("__wbg_init as default") {
        bail!("it exports something else: wasm-bindgen writes another glue now");
    }
    let mut out = glue.replace(NO_REGISTRY, "");
    if let Some((before, after)) = out.split_once(NO_ENCODE_INTO) {
        let (_, after) = after.split_once("\n}\n").context("a block without an end")?;
        out = format!("{before}{after}");
    }
    Ok(out + STARTS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_starts_the_wasm_is_replaced_and_what_old_browsers_need_goes() {
        let kept = "const a = new FinalizationRegistry(b);\nconst cachedTextEncoder = new TextEncoder();\n";
        let glue = kept
            .replace("new FinalizationRegistry", &format!("{NO_REGISTRY}new FinalizationRegistry"))
            + NO_ENCODE_INTO
            + "\n    x = function () {\n    };\n}\nlet wasm;\n"
            + LOADS
            + "module, imports) {}\nexport { initSync, __wbg_init as default };\n";
        assert_eq!(trimmed(&glue).unwrap(), format!("{kept}let wasm;\n{STARTS}"));
        assert!(trimmed(kept).is_err());
    }
}
