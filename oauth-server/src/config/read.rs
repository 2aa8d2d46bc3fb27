//! Reading a merged table of values into sections, noting every problem on the way.

use super::{
    problem::Problems,
    section::{PREFIX, Section, env_name},
    setting::Setting,
};
use config::{Value, ValueKind};
use std::collections::BTreeMap;

/// One table of the configuration, from which settings are taken one by one.
pub(super) struct Reader<'a> {
    path: String,
    values: BTreeMap<String, Value>,
    problems: &'a mut Problems,
}

impl<'a> Reader<'a> {
    /// A reader over the merged configuration.
    pub(super) fn new(root: Value, problems: &'a mut Problems) -> Self {
        let values = into_table(root.kind).unwrap_or_default();
        Self { path: String::new(), values, problems }
    }

    fn key(&self, name: &str) -> String {
        if self.path.is_empty() { name.to_owned() } else { format!("{}.{name}", self.path) }
    }

    /// Takes a setting out of the table; `None` where it is unset or wrong.
    pub(super) fn take<T: Setting>(&mut self, name: &str) -> Option<T> {
        let twin = if T::SECRET { self.take_from_file(name) } else { None };
        let value = self.values.remove(name).filter(|v| v.kind != ValueKind::Nil);
        let key = self.key(name);
        if value.is_some() && twin.is_some() {
            self.problems.add(&key, format!("given together with {name}_file; give one of them"));
        }
        let value = value.or(twin)?;
        match T::read(&value.kind) {
            Ok(read) => Some(read),
            Err(what) => {
                self.problems.add(key.clone(), format!("{what}{}", origin(&value, &key)));
                None
            }
        }
    }

    /// The contents of the file that `<name>_file` names.
    fn take_from_file(&mut self, name: &str) -> Option<Value> {
        let twin = format!("{name}_file");
        let value = self.values.remove(&twin).filter(|v| v.kind != ValueKind::Nil)?;
        let key = self.key(&twin);
        let ValueKind::String(path) = &value.kind else {
            self.problems.add(key, "expected a path in quotes");
            return None;
        };
        match std::fs::read_to_string(path.trim()) {
            Ok(text) => {
                let line = text.strip_suffix('\n').unwrap_or(&text);
                let line = line.strip_suffix('\r').unwrap_or(line);
                Some(Value::new(None, ValueKind::String(line.to_owned())))
            }
            Err(e) => {
                let what = format!("cannot read the file {path:?}: {e}{}", origin(&value, &key));
                self.problems.add(key, what);
                None
            }
        }
    }

    /// Reads a section below this table, or, where the section has no name, out of this table.
    pub(super) fn part<S: Section>(&mut self) -> S {
        let name = S::NAME;
        if name.is_empty() {
            return S::read(self);
        }
        let key = self.key(name);
        let values = match self.values.remove(name) {
            None => BTreeMap::new(),
            Some(value) => into_table(value.kind).unwrap_or_else(|| {
                self.problems.add(&key, format!("expected a section, written [{name}]"));
                BTreeMap::new()
            }),
        };
        Reader { path: key, values, problems: self.problems }.finish()
    }

    /// Reads the entries of a list of tables.
    pub(super) fn entries<S: Section>(&mut self) -> Vec<S> {
        let name = S::NAME;
        let what = format!("expected a list of tables in a file, each written [[{name}]]");
        let items = match self.values.remove(name).map(|v| v.kind) {
            None => return Vec::new(),
            Some(ValueKind::Array(items)) => items,
            Some(_) => {
                self.problems.add(name, what);
                return Vec::new();
            }
        };
        let mut entries = Vec::with_capacity(items.len());
        for (index, item) in items.into_iter().enumerate() {
            let path = format!("{name}[{index}]");
            let Some(values) = into_table(item.kind) else {
                self.problems.add(path, &*what);
                continue;
            };
            entries.push(Reader { path, values, problems: self.problems }.finish());
        }
        entries
    }

    /// Reads a section from this table and reports what is left over.
    pub(super) fn finish<S: Section>(mut self) -> S {
        let read = S::read(&mut self);
        for (name, value) in std::mem::take(&mut self.values) {
            let key = self.key(&name);
            let near = S::names().into_iter().filter_map(|n| Some((distance(n, &name)?, n))).min();
            let hint =
                near.map_or_else(String::new, |(_, n)| format!("; did you mean {}?", self.key(n)));
            let what = format!("unknown key{}{hint}", origin(&value, &key));
            self.problems.add(key, what);
        }
        read
    }
}

/// Where a value came from, in words for the end of a message.
fn origin(value: &Value, key: &str) -> String {
    match value.origin() {
        Some("the environment") => format!(" (environment variable {})", env_name(key)),
        Some(file) => format!(" (in {file})"),
        None => String::new(),
    }
}

fn into_table(kind: ValueKind) -> Option<BTreeMap<String, Value>> {
    match kind {
        ValueKind::Table(table) => Some(table.into_iter().collect()),
        _ => None,
    }
}

/// How many edits lie between two names; `None` when they are not alike.
fn distance(a: &str, b: &str) -> Option<usize> {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, ca) in a.chars().enumerate() {
        let mut diagonal = i;
        let mut left = i + 1;
        for (cell, cb) in row.iter_mut().skip(1).zip(&b) {
            let best = (diagonal + usize::from(ca != *cb)).min(*cell + 1).min(left + 1);
            diagonal = std::mem::replace(cell, best);
            left = best;
        }
        if let Some(first) = row.first_mut() {
            *first = i + 1;
        }
    }
    row.last().copied().filter(|d| *d <= 2.max(a.len() / 3))
}

/// The prefix of environment variables with its separator, as the reader of the environment wants it.
pub(super) fn is_ours(variable: &str) -> bool {
    variable.get(..PREFIX.len() + 2).is_some_and(|p| p.eq_ignore_ascii_case(&format!("{PREFIX}__")))
}

#[cfg(test)]
mod tests {
    use super::distance;

    #[test]
    fn near_names_are_suggested() {
        assert_eq!(distance("port", "prot"), Some(2));
        assert_eq!(distance("port", "port"), Some(0));
        assert_eq!(distance("access_token_ttl", "access_token_lifetime"), None);
        assert_eq!(distance("host", "rotate"), None);
    }
}
