//! Habits that a reader of the sources can check, checked.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

/// Which module is on which floor; a module uses only lower ones.
const FLOORS: [(&str, u8); 26] = [
    ("model", 0),
    ("error", 0),
    ("params", 0),
    ("config", 1),
    ("ports", 1),
    ("pkce", 1),
    ("jose", 2),
    ("keys", 3),
    ("client_keys", 3),
    ("env", 4),
    ("client_auth", 5),
    ("openid", 5),
    ("issue", 6),
    ("grants", 7),
    ("authorize", 8),
    ("registration", 8),
    ("endpoints", 9),
    ("provider", 10),
    ("http", 11),
    ("fetch", 11),
    ("memory", 11),
    ("password", 11),
    ("oxide", 11),
    ("seaorm", 12),
    ("testing", 13),
    ("lib", 14),
];
/// The floors that are built without any of these.
const PURE: u8 = 10;
const IMPURE: [&str; 7] = ["axum", "tokio", "sea_orm", "sqlx", "hyper", "multer", "reqwest"];

struct Source {
    path: PathBuf,
    module: String,
    /// Without comments, and without the tests at the bottom.
    code: String,
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

fn sources() -> Vec<Source> {
    let mut paths = Vec::new();
    collect(&root(), &mut paths);
    assert!(paths.len() > 50, "{}", paths.len());
    paths.into_iter().map(read).collect()
}

fn collect(folder: &Path, into: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, into);
        } else if path.extension().is_some_and(|e| e == "rs") {
            into.push(path);
        }
    }
}

fn read(path: PathBuf) -> Source {
    let text = fs::read_to_string(&path).unwrap();
    let code = text
        .split("#[cfg(test)]\nmod tests {")
        .next()
        .unwrap()
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .collect::<Vec<_>>()
        .join("\n");
    let inside = path.strip_prefix(root()).unwrap();
    let module = inside.iter().next().unwrap().to_str().unwrap();
    let module = module.trim_end_matches(".rs").to_owned();
    Source { path, module, code }
}

/// The first words of all `crate::…` paths, those in braces too.
fn crate_words(code: &str) -> Vec<String> {
    let word = |text: &str| -> String {
        let end = text.find(|c: char| !(c.is_alphanumeric() || c == '_'));
        text[..end.unwrap_or(text.len())].to_owned()
    };
    let mut words = Vec::new();
    for (at, found) in code.match_indices("crate::") {
        let before = code[..at].chars().next_back();
        if before.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == '$') {
            continue;
        }
        let rest = &code[at + found.len()..];
        let Some(group) = rest.strip_prefix('{') else {
            words.push(word(rest));
            continue;
        };
        let mut depth = 1;
        let mut expect = true;
        for (i, c) in group.char_indices() {
            match c {
                '{' => depth += 1,
                '}' => depth -= 1,
                ',' if depth == 1 => expect = true,
                _ if expect && c.is_alphabetic() => {
                    words.push(word(&group[i..]));
                    expect = false;
                }
                _ => {}
            }
            if depth == 0 {
                break;
            }
        }
    }
    words
}

#[test]
fn a_module_uses_only_lower_floors() {
    let floors: BTreeMap<_, _> = FLOORS.into_iter().collect();
    let mut uses = 0;
    for source in sources() {
        let Some(&own) = floors.get(source.module.as_str()) else {
            panic!("{} has no floor", source.module)
        };
        for used in crate_words(&source.code) {
            // A name at the root of the crate is re-exported there from the top.
            let floor = *floors.get(used.as_str()).unwrap_or(&PURE);
            uses += 1;
            assert!(
                used == source.module || floor < own || own == 0 && floor == 0,
                "{} uses {used} of floor {floor} from floor {own}",
                source.path.display()
            );
        }
    }
    assert!(uses > 150, "{uses}");
}

#[test]
fn crate_words_reads_what_rust_reads() {
    let code = "use crate::{a, b::{c, d::e}, f::g,\n h};\nuse crate::i::j; x(crate::k::l) $crate::m my_crate::n";
    assert_eq!(crate_words(code), ["a", "b", "f", "h", "i", "k"]);
}

#[test]
fn the_protocol_knows_no_runtime_and_no_database() {
    let floors: BTreeMap<_, _> = FLOORS.into_iter().collect();
    for source in sources() {
        if floors[source.module.as_str()] > PURE {
            continue;
        }
        for name in IMPURE {
            let path = format!("{name}::");
            assert!(!source.code.contains(&path), "{name} in {}", source.path.display());
        }
    }
}

#[test]
fn time_and_randomness_come_from_the_ports() {
    for source in sources() {
        for name in [
            "SystemTime::now",
            "Instant::now",
            "Utc::now",
            "now_utc(",
            "new_v4(",
            "now_v7(",
            "thread_rng",
            "rand::rng",
            "OsRng",
            "CURRENT_TIMESTAMP",
        ] {
            let is_port = source.module == "ports" && name == "SystemTime::now";
            assert!(is_port || !source.code.contains(name), "{name} in {}", source.path.display());
        }
    }
}

/// The string literals that follow these words, the descriptions of errors.
fn descriptions(code: &str) -> Vec<String> {
    let mut found = Vec::new();
    for call in ["OAuthError::new(", "Self::new(ErrorCode", "invalid_request(", "invalid_grant("] {
        for (at, _) in code.match_indices(call) {
            let rest = &code[at + call.len()..];
            let Some(start) = rest.find('"') else {
                continue;
            };
            // Between the call and its literal there is at most the code.
            if rest[..start].contains(';') || rest[..start].contains("description") {
                continue;
            }
            let literal = &rest[start + 1..];
            let end = literal.find('"').unwrap();
            found.push(literal[..end].to_owned());
        }
    }
    found
}

/// RFC 6749 5.2: %x20-21 / %x23-5B / %x5D-7E.
#[test]
fn rfc6749_s5_2_descriptions_have_only_the_characters_allowed() {
    let all: Vec<_> = sources().iter().flat_map(|s| descriptions(&s.code)).collect();
    assert!(all.len() > 50, "{}", all.len());
    for text in all {
        assert!(!text.is_empty());
        let allowed = |b: u8| matches!(b, 0x20..=0x21 | 0x23..=0x5b | 0x5d..=0x7e);
        assert!(text.bytes().all(allowed), "{text:?}");
    }
}

#[test]
fn every_file_says_what_it_is_for() {
    for source in sources() {
        let text = fs::read_to_string(&source.path).unwrap();
        assert!(text.starts_with("//! "), "{}", source.path.display());
    }
}

#[test]
fn the_changelog_has_a_place_for_what_is_new() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../CHANGELOG.md");
    let text = fs::read_to_string(path).unwrap();
    assert!(text.lines().any(|l| l.starts_with("## ") && l.contains("Unreleased")));
}

/// Whatever a document names of the tree is there.
#[test]
fn documents_name_files_that_exist() {
    let top = root().parent().unwrap().parent().unwrap().to_owned();
    let folders =
        ["oauth-core/", "oauth-server/", "resource-guard/", "examples/", "scripts/", "docs/"];
    let mut named = 0;
    for document in ["README.md", "ARCHITECTURE.md", "docs/attacks.md"] {
        let text = fs::read_to_string(top.join(document)).unwrap();
        for quoted in text.split('`').filter(|q| !q.contains([' ', '\n', '*', '(', '<'])) {
            if folders.iter().any(|folder| quoted.starts_with(folder)) {
                named += 1;
                assert!(top.join(quoted).exists(), "{document} names {quoted}");
            }
        }
    }
    assert!(named > 50, "{named}");
}
