//! PEM blocks (RFC 7468): finding every one in a file, and writing them.
//!
//! A reader that takes the first block and ignores the rest lets garbage hide; [`read`] accounts for every `BEGIN`
//! and `END` line, well-formed or not, with the line where it stands.

use super::base64;
use zeroize::Zeroizing;

/// One well-formed block.
pub struct Block {
    /// The label, such as `CERTIFICATE`.
    pub label: String,
    /// The decoded contents.
    pub contents: Zeroizing<Vec<u8>>,
    /// RFC 1421 headers, such as `Proc-Type: 4,ENCRYPTED` of old encrypted keys.
    pub headers: Vec<(String, String)>,
    /// The line of the file on which the block begins, counted from 1.
    pub line: usize,
}

/// A block that begins but cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the {label} block on line {line} {fault}")]
pub struct Malformed {
    /// The label on its `BEGIN` line.
    pub label: String,
    /// The line of the file on which it begins, counted from 1.
    pub line: usize,
    /// What is wrong with it.
    pub fault: Fault,
}

/// What is wrong with a block.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// The file, or the next block, comes before its `END` line.
    #[error("has no END line: the file is cut short or damaged")]
    Unterminated,
    /// The labels on `BEGIN` and `END` differ.
    #[error("ends as {0}")]
    LabelsDiffer(String),
    /// The contents are not base64.
    #[error("does not hold base64 data")]
    NotBase64,
    /// An `END` line without a `BEGIN` line: the beginning was lost or is misspelt. The line is that of `END`.
    #[error("has no BEGIN line: its beginning is lost or misspelt")]
    Beheaded,
    /// There is nothing between `BEGIN` and `END`.
    #[error("is empty")]
    Empty,
}

/// Every block of `input`, in order. Text outside blocks is passed over (RFC 7468 §5.2).
pub fn read(input: &[u8]) -> Vec<Result<Block, Malformed>> {
    let mut blocks = Vec::new();
    let mut open: Option<Open> = None;
    let mut offset = 0;
    for (number, line) in input.split_inclusive(|&byte| byte == b'\n').enumerate() {
        let (start, end) = (offset, offset + line.len());
        offset = end;
        if let Some(label) = boundary(line, b"-----BEGIN ") {
            if let Some(unfinished) = open.replace(Open { label, line: number + 1, start }) {
                blocks.push(Err(unfinished.malformed(Fault::Unterminated)));
            }
        } else if let Some(label) = boundary(line, b"-----END ") {
            blocks.push(match open.take() {
                Some(block) => {
                    let text = input.get(block.start..end).unwrap_or_default();
                    block.close(&label, text)
                }
                None => Err(Malformed { label, line: number + 1, fault: Fault::Beheaded }),
            });
        }
    }
    if let Some(unfinished) = open {
        blocks.push(Err(unfinished.malformed(Fault::Unterminated)));
    }
    blocks
}

/// Whether a `BEGIN` line occurs in `input`.
pub fn looks_like_pem(input: &[u8]) -> bool {
    input.split(|&byte| byte == b'\n').any(|line| boundary(line, b"-----BEGIN ").is_some())
}

/// One block as text: 64 characters a line, `\n` line ends (RFC 7468 §3).
///
/// Written here and not by `pem`, which copies the contents, a private key often enough, into places that are not erased.
pub fn write(label: &str, contents: &[u8]) -> Zeroizing<String> {
    let lines = contents.chunks(LINE / 4 * 3);
    let room =
        "-----BEGIN -----\n-----END -----\n".len() + 2 * label.len() + contents.len().div_ceil(3) * 4 + lines.len();
    // Room for all of it: a text that grows leaves copies behind.
    let mut text = Zeroizing::new(String::with_capacity(room));
    text.push_str("-----BEGIN ");
    text.push_str(label);
    text.push_str("-----\n");
    let mut characters = Zeroizing::new([0; LINE]);
    for line in lines {
        text.push_str(base64::encode_into(line, &mut *characters).unwrap_or_default());
        text.push('\n');
    }
    text.push_str("-----END ");
    text.push_str(label);
    text.push_str("-----\n");
    text
}

/// The characters of a full line.
const LINE: usize = 64;

/// A block whose `BEGIN` line has been seen.
struct Open {
    label: String,
    line: usize,
    start: usize,
}

impl Open {
    fn malformed(self, fault: Fault) -> Malformed {
        Malformed { label: self.label, line: self.line, fault }
    }

    fn close(self, end_label: &str, text: &[u8]) -> Result<Block, Malformed> {
        if self.label != end_label {
            return Err(self.malformed(Fault::LabelsDiffer(end_label.to_owned())));
        }
        let read = if self.label.contains("PRIVATE KEY") { parse_secret(text) } else { parse_public(text) };
        let Some((headers, contents)) = read else {
            return Err(self.malformed(Fault::NotBase64));
        };
        if contents.is_empty() {
            return Err(self.malformed(Fault::Empty));
        }
        Ok(Block { label: self.label, contents, headers, line: self.line })
    }
}

type Headers = Vec<(String, String)>;

/// The headers and the contents of a block with its boundary lines; `None` for what is no base64.
fn parse_public(block: &[u8]) -> Option<(Headers, Zeroizing<Vec<u8>>)> {
    let parsed = ::pem::parse(block).ok()?;
    let headers = parsed.headers().iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect();
    Some((headers, Zeroizing::new(parsed.into_contents())))
}

/// The same of a private key: `pem` joins the lines in memory that is not erased.
fn parse_secret(block: &[u8]) -> Option<(Headers, Zeroizing<Vec<u8>>)> {
    let block = std::str::from_utf8(block).ok()?.trim_end();
    let (begin, rest) = block.split_once('\n')?;
    // Two boundaries on one line: a line break is missing.
    if begin.trim().trim_matches('-').contains("-----") {
        return None;
    }
    let inside = rest.rfind('\n').and_then(|at| rest.get(..=at)).unwrap_or_default();
    let inside = inside.trim_start_matches([' ', '\t', '\r', '\n']);
    let parted = inside.split_once("\n\n").or_else(|| inside.split_once("\r\n\r\n"));
    let (headers, data) = parted.unwrap_or(("", inside));
    let header = |line: &str| line.split_once(':').map(|(key, value)| (key.trim().to_owned(), value.trim().to_owned()));
    let headers = headers.lines().map(header).collect::<Option<_>>()?;
    // Room for all of it, as in `write`.
    let mut characters = Zeroizing::new(String::with_capacity(data.len()));
    characters.extend(data.chars().filter(|character| !character.is_whitespace()));
    Some((headers, base64::decode_secret(&characters)?))
}

/// The label of a boundary line, which stands alone on its line but for white space.
fn boundary(line: &[u8], prefix: &[u8]) -> Option<String> {
    let label = line.trim_ascii().strip_prefix(prefix)?.strip_suffix(b"-----")?;
    let plain = label.iter().all(|byte| matches!(byte, b' '..=b'~'));
    (plain && !label.is_empty()).then(|| String::from_utf8_lossy(label).into_owned())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]
    use super::*;

    fn fault(input: &str) -> Malformed {
        match read(input.as_bytes()).pop() {
            Some(Err(malformed)) => malformed,
            _ => panic!("{input} reads well"),
        }
    }

    #[test]
    fn a_block_is_written_as_everybody_writes_it() {
        for length in 0..200_u8 {
            let contents: Vec<u8> = (0..length).collect();
            let config = ::pem::EncodeConfig::new().set_line_ending(::pem::LineEnding::LF);
            let text = write("PRIVATE KEY", &contents);
            assert_eq!(*text, ::pem::encode_config(&::pem::Pem::new("PRIVATE KEY", contents), config), "{length}");
            assert_eq!(text.len(), text.capacity());
        }
    }

    #[test]
    fn what_is_written_is_read_with_its_line() {
        let text = format!("a note\n{}\n{}", *write("CERTIFICATE", b"one"), *write("X509 CRL", &[7; 100]));
        let blocks: Vec<Block> = read(text.as_bytes()).into_iter().map(Result::unwrap).collect();
        assert_eq!(
            (blocks[0].label.as_str(), blocks[0].contents.as_slice(), blocks[0].line),
            ("CERTIFICATE", &b"one"[..], 2)
        );
        assert_eq!((blocks[1].label.as_str(), blocks[1].contents.len()), ("X509 CRL", 100));
    }

    #[test]
    fn windows_line_ends_and_headers_are_read() {
        let text = "-----BEGIN RSA PRIVATE KEY-----\r\nProc-Type: 4,ENCRYPTED\r\nDEK-Info: AES-128-CBC,00\r\n\r\nAAAA\r\n-----END RSA PRIVATE KEY-----\r\n";
        let block = read(text.as_bytes()).pop().unwrap().unwrap();
        assert_eq!(block.headers[0], ("Proc-Type".into(), "4,ENCRYPTED".into()));
        assert_eq!(block.contents.as_slice(), [0, 0, 0]);
    }

    #[test]
    fn a_private_key_is_read_as_everything_else_is() {
        for inside in [
            "AAAA\n",
            "AA\nAA\n\n",
            "\n\nAAAA\n",
            " A A\tAA \n",
            "AAAA\n\nAAAA\n",
            "a: b\n\nAAAA\n",
            "a: b\nAAAA\n",
            "a\n\nAAAA\n",
            "a: b:c\nd:\n\nAAAA\n",
            "AAA\n",
            "AAA=\n",
            "AA==AAAA\n",
            "A\u{a0}AAA\n",
            "é\n",
            "AAB=\n",
        ] {
            let text = format!("-----BEGIN A-----\n{inside}-----END A-----\n");
            for text in [text.clone(), text.replace('\n', "\r\n")] {
                assert_eq!(parse_secret(text.as_bytes()), parse_public(text.as_bytes()), "{text:?}");
            }
        }
    }

    #[test]
    fn every_begin_line_is_accounted_for() {
        assert_eq!(fault("-----BEGIN A-----\nAAAA\n").fault, Fault::Unterminated);
        assert_eq!(fault("-----BEGIN A-----\nAAAA\n-----END B-----\n").fault, Fault::LabelsDiffer("B".into()));
        assert_eq!(fault("-----BEGIN A-----\n!!!!\n-----END A-----\n").fault, Fault::NotBase64);
        assert_eq!(fault("-----BEGIN A-----\n-----END A-----\n").fault, Fault::Empty);
        assert_eq!(fault("----BEGIN A-----\nAAAA\n-----END A-----\n").fault, Fault::Beheaded);
        let both = read(b"-----BEGIN A-----\nAAAA\n-----BEGIN B-----\nAAAA\n-----END B-----\n");
        assert!(both[0].is_err() && both[1].is_ok());
    }
}
