use super::*;
use oauth_core::model::Timestamp;
use serde_json::json;

const NOW: Timestamp = Timestamp::from_unix(1_790_000_000);

fn draft(claims: &[(Claim, &str)]) -> ProfileDraft {
    let mut draft = ProfileDraft::default();
    for (claim, text) in claims {
        draft.set(*claim, *text);
    }
    draft
}

fn map(value: Value) -> Map<String, Value> {
    let Value::Object(map) = value else { panic!("this is no object") };
    map
}

fn check(claim: Claim, text: &str) -> Result<CheckedProfile, Vec<Objection>> {
    draft(&[(claim, text)]).check()
}

/// What is kept of each good text, and that each bad one is objected to at its claim.
fn assert_kept(claim: Claim, good: &[(&str, &str)], bad: &[&str]) {
    for (text, kept) in good {
        let checked = check(claim, text).unwrap_or_else(|e| panic!("{text:?}: {e:?}"));
        assert_eq!(checked.0.get(&claim).map(String::as_str), Some(*kept), "{text:?}");
    }
    for text in bad {
        let objections = check(claim, text).expect_err(text);
        assert_eq!(objections.len(), 1);
        assert_eq!(objections[0].claim, claim, "{text:?}");
    }
}

fn assert_form(claim: Claim, good: &[&str], bad: &[&str]) {
    let good: Vec<_> = good.iter().map(|&text| (text, text)).collect();
    assert_kept(claim, &good, bad);
}

#[test]
fn names_are_one_line_of_text() {
    let long = "a".repeat(201);
    for claim in [Claim::Name, Claim::Nickname, Claim::Gender, Claim::Country] {
        assert_kept(
            claim,
            &[(" Ada Lovelace ", "Ada Lovelace"), ("Жанна", "Жанна"), ("<b>", "<b>")],
            &["a\nb", "a\u{202e}b", "a\u{0}", &long],
        );
    }
    let text = check(Claim::Name, &long).unwrap_err()[0].to_string();
    assert_eq!(text, "name: Use at most 200 characters.");
}

#[test]
fn email_is_an_address() {
    let long = format!("ada@{}example.org", "a.".repeat(125));
    assert_form(
        Claim::Email,
        &[
            "ada@example.org",
            "a.b+c@x-y.example",
            "ada@localhost",
            "жанна@пример.рф",
            "a@[192.0.2.1]",
            "a@[IPv6:2001:db8::1]",
        ],
        &[
            "ada",
            "@example.org",
            "ada@",
            "ada@@example.org",
            "a b@example.org",
            "ada.@example.org",
            ".ada@example.org",
            "a..b@example.org",
            "ada@example..org",
            "ada@-example.org",
            "ada@[192.0.2]",
            "Ada <ada@example.org>",
            "\"a b\"@example.org",
            "ada@example.org,eve@example.org",
            &long,
        ],
    );
}

#[test]
fn phone_number_is_e164_and_kept_without_what_stands_between() {
    assert_kept(
        Claim::PhoneNumber,
        &[
            ("+44 20 7946 0958", "+442079460958"),
            ("+1 (425) 555-1212", "+14255551212"),
            ("+1.425.555.1212", "+14255551212"),
            ("+1 (604) 555-1234;ext=5678", "+16045551234;ext=5678"),
            ("+123456789012345", "+123456789012345"),
            ("+6834000", "+6834000"),
        ],
        &[
            "020 7946 0958",
            "0044 20 7946 0958",
            "+0 20 7946 0958",
            "+1234567890123456",
            "+123456",
            "+44 20 call me",
            "+",
            "++44207946095",
            "+1 604 555 1234;ext=",
            "+1 604 555 1234;ext=x",
            "+٤٤٢٠٧٩٤٦٠٩٥٨",
        ],
    );
    let text = &check(Claim::PhoneNumber, "+44 (0) 20 7946 0958").unwrap_err()[0].text;
    assert_eq!(text, "Leave out the (0): from abroad it is not dialled.");
}

#[test]
fn birthdate_is_a_date_a_year_or_a_day() {
    assert_form(
        Claim::Birthdate,
        &["1815-12-10", "1815", "0000-12-10", "0000-02-29", "2000-02-29"],
        &[
            "0000",
            "15",
            "1815-12",
            "1815-13-10",
            "1815-12-32",
            "1900-02-29",
            "10.12.1815",
            "1815-1-1",
            "1815/12/10",
            "0000-00-10",
            "+815",
            "-815-12-10",
            "1815-12-10T00:00:00Z",
        ],
    );
}

#[test]
fn zoneinfo_has_the_form_of_a_zone() {
    assert_form(
        Claim::Zoneinfo,
        &[
            "Europe/Paris",
            "America/Argentina/Buenos_Aires",
            "Etc/GMT+1",
            "UTC",
            "Africa/Porto-Novo",
            "EST5EDT",
        ],
        &[
            "Europe/",
            "/Paris",
            "Europe Paris",
            "+01:00",
            "../etc/passwd",
            "A/B/C/D",
            "Europe//Paris",
            "Europe/Zürich",
        ],
    );
}

#[test]
fn locale_is_a_language_tag() {
    assert_form(
        Claim::Locale,
        &[
            "en",
            "en-GB",
            "pt-BR",
            "zh-Hant-TW",
            "zh-cmn-Hans-CN",
            "sl-rozaj-biske-1994",
            "es-419",
            "de-CH-x-phonebk",
            "en-a-myext-b-another",
            "x-whatever",
            "ast",
            "qaaa",
        ],
        &[
            "en_GB",
            "e",
            "en-",
            "-en",
            "en--GB",
            "english language",
            "de-419-DE",
            "a-DE",
            "ar-a-aaa-",
            "x",
            "en-x",
            "en-a",
            "en-a-x-b",
            "englishlanguage",
            "12",
            "en-GB-GB",
        ],
    );
}

#[test]
fn web_addresses_are_of_the_web() {
    for claim in [Claim::Profile, Claim::Picture, Claim::Website] {
        assert_form(
            claim,
            &["https://ada.example/me?x=1#y", "http://ada.example"],
            &[
                "ada.example",
                "javascript:alert(1)",
                "data:image/png;base64,AA==",
                "ftp://ada.example/",
                "https://",
                "https://user:pass@ada.example/",
                "https://a b.example/",
            ],
        );
    }
}

#[test]
fn addresses_have_lines_with_line_feeds_between_them() {
    for claim in [Claim::Formatted, Claim::StreetAddress] {
        let long = "a".repeat(1001);
        assert_kept(
            claim,
            &[(" 12 St James's Square \r\n London \n", "12 St James's Square\nLondon")],
            &["a\u{202e}b", "a\tb\u{7}", &long],
        );
    }
}

#[test]
fn everything_wrong_is_said_at_once_in_the_order_of_the_form() {
    let all = draft(&[
        (Claim::Locale, "en_GB"),
        (Claim::Email, "ada"),
        (Claim::Country, "a\nb"),
        (Claim::Name, "Ada"),
        (Claim::Website, "ada"),
    ]);
    let claims: Vec<_> = all.check().unwrap_err().into_iter().map(|o| o.claim).collect();
    assert_eq!(claims, [Claim::Email, Claim::Website, Claim::Locale, Claim::Country]);
}

#[test]
fn nothing_empty_is_kept_and_nothing_foreign_lost() {
    let current = map(
        json!({"name": "Ada", "nickname": "A", "address": {"locality": "London"}, "company": "AE"}),
    );
    let blank = draft(&[
        (Claim::Name, "Ada"),
        (Claim::Nickname, " "),
        (Claim::Locality, "\n"),
        (Claim::Email, ""),
    ]);
    let profile = blank.check().unwrap().replace(&current, NOW);
    assert_eq!(
        Value::from(profile),
        json!({"name": "Ada", "company": "AE", "updated_at": 1_790_000_000})
    );
}

#[test]
fn s5_1_every_claim_comes_back_as_it_was_written() {
    let texts = [
        "Ada",
        "ada@example.org",
        "+442079460958",
        "https://ada.example/",
        "1815-12-10",
        "en-GB",
        "Europe/Paris",
    ];
    let fitting = |claim: &Claim| {
        texts.iter().rev().find(|t| check(*claim, t).is_ok_and(|c| c.0[claim] == **t)).unwrap()
    };
    let all: Vec<_> = Claim::ALL.iter().map(|claim| (*claim, *fitting(claim))).collect();
    let all = draft(&all);
    let profile = all.check().unwrap().replace(&Map::new(), NOW);
    assert_eq!(ProfileDraft::from(&profile), all);
    assert_eq!(profile["address"].as_object().unwrap().len(), 6);
    assert_eq!(profile.len(), 15 + 1 + 3, "claims, the address, two flags and updated_at");
    assert_eq!(
        all.check().unwrap().replace(&profile, NOW.plus(std::time::Duration::from_secs(9))),
        profile
    );
}

#[test]
fn s5_1_what_changes_is_not_verified() {
    let draft_of = |email, number| {
        draft(&[(Claim::Email, email), (Claim::PhoneNumber, number)]).check().unwrap()
    };
    let mut profile = draft_of("ada@example.org", "+442079460958").replace(&Map::new(), NOW);
    assert_eq!(
        (&profile["email_verified"], &profile["phone_number_verified"]),
        (&false.into(), &false.into())
    );
    assert!(Flag::ALL.into_iter().all(|flag| flag.set(&mut profile, true, NOW)));
    let same = draft_of(" ada@example.org", "+44 20 7946 0958").replace(&profile, NOW);
    assert_eq!(same, profile);
    let other = draft_of("Ada@example.org", "+442079460958").replace(&profile, NOW);
    assert_eq!(
        (&other["email_verified"], &other["phone_number_verified"]),
        (&false.into(), &true.into())
    );
    let back = draft_of("ada@example.org", "+442079460958").replace(&other, NOW);
    assert_eq!(back["email_verified"], false, "the word was for the one that was there");
    let mut gone = draft_of("", "").replace(&profile, NOW);
    assert_eq!(Value::from(gone.clone()), json!({"updated_at": NOW.unix()}));
    assert!(!Flag::Email.set(&mut gone, true, NOW), "there is nothing to be verified");
}

#[test]
fn s5_1_updated_at_moves_with_what_changes() {
    let later = NOW.plus(std::time::Duration::from_mins(1));
    let ada = draft(&[(Claim::Name, "Ada"), (Claim::Email, "ada@example.org")]).check().unwrap();
    let mut profile = ada.replace(&Map::new(), NOW);
    assert_eq!(ada.replace(&profile, later)["updated_at"], NOW.unix());
    assert!(Flag::Email.set(&mut profile, false, later));
    assert_eq!(profile["updated_at"], NOW.unix());
    assert!(Flag::Email.set(&mut profile, true, later));
    assert_eq!(profile["updated_at"], later.unix());
    let empty = ProfileDraft::default().check().unwrap().replace(&Map::new(), NOW);
    assert!(empty.is_empty(), "nothing was said, so nothing was updated");
}
