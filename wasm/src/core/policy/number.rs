//! Numbers as HTML and URLs write them, without the standard library's parser for each of their types.

/// Decimal digits that come to `most` or less.
pub fn is_number(text: &str, most: u32) -> bool {
    let value = text.bytes().try_fold(0u32, |value, byte| {
        byte.is_ascii_digit().then(|| value.saturating_mul(10).saturating_add(u32::from(byte - b'0')))
    });
    !text.is_empty() && value.is_some_and(|value| value <= most)
}

/// A number of 32 bits, with its sign or without.
pub fn is_integer(text: &str) -> bool {
    match text.strip_prefix('-') {
        Some(digits) => is_number(digits, 1 << 31),
        None => is_number(text.strip_prefix('+').unwrap_or(text), (1 << 31) - 1),
    }
}

/// An address of four numbers, as a URL has it.
pub fn is_address(host: &str) -> bool {
    let part = |part: &str| is_number(part, 255) && (part.len() == 1 || !part.starts_with('0'));
    host.split('.').count() == 4 && host.split('.').all(part)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;

    #[test]
    fn they_are_what_the_standard_library_takes() {
        for text in [
            "",
            "0",
            "00",
            "7",
            "-0",
            "-",
            "+",
            "+7",
            "+-7",
            " 7",
            "7 ",
            "7a",
            "２",
            "255",
            "256",
            "4096",
            "65535",
            "65536",
            "2147483647",
            "2147483648",
            "-2147483648",
            "-2147483649",
            "4294967296",
            "99999999999999999999",
        ] {
            assert_eq!(is_integer(text), text.parse::<i32>().is_ok(), "{text}");
            let plain = !text.starts_with('+');
            assert_eq!(is_number(text, 65535), plain && text.parse::<u16>().is_ok(), "{text}");
        }
        for host in [
            "1.2.3.4",
            "0.0.0.0",
            "255.255.255.255",
            "256.1.1.1",
            "01.2.3.4",
            "1.2.3",
            "1.2.3.4.5",
            "1.2.3.4.",
            ".1.2.3",
            "1..2.3",
            "+1.2.3.4",
            "1.2.3.a",
            "",
            "...",
            "1.2.3.1000",
            "00.0.0.0",
        ] {
            assert_eq!(is_address(host), host.parse::<Ipv4Addr>().is_ok(), "{host}");
        }
    }
}
