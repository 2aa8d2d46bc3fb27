//! How a section of the configuration is declared: once, for the struct, its defaults, its reader and its reference.

use super::{read::Reader, setting::Setting};

/// The prefix of environment variables; `__` follows it and stands between section and key.
pub const PREFIX: &str = "OAUTH";

/// The environment variable of a key such as `server.port`.
pub fn env_name(key: &str) -> String {
    format!("{PREFIX}__{}", key.replace('.', "__").to_uppercase())
}

/// One section, or one entry of a list of tables.
pub(super) trait Section: Sized {
    /// Its name in TOML; empty for the top of the file.
    const NAME: &'static str;

    /// What it is for.
    fn about() -> String;

    /// Takes its settings out of the reader.
    fn read(reader: &mut Reader<'_>) -> Self;

    /// Its settings with their present values, in order.
    fn settings(&self) -> Vec<Described>;

    /// The names of its settings and of the sections below it.
    fn names() -> Vec<&'static str>;
}

/// A setting as the reference and the dump show it.
#[derive(Clone, Debug)]
pub(super) struct Described {
    /// Its name within the section.
    pub name: &'static str,
    /// What it means.
    pub text: String,
    /// Its type in words.
    pub kind: String,
    /// The value as TOML, secrets hidden; `None` where nothing is set.
    pub value: Option<String>,
    /// Whether it is a secret, so that `<name>_file` works too.
    pub secret: bool,
}

impl Described {
    pub(super) fn of<T: Setting>(name: &'static str, text: &[&str], value: &T) -> Self {
        Self { name, text: prose(text), kind: T::kind(), value: value.show(), secret: T::SECRET }
    }
}

/// Lines of a doc comment as running text.
pub(super) fn prose(lines: &[&str]) -> String {
    lines.iter().map(|l| l.trim()).collect::<Vec<_>>().join(" ").trim().to_owned()
}

/// Declares sections. Doc comments become the reference; the value after `=` is the default.
macro_rules! sections {
    ($(
        $(#[doc = $about:literal])+
        $name:ident [$path:literal] {
            $($(#[doc = $text:literal])+ $field:ident: $kind:ty = $default:expr,)+
        }
    )+) => { $(
        $(#[doc = $about])+
        #[derive(Clone, Debug)]
        pub struct $name { $($(#[doc = $text])+ pub $field: $kind,)+ }

        impl Default for $name {
            fn default() -> Self {
                Self { $($field: $default,)+ }
            }
        }

        impl $crate::config::section::Section for $name {
            const NAME: &'static str = $path;

            fn about() -> String {
                $crate::config::section::prose(&[$($about),+])
            }

            fn read(reader: &mut $crate::config::read::Reader<'_>) -> Self {
                let default = Self::default();
                Self { $($field: reader.take(stringify!($field)).unwrap_or(default.$field),)+ }
            }

            fn settings(&self) -> Vec<$crate::config::section::Described> {
                vec![$($crate::config::section::Described::of(stringify!($field), &[$($text),+], &self.$field),)+]
            }

            fn names() -> Vec<&'static str> {
                vec![$(stringify!($field),)+]
            }
        }
    )+ };
}
pub(crate) use sections;
