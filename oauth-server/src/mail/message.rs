//! From letters to messages ([RFC 5322](https://www.rfc-editor.org/rfc/rfc5322)).

use super::Letter;
use crate::config::Config;
use anyhow::Context as _;
use lettre::{
    Address, Message,
    message::{
        Mailbox, MultiPart,
        header::{HeaderName, HeaderValue},
    },
};
use std::time::{Duration, SystemTime};

/// Whom letters are from.
pub(super) struct Stationery {
    from: Mailbox,
    reply_to: Option<Mailbox>,
}

impl Stationery {
    /// That of this configuration. Where nobody is named, letters are from `no-reply` at the host of the server.
    pub(super) fn new(config: &Config) -> anyhow::Result<Self> {
        let parse = |text: &String, key: &'static str| text.parse::<Mailbox>().context(key);
        let reply_to = &config.mail.reply_to;
        let reply_to = reply_to.as_ref().map(|text| parse(text, "mail.reply_to")).transpose()?;
        let from = match &config.mail.from {
            Some(text) => parse(text, "mail.from")?,
            None => Mailbox::new(None, nobody(config)),
        };
        Ok(Self { from, reply_to })
    }

    /// The message that a letter makes. A letter that is sent again makes the same.
    pub(super) fn message(
        &self,
        id: &str,
        created: i64,
        letter: &Letter,
    ) -> anyhow::Result<Message> {
        let to: Address = letter.to.parse().context("the address is none")?;
        let age = Duration::from_secs(created.try_into().unwrap_or_default());
        let mut builder = Message::builder()
            .from(self.from.clone())
            .to(Mailbox::new(None, to))
            .subject(letter.subject.clone())
            .date(SystemTime::UNIX_EPOCH + age)
            .message_id(Some(format!("<{id}@{}>", self.from.email.domain())));
        if let Some(reply_to) = &self.reply_to {
            builder = builder.reply_to(reply_to.clone());
        }
        // A machine wrote it: no machine should answer (RFC 3834 5).
        for (name, value) in
            [("Auto-Submitted", "auto-generated"), ("X-Auto-Response-Suppress", "All")]
        {
            let name = HeaderName::new_from_ascii_str(name);
            builder = builder.raw_header(HeaderValue::new(name, value.to_owned()));
        }
        let parts = MultiPart::alternative_plain_html(letter.text.clone(), letter.html.clone());
        builder.multipart(parts).context("the message cannot be made")
    }
}

/// An address nobody reads, at the host of the server if it has a name.
fn nobody(config: &Config) -> Address {
    let url = url::Url::parse(config.issuer().as_str()).ok();
    let host = url.as_ref().and_then(url::Url::domain).unwrap_or("localhost");
    Address::new("no-reply", host)
        .unwrap_or_else(|_| Address::new_dangerous("no-reply", "localhost"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn letter(to: &str, subject: &str) -> Letter {
        Letter {
            to: to.into(),
            subject: subject.into(),
            text: "Hello.\r\nBcc: eve@example.com\r\n\r\nYours".into(),
            html: "<p>Hello.</p>".into(),
        }
    }

    fn written(letter: &Letter) -> String {
        let stationery = Stationery::new(&Config::default()).unwrap();
        let message = stationery.message("abc", 1_790_000_000, letter).unwrap();
        String::from_utf8(message.formatted()).unwrap()
    }

    #[test]
    fn s2_08_a_letter_is_text_and_html_and_says_that_a_machine_wrote_it() {
        let text = written(&letter("ada@example.org", "Grüße"));
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        for line in [
            "From: no-reply@localhost",
            "To: ada@example.org",
            "Date: Mon, 21 Sep 2026 14:13:20 +0000",
            "Message-ID: <abc@localhost>",
            "Auto-Submitted: auto-generated",
            "MIME-Version: 1.0",
        ] {
            assert!(head.contains(line), "no {line:?} in {head}");
        }
        assert!(head.contains("multipart/alternative"), "{head}");
        assert!(head.contains("Subject: =?utf-8?b?"), "{head}");
        assert!(body.contains("text/plain; charset=utf-8"), "{body}");
        assert!(body.contains("text/html; charset=utf-8"), "{body}");
        assert!(!head.contains("Bcc"), "what a letter says is no header: {head}");
    }

    #[test]
    fn s2_08_no_header_can_be_written_by_an_address_or_a_subject() {
        for to in [
            "ada@example.org\r\nBcc: eve@example.com",
            "ada@example.org\nBcc: eve@example.com",
            "ada@example.org, eve@example.com",
            "ada@example.org>, <eve@example.com",
            "Ada <ada@example.org>",
            "ada@example.org\0",
            "ada example@example.org",
            "",
        ] {
            assert!(letter(to, "Hello").check().is_err(), "{to:?}");
            let stationery = Stationery::new(&Config::default()).unwrap();
            assert!(stationery.message("abc", 0, &letter(to, "Hello")).is_err(), "{to:?}");
        }
        for subject in ["Hello\r\nBcc: eve@example.com", "Hello\nX: y", "Hello\rX: y", "", "a\0b"] {
            assert!(letter("ada@example.org", subject).check().is_err(), "{subject:?}");
        }
        // Even unchecked.
        let text = written(&letter("ada@example.org", "Hello\r\nBcc: eve@example.com"));
        let (head, _) = text.split_once("\r\n\r\n").unwrap();
        assert!(!head.lines().any(|line| line.starts_with("Bcc")), "{head}");
        assert!(letter("ada@example.org", "Hello").check().is_ok());
    }
}
