//! Pages as a browser's parser reads them.

use html5ever::{
    tendril::StrTendril,
    tokenizer::{
        BufferQueue, TagKind, Token, TokenSink, TokenSinkResult, Tokenizer, TokenizerOpts,
        states::RawKind,
    },
};
use std::cell::RefCell;

/// The tags of a page, in their order.
#[derive(Debug, Default)]
pub(crate) struct Html(RefCell<Vec<Tag>>);

/// An opening tag and the text up to the next tag, opening or closing.
#[derive(Clone, Debug)]
pub(crate) struct Tag {
    name: String,
    attributes: Vec<(String, String)>,
    pub(crate) text: String,
    closed: bool,
}

impl Tag {
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }

    /// The names of its attributes.
    pub(crate) fn attributes(&self) -> impl Iterator<Item = &str> {
        self.attributes.iter().map(|(name, _)| name.as_str())
    }
}

impl Html {
    pub(crate) fn read(text: &str) -> Self {
        let tokenizer = Tokenizer::new(Self::default(), TokenizerOpts::default());
        let input = BufferQueue::default();
        input.push_back(StrTendril::from(text));
        let _ = tokenizer.feed(&input);
        tokenizer.end();
        tokenizer.sink
    }

    /// All tags of this name.
    pub(crate) fn tags(&self, name: &str) -> Vec<Tag> {
        self.all().into_iter().filter(|tag| tag.name == name).collect()
    }

    /// The names of all tags.
    pub(crate) fn names(&self) -> Vec<String> {
        self.all().into_iter().map(|tag| tag.name).collect()
    }

    pub(crate) fn all(&self) -> Vec<Tag> {
        self.0.borrow().clone()
    }
}

impl TokenSink for Html {
    type Handle = ();

    fn process_token(&self, token: Token, _: u64) -> TokenSinkResult<()> {
        let mut tags = self.0.borrow_mut();
        match token {
            Token::TagToken(tag) if tag.kind == TagKind::StartTag => {
                let attributes = tag.attrs.iter();
                let attributes =
                    attributes.map(|a| (a.name.local.to_string(), a.value.to_string()));
                let name = tag.name.to_string();
                let attributes = attributes.collect();
                tags.push(Tag {
                    name: name.clone(),
                    attributes,
                    text: String::new(),
                    closed: false,
                });
                // What a tree builder tells the tokenizer.
                return match name.as_str() {
                    "script" => TokenSinkResult::RawData(RawKind::ScriptData),
                    "style" => TokenSinkResult::RawData(RawKind::Rawtext),
                    "title" => TokenSinkResult::RawData(RawKind::Rcdata),
                    _ => TokenSinkResult::Continue,
                };
            }
            Token::TagToken(_) => {
                if let Some(tag) = tags.last_mut() {
                    tag.closed = true;
                }
            }
            Token::CharacterTokens(text) => {
                if let Some(tag) = tags.last_mut().filter(|tag| !tag.closed) {
                    tag.text.push_str(&text);
                }
            }
            _ => {}
        }
        TokenSinkResult::Continue
    }
}
