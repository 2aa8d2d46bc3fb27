//! One flat JSON object a line: the event's fields, then those of the spans around it.

use std::{cell::RefCell, fmt, io::Write as _};
use tracing::{
    Event, Subscriber,
    field::{Field, Visit},
    span::{Attributes, Id, Record},
};
use tracing_subscriber::{
    Layer,
    fmt::{
        MakeWriter,
        format::Writer,
        time::{FormatTime as _, SystemTime},
    },
    layer::Context,
    registry::LookupSpan,
};

/// A layer that writes each event as a line of JSON.
pub struct JsonLines<W> {
    writer: W,
}

impl<W> JsonLines<W> {
    /// A layer over the writer.
    pub const fn new(writer: W) -> Self {
        Self { writer }
    }
}

/// The fields of a span, each with its value as JSON.
#[derive(Default)]
struct SpanFields(Vec<(&'static str, String)>);

impl<S, W> Layer<S> for JsonLines<W>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    W: for<'a> MakeWriter<'a> + 'static,
{
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let mut fields = SpanFields::default();
        attributes.record(&mut fields);
        if let Some(span) = context.span(id) {
            span.extensions_mut().insert(fields);
        }
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        if let Some(span) = context.span(id)
            && let Some(fields) = span.extensions_mut().get_mut::<SpanFields>()
        {
            values.record(fields);
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        LINE.with_borrow_mut(|line| {
            line.text.clear();
            line.names.clear();
            line.begin(event);
            event.record(line);
            if let Some(innermost) = context.event_span(event) {
                for span in innermost.scope() {
                    if let Some(SpanFields(fields)) = span.extensions().get() {
                        for (name, value) in fields {
                            line.once(name, value);
                        }
                    }
                }
            }
            line.text.push_str("}\n");
            // A log that cannot be written is no reason to stop serving.
            let _ = self.writer.make_writer_for(event.metadata()).write_all(line.text.as_bytes());
        });
    }
}

thread_local! {
    static LINE: RefCell<Line> = const { RefCell::new(Line { text: String::new(), names: Vec::new() }) };
}

/// A line in the making, and the names already in it.
struct Line {
    text: String,
    names: Vec<&'static str>,
}

impl Line {
    fn begin(&mut self, event: &Event<'_>) {
        let metadata = event.metadata();
        self.text.push_str("{\"timestamp\":\"");
        let _ = SystemTime.format_time(&mut Writer::new(&mut self.text));
        self.text.push_str("\",\"level\":\"");
        self.text.push_str(metadata.level().as_str());
        self.text.push_str("\",\"target\":");
        quote(&mut self.text, metadata.target());
    }

    /// Writes a name; false when it is there already.
    fn name(&mut self, name: &'static str) -> bool {
        let new = !self.names.contains(&name);
        if new {
            self.names.push(name);
            self.text.push(',');
            quote(&mut self.text, name);
            self.text.push(':');
        }
        new
    }

    fn once(&mut self, name: &'static str, value: &str) {
        if self.name(name) {
            self.text.push_str(value);
        }
    }
}

/// Something that takes names with JSON values.
trait Fields {
    /// Where to write the value of this field; `None` to leave it out.
    fn slot(&mut self, name: &'static str) -> Option<&mut String>;
}

impl Fields for Line {
    fn slot(&mut self, name: &'static str) -> Option<&mut String> {
        self.name(name).then_some(&mut self.text)
    }
}

impl Fields for SpanFields {
    fn slot(&mut self, name: &'static str) -> Option<&mut String> {
        self.0.retain(|(n, _)| *n != name);
        self.0.push((name, String::new()));
        self.0.last_mut().map(|(_, value)| value)
    }
}

macro_rules! visit {
    ($($kind:ty),+) => { $(
        impl Visit for $kind {
            fn record_bool(&mut self, field: &Field, value: bool) {
                self.slot(field.name()).into_iter().for_each(|s| s.push_str(if value { "true" } else { "false" }));
            }
            fn record_i64(&mut self, field: &Field, value: i64) {
                self.slot(field.name()).into_iter().for_each(|s| plain(s, value));
            }
            fn record_u64(&mut self, field: &Field, value: u64) {
                self.slot(field.name()).into_iter().for_each(|s| plain(s, value));
            }
            fn record_f64(&mut self, field: &Field, value: f64) {
                self.slot(field.name()).into_iter().for_each(|s| {
                    if value.is_finite() { plain(s, value) } else { s.push_str("null") }
                });
            }
            fn record_str(&mut self, field: &Field, value: &str) {
                self.slot(field.name()).into_iter().for_each(|s| quote(s, value));
            }
            fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
                self.slot(field.name()).into_iter().for_each(|s| {
                    s.push('"');
                    let _ = fmt::Write::write_fmt(&mut Escaped(s), format_args!("{value:?}"));
                    s.push('"');
                });
            }
        }
    )+ };
}
visit!(Line, SpanFields);

fn plain(out: &mut String, value: impl fmt::Display) {
    let _ = fmt::Write::write_fmt(out, format_args!("{value}"));
}

fn quote(out: &mut String, text: &str) {
    out.push('"');
    let _ = fmt::Write::write_str(&mut Escaped(out), text);
    out.push('"');
}

/// Writes the inside of a JSON string ([RFC 8259 7](https://www.rfc-editor.org/rfc/rfc8259#section-7)).
struct Escaped<'a>(&'a mut String);

impl fmt::Write for Escaped<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let mut rest = text;
        while let Some(at) = rest.find(|c: char| c == '"' || c == '\\' || c.is_control()) {
            let (clean, from) = rest.split_at(at);
            self.0.push_str(clean);
            let mut chars = from.chars();
            match chars.next() {
                Some('\n') => self.0.push_str("\\n"),
                Some(c @ ('"' | '\\')) => self.0.extend(['\\', c]),
                Some(c) => write!(self.0, "\\u{:04x}", u32::from(c))?,
                None => {}
            }
            rest = chars.as_str();
        }
        self.0.push_str(rest);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};
    use std::{
        io,
        sync::{Arc, Mutex},
    };
    use tracing_subscriber::layer::SubscriberExt as _;

    #[derive(Clone, Default)]
    struct Buffer(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Buffer {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn lines(run: impl FnOnce()) -> Vec<Value> {
        let buffer = Buffer::default();
        let writer = buffer.clone();
        let layer = JsonLines::new(move || writer.clone());
        tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), run);
        let bytes = buffer.0.lock().unwrap().clone();
        let text = String::from_utf8(bytes).unwrap();
        text.lines().map(|l| serde_json::from_str(l).unwrap()).collect()
    }

    #[test]
    fn each_event_is_one_flat_object() {
        let lines = lines(|| {
            let span = tracing::info_span!(
                "request",
                request.id = "r1",
                client.id = tracing::field::Empty
            );
            let _entered = span.enter();
            span.record("client.id", "c1");
            tracing::info!(n = 1, x = -2.5, nan = f64::NAN, yes = true, text = "a\"b\\c\nd\u{1}\u{9b}é", debug = ?Some("x"), "it happened");
            tracing::warn!(client.id = "inner", "the nearest wins");
        });
        assert_eq!(lines.len(), 2);
        let first = &lines[0];
        assert_eq!(first["message"], "it happened");
        assert_eq!(first["level"], "INFO");
        assert_eq!(first["request.id"], "r1");
        assert_eq!(first["client.id"], "c1");
        assert_eq!(
            (&first["n"], &first["x"], &first["nan"], &first["yes"]),
            (&json!(1), &json!(-2.5), &Value::Null, &json!(true))
        );
        assert_eq!(first["text"], "a\"b\\c\nd\u{1}\u{9b}é");
        assert_eq!(first["debug"], "Some(\"x\")");
        assert!(first["timestamp"].as_str().unwrap().ends_with('Z'));
        assert_eq!(lines[1]["client.id"], "inner");
    }

    #[test]
    fn a_value_cannot_begin_a_line_of_its_own() {
        let lines = lines(|| tracing::info!(value = "x\r\n{\"level\":\"ERROR\"}\u{2028}", "one"));
        assert_eq!(lines.len(), 1);
    }
}
