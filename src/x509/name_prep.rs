//! String preparation: what of two attribute values must agree for names to be the same (RFC 5280 §7.1, which takes the
//! profile of RFC 4518 with case folded).

use icu_normalizer::ComposingNormalizerBorrowed;

/// `text` in the form in which two are compared. Stored texts may hold code points that Unicode has not assigned; they
/// are kept, not refused as RFC 4518 §2.4 would have it, so that they differ from all others.
pub(super) fn prepared(text: &str) -> String {
    let mapped = text.chars().filter(|&c| !is_nothing(c));
    let normal: String = if text.is_ascii() {
        mapped.map(|c| c.to_ascii_lowercase()).collect()
    } else {
        // RFC 4518 §2.3, and the case once more: of letters that only composing or decomposing brings out.
        let folded: String = mapped.flat_map(fold).collect();
        let composed: String = NFKC.normalize(&folded).chars().flat_map(fold).collect();
        NFKC.normalize(&composed).into_owned()
    };
    // RFC 4518 §2.6.1: white space at the ends is nothing, and within as good as one space.
    let mut prepared = String::with_capacity(normal.len());
    for word in normal.split_whitespace() {
        if !prepared.is_empty() {
            prepared.push(' ');
        }
        prepared.push_str(word);
    }
    prepared
}

const NFKC: ComposingNormalizerBorrowed<'static> = ComposingNormalizerBorrowed::new_nfkc();

/// RFC 4518 §2.2: characters that are mapped to nothing.
fn is_nothing(c: char) -> bool {
    matches!(c,
        '\u{00}'..='\u{08}' | '\u{0e}'..='\u{1f}' | '\u{7f}'..='\u{84}' | '\u{86}'..='\u{9f}'
        | '\u{ad}' | '\u{34f}' | '\u{6dd}' | '\u{70f}' | '\u{1806}' | '\u{180b}'..='\u{180e}'
        | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2063}' | '\u{206a}'..='\u{206f}'
        | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{fff9}'..='\u{fffc}'
        | '\u{1d173}'..='\u{1d17a}' | '\u{e0001}' | '\u{e0020}'..='\u{e007f}')
}

/// Case folding (RFC 3454 table B.2) by way of capitals, which brings ß to ss and both small sigmas together. The dotless
/// i stays apart from i, whose capital it shares.
fn fold(c: char) -> impl Iterator<Item = char> {
    let dotless = (c == 'ı').then_some(c);
    let others = (c != 'ı').then(|| c.to_uppercase().flat_map(char::to_lowercase));
    dotless.into_iter().chain(others.into_iter().flatten())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_the_same_to_a_reader_is_the_same() {
        for (one, other) in [
            ("  Fjord\t Logistikk ", "fjord logistikk"),
            ("Café", "CAFE\u{301}"),
            ("ﬁrma", "FIRMA"),
            ("Ａｃｍｅ", "acme"),
            ("Straße", "STRASSE"),
            ("ΣΟΦΟΣ", "σοφος"),
            ("soft\u{ad}ware", "software"),
            ("a\u{a0}b", "a b"),
            ("zero\u{200b}width", "zerowidth"),
            ("nul\0", "nul"),
            ("", "  "),
        ] {
            assert_eq!(prepared(one), prepared(other), "{one:?} and {other:?}");
        }
    }

    #[test]
    fn what_is_not_the_same_differs() {
        for (one, other) in [("ab", "a b"), ("café", "cafe"), ("ı", "i"), ("а", "a"), ("a-b", "ab"), ("\u{378}", "")]
        {
            assert_ne!(prepared(one), prepared(other), "{one:?} and {other:?}");
        }
    }

    #[test]
    fn preparing_twice_changes_nothing() {
        for text in ["Ǆ", "ΐ", "ŉ", "İstanbul", "ﬃ  ", "\u{1e9e}", "㎒", "Å", "\u{345}\u{301}"] {
            assert_eq!(prepared(&prepared(text)), prepared(text), "{text:?}");
        }
    }
}
