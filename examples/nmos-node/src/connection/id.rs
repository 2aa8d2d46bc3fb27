//! Ids as the schemas of NMOS write them.

/// Whether this is a UUID of the versions 1 to 5 in lower case, which is what the schemas ask for. A general parser of
/// UUIDs takes more than that.
pub(super) fn is_id(text: &str) -> bool {
    let fits = |(at, byte): (usize, u8)| match at {
        8 | 13 | 18 | 23 => byte == b'-',
        14 => matches!(byte, b'1'..=b'5'),
        19 => matches!(byte, b'8' | b'9' | b'a' | b'b'),
        _ => matches!(byte, b'0'..=b'9' | b'a'..=b'f'),
    };
    text.len() == 36 && text.bytes().enumerate().all(fits)
}

#[cfg(test)]
mod tests {
    use super::is_id;

    #[test]
    fn only_what_the_schemas_call_an_id() {
        for good in [
            "00000000-0000-1000-8000-000000000000",
            "6ba7b811-9dad-51d1-b0b4-00c04fd430c8",
            "ffffffff-ffff-4fff-bfff-ffffffffffff",
        ] {
            assert!(is_id(good), "{good}");
        }
        for bad in [
            "",
            "x",
            "00000000-0000-0000-0000-000000000000",
            "00000000-0000-6000-8000-000000000000",
            "00000000-0000-4000-c000-000000000000",
            "FFFFFFFF-FFFF-4FFF-BFFF-FFFFFFFFFFFF",
            "ffffffff-ffff-4fff-bfff-fffffffffff",
            "ffffffff-ffff-4fff-bfff-ffffffffffff0",
            "ffffffffffff-ffff-4fff-bfff-ffffffff",
            "{0000000-0000-4000-8000-00000000000}",
            "gggggggg-0000-4000-8000-000000000000",
        ] {
            assert!(!is_id(bad), "{bad}");
        }
    }
}
