//! What a user name and a password must be like, wherever a user is made
//! ([NIST SP 800-63B 3.1.1.2](https://pages.nist.gov/800-63-4/sp800-63b.html)): length and not being the first guess.
//! No rules about kinds of characters.

use crate::registration::is_deceptive;

/// The longest user name, in characters.
pub const LONGEST_NAME: usize = 64;
/// The longest password, in bytes.
pub const LONGEST_PASSWORD: usize = 1024;

/// The user name as it is kept, or what is wrong with it.
pub fn check_username(text: &str) -> Result<String, String> {
    let name = text.trim();
    if name.is_empty() {
        return Err("Choose a user name.".into());
    }
    if name.chars().count() > LONGEST_NAME {
        return Err(format!("Use at most {LONGEST_NAME} characters in the user name."));
    }
    let fine = |c: char| (c.is_alphanumeric() || "._-@+".contains(c)) && !is_deceptive(c);
    if !name.chars().all(fine) {
        return Err("Use only letters, digits and . _ - @ + in the user name.".into());
    }
    if !name.chars().any(char::is_alphanumeric) {
        return Err("Use at least one letter or digit in the user name.".into());
    }
    Ok(name.to_owned())
}

/// The user name that somebody chooses when signing up. An address is none: nobody has confirmed it, and as a name it would
/// let its taker in and keep its owner out.
pub fn check_chosen_username(text: &str) -> Result<String, String> {
    let name = check_username(text)?;
    if check_email(&name).is_ok() {
        let text = "A user name is no address. Give the address as one, and sign in with it once it is confirmed.";
        return Err(text.into());
    }
    Ok(name)
}

/// The e-mail address as it is kept, or what is wrong with it.
pub fn check_email(text: &str) -> Result<String, String> {
    let email = text.trim();
    let fine = !email.chars().any(is_deceptive) && crate::profile::is_email(email);
    fine.then(|| email.to_owned()).ok_or_else(|| "Give an address such as ada@example.org.".into())
}

/// Accepts a password, or says what is wrong with it.
pub fn check_password(password: &str, username: &str, shortest: u16) -> Result<(), String> {
    if password.is_empty() {
        return Err("Choose a password.".into());
    }
    if password.chars().count() < usize::from(shortest) {
        return Err(format!("Use at least {shortest} characters in the password."));
    }
    if password.len() > LONGEST_PASSWORD {
        return Err(format!("Use at most {LONGEST_PASSWORD} bytes in the password."));
    }
    let lower = password.to_lowercase();
    let name = username.trim().to_lowercase();
    if lower == name || lower == name.chars().rev().collect::<String>() {
        return Err("Choose a password that is not the user name.".into());
    }
    if is_common(&lower) {
        return Err(
            "This password is among the first that anybody tries. Choose another one.".into()
        );
    }
    Ok(())
}

/// Whether it is among those that guessing begins with: one character or run over and over, or a famous one,
/// perhaps with digits or marks around it.
fn is_common(lower: &str) -> bool {
    let letters: Vec<char> = lower.chars().collect();
    let repeats = |n: usize| letters.iter().zip(letters.iter().skip(n)).all(|(a, b)| a == b);
    let run = |step: i64| {
        let next = |a: char, b: char| i64::from(u32::from(b)) - i64::from(u32::from(a)) == step;
        letters.iter().zip(letters.iter().skip(1)).all(|(&a, &b)| next(a, b))
    };
    if repeats(1) || repeats(2) || run(1) || run(-1) {
        return true;
    }
    let core = lower.trim_matches(|c: char| !c.is_alphabetic());
    let plain: String = core.chars().map(unleet).filter(|c| c.is_alphabetic()).collect();
    FAMOUS.contains(&lower) || FAMOUS_WORDS.contains(&plain.as_str())
}

/// The letter that a digit or mark often stands for.
const fn unleet(c: char) -> char {
    match c {
        '0' => 'o',
        '1' | '!' => 'i',
        '3' => 'e',
        '4' | '@' => 'a',
        '5' | '$' => 's',
        '7' => 't',
        other => other,
    }
}

/// Passwords of eight and more characters that head every list of stolen ones.
const FAMOUS: &[&str] = &[
    "0123456789",
    "1234567890",
    "1q2w3e4r",
    "1q2w3e4r5t",
    "1qaz2wsx",
    "1qaz2wsx3edc",
    "1qazxsw2",
    "11223344",
    "112233445566",
    "123123123",
    "123321123",
    "12341234",
    "123456789a",
    "1234qwer",
    "123qweasd",
    "123qweasdzxc",
    "147258369",
    "741852963",
    "789456123",
    "87654321",
    "987654321",
    "a1b2c3d4",
    "a1s2d3f4",
    "abcd1234",
    "abc123456",
    "aa123456",
    "qwe123456",
    "qwer1234",
    "q1w2e3r4",
    "q1w2e3r4t5",
    "zaq12wsx",
    "zxcvbnm1",
    "!qaz2wsx",
    "102030405060",
    "31415926",
];

/// Words that are passwords themselves, and not better for a year or a mark behind them.
const FAMOUS_WORDS: &[&str] = &[
    "administrator",
    "asdfasdf",
    "asdfghjk",
    "asdfghjkl",
    "asdfjkl",
    "baseball",
    "basketball",
    "changeit",
    "changeme",
    "chocolate",
    "computer",
    "correcthorsebatterystaple",
    "football",
    "hello",
    "helloworld",
    "iloveyou",
    "internet",
    "letmein",
    "liverpool",
    "master",
    "michelle",
    "monkey",
    "passpass",
    "passwd",
    "password",
    "passwords",
    "passwort",
    "princess",
    "qwerasdf",
    "qwert",
    "qwertz",
    "qwertzu",
    "qwertzui",
    "qwerty",
    "qwertyu",
    "qwertyui",
    "qwertyuiop",
    "qazwsx",
    "qazwsxedc",
    "samsung",
    "secret",
    "starwars",
    "sunshine",
    "superman",
    "supersecret",
    "test",
    "testing",
    "testtest",
    "topsecret",
    "trustno",
    "welcome",
    "whatever",
    "zxcvbnm",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        for good in ["ada", " ada ", "Ada.Lovelace", "ada@example.org", "a_b-c+d", "Жанна", "9"]
        {
            assert_eq!(check_username(good).as_deref(), Ok(good.trim()));
        }
        let long = "a".repeat(65);
        for bad in ["", "  ", "a b", "<b>", "a\u{200b}b", "\u{202e}ada", "a\tb", "...", "@", &long]
        {
            assert!(check_username(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn an_address_is_no_name_to_choose() {
        for good in ["ada", "@ada", "ada@", "ada.lovelace", "ada@example.org."] {
            assert_eq!(check_chosen_username(good).as_deref(), Ok(good));
        }
        for bad in ["ada@example.org", " Ada@Example.ORG ", "a+b@c", "ada@bücher.example", ""] {
            assert!(check_chosen_username(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn passwords() {
        let check = |password: &str| check_password(password, "Ada.Lovelace", 8);
        let long = "ä1b".repeat(256);
        for good in
            ["tre is blå", "        x", "nine lives left", "cat-bird-7", "pässwörtér", &long]
        {
            assert_eq!(check(good), Ok(()), "{good}");
        }
        let (too_long, repeated) = ("ä".repeat(513), "ab".repeat(8));
        for bad in [
            "",
            "seven77",
            "ada.lovelace",
            "ADA.LOVELACE",
            "ecalevol.ada",
            "password",
            "Password1!",
            "P@ssw0rd",
            "12345678",
            "23456789",
            "abcdefgh",
            "hgfedcba",
            "zzzzzzzzz",
            "qwertyuiop",
            "Qwerty123",
            "letmein2026",
            "1q2w3e4r",
            &too_long,
            &repeated,
        ] {
            assert!(check(bad).is_err(), "{bad}");
        }
    }
}
