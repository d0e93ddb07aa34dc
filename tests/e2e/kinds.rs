//! One body, three browsers: a test of each in a module of its own.

/// Each name is a `fn(Kind)` of the module that calls this.
macro_rules! in_each_browser {
    ($($name:ident),+ $(,)?) => {
        $crate::kinds::in_each_browser! { @in chromium Chromium $($name)+ }
        $crate::kinds::in_each_browser! { @in firefox Firefox $($name)+ }
        $crate::kinds::in_each_browser! { @in webkit WebKit $($name)+ }
    };
    (@in $module:ident $kind:ident $($name:ident)+) => {
        mod $module {
            $(#[test]
            fn $name() {
                super::$name(riacho_tests::wild::Kind::$kind);
            })+
        }
    };
}
pub(crate) use in_each_browser;
