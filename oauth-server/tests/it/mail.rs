//! Letters: the outbox, the mail server, the folder.

use crate::{
    post_office::{Mood, PostOffice, Speech, letters_in},
    support::{Server, TestClock, config, logged, start, start_in, two_on},
};
use futures_util::future::join;
use oauth_core::{error::PortError, testing::TestDatabase};
use oauth_server::{
    entity::letter,
    mail::{self, Fate, Letter, trial},
    metrics::Metrics,
};
use sea_orm::{EntityTrait as _, PaginatorTrait as _};
use std::{collections::BTreeSet, time::Duration};
use tokio::sync::watch;

const ADA: &str = "ada@example.org";

fn letter(subject: &str) -> Letter {
    Letter {
        to: ADA.into(),
        subject: subject.into(),
        text: format!(
            "Hello Ada,\n\n{subject}: http://127.0.0.1:4999/confirm?token=hush-hush-hush\n"
        ),
        html: "<p>Hello Ada</p>".into(),
    }
}

async fn queue(server: &Server, subject: &str) {
    let (mail, letter) = (server.state.mail.clone(), letter(subject));
    let work =
        server.state.store.write(move |t| Box::pin(async move { mail.queue(t, letter).await }));
    work.await.unwrap();
}

async fn waiting(server: &Server) -> u64 {
    server.state.mail.waiting().await.unwrap().count
}

/// A server that sends to this mail server.
async fn sends_to(office: &PostOffice, more: &str) -> Server {
    let folder = tempfile::tempdir().unwrap();
    let ca = folder.path().join("ca.pem");
    std::fs::write(&ca, &office.authority).unwrap();
    let toml = format!(
        "[metrics]\nenabled = true\n[mail]\ntransport = \"smtp\"\nhost = \"localhost\"\nport = {}\n\
         from = \"Example <no-reply@example.org>\"\nca_files = [{:?}]\n{more}",
        office.port,
        ca.display().to_string(),
    );
    start_in(&toml, folder, TestClock::new()).await
}

#[tokio::test]
async fn s2_08_a_letter_becomes_a_file_that_only_its_owner_can_read() {
    use std::os::unix::fs::PermissionsExt as _;
    let server = start("").await;
    queue(&server, "First").await;
    assert_eq!(waiting(&server).await, 1);
    let letters = server.letters().await;
    assert_eq!(letters.len(), 1);
    assert_eq!((&*letters[0].to, &*letters[0].subject), (ADA, "First"));
    assert_eq!(letters[0].link("/confirm"), "http://127.0.0.1:4999/confirm?token=hush-hush-hush");
    assert_eq!(server.letter_to(ADA).await.html.trim(), "<p>Hello Ada</p>");
    assert_eq!(waiting(&server).await, 0, "it is gone from the outbox");
    let folder = server.state.mail.folder().unwrap();
    let mode = |path: &std::path::Path| path.metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(folder), 0o700);
    for file in std::fs::read_dir(folder).unwrap() {
        assert_eq!(mode(&file.unwrap().path()), 0o600);
    }
}

#[tokio::test]
async fn s2_08_there_is_a_letter_exactly_if_the_change_was_committed() {
    let server = start("").await;
    let mail = server.state.mail.clone();
    let outcome = server.state.store.write(move |t| {
        Box::pin(async move {
            mail.queue(t, letter("Never")).await?;
            Err::<(), _>(PortError::new("the change failed"))
        })
    });
    outcome.await.unwrap_err();
    assert_eq!(waiting(&server).await, 0);
    assert!(server.letters().await.is_empty());
}

#[tokio::test]
async fn s2_08_nothing_of_a_letter_can_be_read_in_the_database() {
    let server = start("").await;
    queue(&server, "Secret subject").await;
    let row = letter::Entity::find().one(server.state.store.database()).await.unwrap().unwrap();
    let bytes = [row.id.as_bytes(), &row.sealed].concat();
    for secret in [ADA, "Secret subject", "hush-hush-hush", "Hello"] {
        let found = bytes.windows(secret.len()).any(|part| part == secret.as_bytes());
        assert!(!found, "{secret}");
    }
}

#[tokio::test]
async fn s2_08_no_header_can_be_smuggled_into_a_letter() {
    let server = start("").await;
    let bad = [
        Letter { to: "ada@example.org\r\nBcc: eve@example.com".into(), ..letter("Hello") },
        Letter { to: "ada@example.org, eve@example.com".into(), ..letter("Hello") },
        letter("Hello\r\nBcc: eve@example.com"),
        letter("Hello\nBcc: eve@example.com"),
    ];
    for letter in bad {
        let mail = server.state.mail.clone();
        let work =
            server.state.store.write(move |t| Box::pin(async move { mail.queue(t, letter).await }));
        work.await.unwrap_err();
    }
    assert_eq!(waiting(&server).await, 0);
}

#[tokio::test]
async fn s2_08_letters_go_over_tls_with_credentials() {
    for speech in [Speech::Implicit, Speech::Starttls] {
        let mut office = PostOffice::open(speech).await;
        let tls = if speech == Speech::Starttls { "tls = \"starttls\"\n" } else { "" };
        let more = format!(
            "{tls}username = \"robot\"\npassword = \"rosebud-rosebud\"\nreply_to = \"help@example.org\""
        );
        let server = sends_to(&office, &more).await;
        queue(&server, "Hello").await;
        assert_eq!(server.state.mail.deliver(10).await.unwrap(), 1);
        let taken = office.next().await;
        assert!(taken.tls, "{speech:?}");
        assert_eq!(taken.to, ADA);
        // "\0robot\0rosebud-rosebud"
        assert_eq!(taken.credentials.as_deref(), Some("AHJvYm90AHJvc2VidWQtcm9zZWJ1ZA=="));
        for line in [
            "From: Example <no-reply@example.org>",
            "Reply-To: help@example.org",
            "Auto-Submitted: auto-generated",
        ] {
            assert!(taken.letter.raw.contains(line), "no {line} in {}", taken.letter.raw);
        }
        assert_eq!(waiting(&server).await, 0);
        let metrics = server.state.metrics.render();
        assert!(metrics.contains("oauth_letters_total{outcome=\"sent\"} 1"), "{metrics}");
    }
}

#[tokio::test]
async fn s2_08_nothing_is_said_without_tls() {
    // It offers no STARTTLS.
    let office = PostOffice::open(Speech::Plain).await;
    let server = sends_to(
        &office,
        "tls = \"starttls\"\nusername = \"robot\"\npassword = \"rosebud-rosebud\"",
    )
    .await;
    queue(&server, "Hello").await;
    server.state.mail.deliver(10).await.unwrap();
    assert_eq!((office.arrived(), waiting(&server).await), (0, 1));
    let commands = office.commands();
    assert!(!commands.iter().any(|c| c == "AUTH" || c == "MAIL" || c == "DATA"), "{commands:?}");
    // An authority that is not trusted vouches for it.
    let stranger = office.authority.clone();
    let mut office = PostOffice::open(Speech::Implicit).await;
    office.authority = stranger;
    let server = sends_to(&office, "").await;
    queue(&server, "Hello").await;
    server.state.mail.deliver(10).await.unwrap();
    assert_eq!((office.arrived(), waiting(&server).await), (0, 1));
    assert!(office.commands().is_empty());
}

#[tokio::test]
async fn s2_08_without_tls_letters_go_to_this_machine_only() {
    let mut office = PostOffice::open(Speech::Plain).await;
    let server = sends_to(&office, "tls = \"none\"\ndanger_plain = true").await;
    queue(&server, "Hello").await;
    server.state.mail.deliver(10).await.unwrap();
    assert!(!office.next().await.tls);
}

#[tokio::test]
async fn s2_08_what_fails_is_tried_again_later_and_later_and_then_given_up() {
    let mut office = PostOffice::open(Speech::Implicit).await;
    let server = sends_to(&office, "attempts = 4").await;
    office.mood(Mood::Says("RCPT", "451 4.7.1 ada@example.org: greylisted"));
    queue(&server, "Hello").await;
    let log = logged(async {
        // Every wait is up to a quarter longer or shorter than the one in the table.
        for (attempt, wait) in [(1, 30), (2, 60), (3, 120)] {
            assert_eq!(server.state.mail.deliver(10).await.unwrap(), 1, "attempt {attempt}");
            server.clock.advance(Duration::from_secs(wait * 3 / 4 - 1));
            assert_eq!(
                server.state.mail.deliver(10).await.unwrap(),
                0,
                "too early after {attempt}"
            );
            server.clock.advance(Duration::from_secs(wait / 2 + 2));
        }
        assert_eq!(waiting(&server).await, 1);
        assert_eq!(server.state.mail.deliver(10).await.unwrap(), 1, "the last attempt");
        assert_eq!(waiting(&server).await, 0, "given up");
    })
    .await;
    assert!(log.contains("a letter is given up"), "{log}");
    assert!(log.contains("the mail server answered 451"), "{log}");
    for secret in [ADA, "hush-hush-hush", "Hello Ada", "greylisted"] {
        assert!(!log.contains(secret), "{secret} in {log}");
    }
    let metrics = server.state.metrics.render();
    assert!(metrics.contains("oauth_letters_total{outcome=\"later\"} 3"), "{metrics}");
    assert!(metrics.contains("oauth_letters_total{outcome=\"given_up\"} 1"), "{metrics}");
    office.mood(Mood::Good);
    queue(&server, "Again").await;
    server.state.mail.deliver(10).await.unwrap();
    assert_eq!(office.next().await.letter.subject, "Again");
}

#[tokio::test]
async fn s2_08_a_refusal_for_good_is_final_unless_it_is_about_us() {
    let office = PostOffice::open(Speech::Implicit).await;
    let server = sends_to(&office, "username = \"robot\"\npassword = \"rosebud-rosebud\"").await;
    for (mood, kept) in [
        (Mood::Says("RCPT", "550 5.1.1 no such mailbox"), 0),
        (Mood::Says(".", "554 5.6.0 not wanted"), 0),
        (Mood::Says(".", "452 4.3.1 full"), 1),
        (Mood::Says("AUTH", "535 5.7.8 wrong password"), 2),
        (Mood::Says("EHLO", "nonsense"), 3),
    ] {
        office.mood(mood.clone());
        queue(&server, "Hello").await;
        server.state.mail.deliver(10).await.unwrap();
        assert_eq!(waiting(&server).await, kept, "{mood:?}");
    }
    assert_eq!(office.arrived(), 0);
}

#[tokio::test]
async fn s2_08_a_mail_server_that_does_not_answer_is_not_waited_for() {
    let office = PostOffice::open(Speech::Implicit).await;
    let server = sends_to(&office, "timeout = 1").await;
    for at in ["EHLO", "DATA", "."] {
        office.mood(Mood::Hangs(at));
        queue(&server, "Hello").await;
        server.state.mail.deliver(10).await.unwrap();
        server.clock.advance(Duration::from_hours(3));
    }
    assert_eq!(waiting(&server).await, 3);
}

#[tokio::test]
async fn s2_08_letters_are_sent_soon_and_stopping_waits_for_the_one_under_way() {
    let mut office = PostOffice::open(Speech::Implicit).await;
    let server = sends_to(&office, "").await;
    let (stop, stopped) = watch::channel(false);
    let sender = tokio::spawn(mail::run(server.state.mail.clone(), stopped));
    queue(&server, "First").await;
    assert_eq!(office.next().await.letter.subject, "First");
    office.mood(Mood::Hangs("."));
    queue(&server, "Second").await;
    office.hanging().await;
    stop.send(true).unwrap();
    office.go_on();
    sender.await.unwrap();
    assert_eq!(office.next().await.letter.subject, "Second");
    assert_eq!(waiting(&server).await, 0, "that it was sent is noted");
}

#[tokio::test]
async fn s2_08_a_test_letter_says_what_became_of_it() {
    let mut office = PostOffice::open(Speech::Implicit).await;
    let server = sends_to(&office, "").await;
    let mail = &server.state.mail;
    let send = || async { mail.send_now(trial(mail.masthead(), ADA).unwrap()).await.unwrap() };
    assert_eq!(send().await, Some(Fate::Sent));
    let taken = office.next().await;
    assert_eq!(taken.letter.subject, "A letter from 127.0.0.1:4999");
    assert!(taken.letter.text.contains("arrive"), "{}", taken.letter.text);
    assert!(taken.letter.html.contains("arrive"), "{}", taken.letter.html);
    office.mood(Mood::Says("RCPT", "550 no such mailbox"));
    let Some(Fate::GivenUp(why)) = send().await else { panic!("it was not given up") };
    assert!(why.contains("550"), "{why}");
    office.mood(Mood::Says("RCPT", "450 later"));
    let Some(Fate::Later(_, why)) = send().await else { panic!("it is not tried again") };
    assert!(why.contains("450"), "{why}");
    let none = start("[mail]\ntransport = \"none\"").await;
    let letter = trial(none.state.mail.masthead(), ADA).unwrap();
    assert_eq!(none.state.mail.send_now(letter).await.unwrap(), None);
    assert!(!none.state.mail.is_on());
    assert_eq!(waiting(&none).await, 0);
}

/// Two processes and one outbox: of every letter there is one file, in one of two folders.
async fn each_letter_is_sent_once(database: TestDatabase) {
    const LETTERS: usize = 40;
    let (one, other) = two_on(&database, "").await;
    for n in 0..LETTERS {
        queue(&one, &format!("Letter {n}")).await;
    }
    let both = join(one.state.mail.deliver(1000), other.state.mail.deliver(1000)).await;
    assert_eq!(both.0.unwrap() + both.1.unwrap(), LETTERS as u64);
    let folders = [&one, &other].map(|s| letters_in(s.state.mail.folder().unwrap()));
    let all: Vec<_> = folders.iter().flatten().map(|letter| letter.subject.clone()).collect();
    assert_eq!(all.len(), LETTERS, "none twice");
    assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), LETTERS, "none missing");
    let left = letter::Entity::find().count(one.state.store.database()).await.unwrap();
    assert_eq!(left, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn s2_08_two_processes_send_each_letter_once_postgres() {
    Box::pin(each_letter_is_sent_once(TestDatabase::postgres().await)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn s2_08_two_processes_send_each_letter_once_sqlite() {
    Box::pin(each_letter_is_sent_once(TestDatabase::sqlite().await)).await;
}

#[tokio::test]
async fn s2_08_a_letter_of_a_process_that_died_is_taken_up_by_another() {
    let office = PostOffice::open(Speech::Implicit).await;
    let server = sends_to(&office, "timeout = 10").await;
    queue(&server, "Hello").await;
    office.mood(Mood::Hangs("."));
    {
        let deliver = server.state.mail.deliver(10);
        let mut deliver = std::pin::pin!(deliver);
        tokio::select! {
            _ = &mut deliver => panic!("it hangs"),
            () = office.hanging() => {}
        }
    }
    office.mood(Mood::Good);
    assert_eq!(server.state.mail.deliver(10).await.unwrap(), 0, "it is somebody's");
    server.clock.advance(Duration::from_secs(71));
    assert_eq!(server.state.mail.deliver(10).await.unwrap(), 1);
    assert_eq!(office.arrived(), 1);
    assert_eq!(waiting(&server).await, 0);
}

#[test]
fn s2_08_mail_settings_that_cannot_work_are_named() {
    use oauth_server::config::{Sources, load};
    let check = |mode: &str, mail: &str| -> String {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("mail.toml");
        std::fs::write(&path, format!("mode = \"{mode}\"\n[mail]\n{mail}")).unwrap();
        match load(&Sources { files: vec![path], ..Sources::default() }) {
            Ok(_) => String::new(),
            Err(problems) => problems.to_string(),
        }
    };
    let smtp = "transport = \"smtp\"\nhost = \"mail.example.org\"\nfrom = \"a@example.org\"\n";
    for (mail, key) in [
        ("transport = \"smtp\"\nfrom = \"a@example.org\"", "mail.host"),
        ("transport = \"smtp\"\nhost = \"mail.example.org\"", "mail.from"),
        (&format!("{smtp}tls = \"none\""), "mail.tls"),
        (&format!("{smtp}tls = \"none\"\ndanger_plain = true"), "mail.host"),
        (&format!("{smtp}username = \"robot\""), "mail.password"),
        (&format!("{smtp}password = \"rosebud\""), "mail.username"),
        (&format!("{smtp}reply_to = \"nobody\""), "mail.reply_to"),
        (&format!("{smtp}ca_files = [\"/nowhere.pem\"]"), "mail.ca_files"),
        (&format!("{smtp}timeout = 0"), "mail.timeout"),
        (&format!("{smtp}attempts = 0"), "mail.attempts"),
        ("from = \"a@example.org\\r\\nBcc: b@example.org\"", "mail.from"),
        ("host = \"mail.example.org\"", "mail.host"),
    ] {
        let problems = check("testing", mail);
        assert!(problems.contains(key), "{mail}: {problems}");
        assert!(check("production", mail).contains(key), "{mail}");
    }
    assert_eq!(check("testing", smtp), "");
    assert!(!check("production", smtp).contains("mail."), "{}", check("production", smtp));
    assert!(!check("production", "").contains("mail."), "no letters at all are fine");
    assert!(check("production", "transport = \"file\"").contains("mail.transport"));
    let folder = tempfile::tempdir().unwrap();
    assert!(config("", &folder).mail_folder().ends_with("data/mail"));
    assert!(!Metrics::default().is_on());
}
