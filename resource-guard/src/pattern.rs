//! Path patterns of `x-nmos-*` claims: `*` stands for any run of characters, slashes included.

/// Whether the text fits the pattern. Takes time linear in both, whatever they are: the pieces between the stars are
/// looked for from left to right and nothing is ever tried twice.
pub(crate) fn fits(pattern: &str, text: &str) -> bool {
    let Some((prefix, rest)) = pattern.split_once('*') else {
        return pattern == text;
    };
    let (middle, suffix) = rest.rsplit_once('*').unwrap_or(("", rest));
    let Some(mut text) = text.strip_prefix(prefix).and_then(|t| t.strip_suffix(suffix)) else {
        return false;
    };
    for piece in middle.split('*') {
        match text.split_once(piece) {
            _ if piece.is_empty() => {}
            Some((_, after)) => text = after,
            None => return false,
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::fits;
    use proptest::prelude::*;
    use std::time::Instant;

    /// The textbook table: slow, obvious, written independently of the matcher.
    fn oracle(pattern: &str, text: &str) -> bool {
        let (pattern, text): (Vec<char>, Vec<char>) =
            (pattern.chars().collect(), text.chars().collect());
        let mut table = vec![vec![false; text.len() + 1]; pattern.len() + 1];
        table[0][0] = true;
        for p in 1..=pattern.len() {
            for t in 0..=text.len() {
                table[p][t] = if pattern[p - 1] == '*' {
                    table[p - 1][t] || (t > 0 && table[p][t - 1])
                } else {
                    t > 0 && table[p - 1][t - 1] && pattern[p - 1] == text[t - 1]
                };
            }
        }
        table[pattern.len()][text.len()]
    }

    #[test]
    fn is10_examples() {
        for (pattern, text, expected) in [
            ("*", "", true),
            ("*", "single/senders", true),
            ("", "", true),
            ("", "a", false),
            ("single*", "single", true),
            ("single*", "single/senders/x", true),
            ("single/*", "single", false),
            ("single/*", "single/", true),
            ("single/senders/*/constraints", "single/senders/x/constraints", true),
            ("single/senders/*/constraints", "single/senders/x/y/constraints", true),
            ("single/senders/*/constraints", "single/senders//constraints", true),
            ("single/senders/*/constraints", "single/senders/constraints", false),
            ("a*a", "a", false),
            ("a*a", "aa", true),
            ("*a*b*", "xbxaxbx", true),
            ("*a*b*", "bbbba", false),
            ("Bulk", "bulk", false),
        ] {
            assert_eq!(fits(pattern, text), expected, "{pattern} against {text}");
            assert_eq!(oracle(pattern, text), expected, "the oracle: {pattern} against {text}");
        }
    }

    #[test]
    fn hostile_patterns_take_no_time() {
        let pattern = "a*".repeat(4_000) + "b";
        let text = "a".repeat(16_000);
        let start = Instant::now();
        assert!(!fits(&pattern, &text));
        assert!(!fits(&("*".repeat(8_000) + "b"), &text));
        assert!(!fits(&("*aaaaaaab".repeat(1_000)), &text));
        assert!(start.elapsed().as_millis() < 500, "{:?}", start.elapsed());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(5_000))]
        #[test]
        fn agrees_with_the_oracle(pattern in "[ab*/é]{0,12}", text in "[ab*/é]{0,16}") {
            prop_assert_eq!(fits(&pattern, &text), oracle(&pattern, &text));
        }
    }
}
