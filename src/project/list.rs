//! Lists of certificates: one a line, as CSV with a header, or as TOML.

use super::document::Days;
use super::wish::{Wish, WishError, split_names};
use crate::encoding::misfit;
use crate::key::KeyAlgorithm;
use serde::Deserialize;
use std::str::FromStr;

/// How a list is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Names on each line; `#` begins a comment.
    Lines,
    /// CSV (RFC 4180) with a header; a field ends on the line on which it begins.
    Csv,
    /// TOML, a `[[certificate]]` for each.
    Toml,
}

/// Reads a list of lines or of CSV, line by line.
#[derive(Debug)]
pub struct ListReader {
    columns: Option<Vec<Column>>,
    header_is_due: bool,
    number: u64,
}

/// A column of CSV.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Column {
    Names,
    Cn,
    Subject,
    Profile,
    Days,
    Key,
    Out,
}

const COLUMNS: [(&str, Column); 7] = [
    ("names", Column::Names),
    ("cn", Column::Cn),
    ("subject", Column::Subject),
    ("profile", Column::Profile),
    ("days", Column::Days),
    ("key", Column::Key),
    ("out", Column::Out),
];

/// A first line that is neither a header of CSV nor clearly a line of names.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the first line, {line:?}, may be a header of CSV or names: {why}")]
pub struct Ambiguous {
    /// The line.
    pub line: String,
    /// Why it can be neither with certainty.
    pub why: String,
}

impl Format {
    /// The format by the ending of a file's name, or else by its first line that is neither empty nor a comment: a header
    /// of CSV, or `[[certificate]]`.
    ///
    /// # Errors
    /// [`Ambiguous`] where only some words of it are columns of CSV: taken for names, a header with a slip would become a
    /// certificate, and every line after it a wrong one.
    pub fn detect(file_name: &str, first_line: &str) -> Result<Self, Ambiguous> {
        let ending = file_name.rsplit_once('.').map(|(_, ending)| ending.to_ascii_lowercase());
        match ending.as_deref() {
            Some("csv") => return Ok(Self::Csv),
            Some("toml") => return Ok(Self::Toml),
            _ => {}
        }
        let line = without_mark(first_line).trim();
        if line == "[[certificate]]" {
            return Ok(Self::Toml);
        }
        let ambiguous = |why| Err(Ambiguous { line: line.to_owned(), why });
        let unquoted = |word: &str| word.trim().trim_matches('"').to_owned();
        let fields: Vec<String> = line.split(',').map(unquoted).collect();
        if fields.len() > 1 && fields.iter().all(|field| column(field).is_some()) {
            return Ok(Self::Csv);
        }
        let between = |c: char| c.is_whitespace() || matches!(c, ',' | ';');
        let words: Vec<String> = line.split(between).map(unquoted).filter(|word| !word.is_empty()).collect();
        match (words.as_slice(), words.iter().find(|word| column(word).is_none())) {
            ([one], None) if column(one).is_some_and(Column::says_whom) => {
                ambiguous(format!("{one:?} is a column, and may be a name"))
            }
            ([_] | [], _) => Ok(Self::Lines),
            (_, None) => ambiguous("all of it are columns, and commas are due between them".to_owned()),
            (words, Some(unknown)) if words.iter().any(|word| column(word).is_some()) => {
                ambiguous(format!("{unknown:?} is no column: there are {}", columns()))
            }
            _ => Ok(Self::Lines),
        }
    }
}

impl FromStr for Format {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "lines" => Ok(Self::Lines),
            "csv" => Ok(Self::Csv),
            "toml" => Ok(Self::Toml),
            _ => Err("the formats are lines, csv and toml"),
        }
    }
}

impl Column {
    /// Whether it says whom a certificate is for.
    fn says_whom(self) -> bool {
        matches!(self, Self::Names | Self::Cn | Self::Subject)
    }
}

/// The column of this name.
fn column(word: &str) -> Option<Column> {
    COLUMNS.iter().find(|(name, _)| word.eq_ignore_ascii_case(name)).map(|(_, column)| *column)
}

/// The names of all columns.
fn columns() -> String {
    COLUMNS.map(|(name, _)| name).join(", ")
}

/// Why a line is refused that has a CR within it.
pub const LONE_CR: &str = "a carriage return (CR) stands within it, as if it ended a line: end lines with LF or CR LF";

/// A text without the byte order mark that some editors begin a file with.
pub fn without_mark(text: &str) -> &str {
    text.strip_prefix('\u{feff}').unwrap_or(text)
}

impl ListReader {
    /// A reader of lines, or of CSV whose header comes first.
    pub fn new(format: Format) -> Self {
        Self { columns: None, header_is_due: format == Format::Csv, number: 0 }
    }

    /// Whether the header of CSV has not been read: without it no line can be.
    pub fn awaits_header(&self) -> bool {
        self.header_is_due
    }

    /// Reads the next line; `None` for a header, a comment or an empty line.
    ///
    /// # Errors
    /// [`WishError`], with the line's number. The next line can be read all the same, but after a faulty header.
    pub fn line(&mut self, line: &[u8]) -> Result<Option<Wish>, WishError> {
        self.number += 1;
        let number = self.number;
        let fault = |why: String| WishError { line: number, why };
        let text = std::str::from_utf8(line).map_err(|_| fault("it is not UTF-8".to_owned()))?;
        let text = if number == 1 { without_mark(text) } else { text };
        // Taken for a blank, it would make one certificate of many lines, or a comment of them.
        if text.contains('\r') {
            return Err(fault(LONE_CR.to_owned()));
        }
        if text.trim().is_empty() || (self.header_is_due && text.starts_with('#')) {
            return Ok(None);
        }
        let read = if self.header_is_due {
            self.columns = Some(header(text).map_err(fault)?);
            self.header_is_due = false;
            return Ok(None);
        } else if let Some(columns) = &self.columns {
            row(columns, text)
        } else {
            Ok(plain(text))
        };
        Ok(read.map_err(fault)?.map(|wish| Wish { line: number, ..wish }))
    }
}

/// Names, and perhaps a comment after them.
fn plain(text: &str) -> Option<Wish> {
    let names = match text.split_once('#') {
        Some((before, _)) if before.is_empty() || before.ends_with(char::is_whitespace) => before,
        _ => text,
    };
    let names = split_names(names);
    (!names.is_empty()).then(|| Wish { names, ..Wish::default() })
}

fn header(text: &str) -> Result<Vec<Column>, String> {
    let mut header: Vec<Column> = Vec::new();
    for field in fields(text)? {
        let word = field.trim();
        let column = column(word).ok_or_else(|| format!("there is no column {word:?}: there are {}", columns()))?;
        if header.contains(&column) {
            return Err(format!("the column {word:?} is there twice"));
        }
        header.push(column);
    }
    if !header.iter().any(|column| column.says_whom()) {
        return Err("no column says whom a certificate is for: there are names, cn and subject".to_owned());
    }
    Ok(header)
}

fn row(columns: &[Column], text: &str) -> Result<Option<Wish>, String> {
    let fields = fields(text)?;
    if fields.len() != columns.len() {
        return Err(format!("it has {} fields and the header {}", fields.len(), columns.len()));
    }
    let mut wish = Wish::default();
    for (column, field) in columns.iter().zip(&fields) {
        let text = field.trim();
        let given = (!text.is_empty()).then(|| text.to_owned());
        match column {
            Column::Names => wish.names = split_names(text),
            Column::Cn => wish.common_name = given,
            Column::Subject => wish.subject = given,
            Column::Profile => wish.profile = given,
            Column::Out => wish.out = given,
            Column::Days => wish.days = given.map(|days| read_days(&days)).transpose()?,
            Column::Key => {
                wish.key =
                    given.map(|key| key.parse()).transpose().map_err(|error: crate::key::KeyError| error.to_string())?
            }
        }
    }
    Ok(Some(wish))
}

fn read_days(text: &str) -> Result<u32, String> {
    text.parse().ok().filter(|days| *days > 0).ok_or_else(|| format!("{text:?} is no number of days"))
}

/// The fields of one line of CSV.
fn fields(text: &str) -> Result<Vec<String>, String> {
    let mut reader = csv_core::Reader::new();
    let (mut output, mut ends) = (vec![0; text.len() + 1], vec![0; text.matches(',').count() + 2]);
    let line = [text.as_bytes(), b"\n"].concat();
    let (result, _, written, count) = reader.read_record(&line, &mut output, &mut ends);
    if !matches!(result, csv_core::ReadRecordResult::Record) {
        return Err("a field in quotes does not end on its line".to_owned());
    }
    let mut start = 0;
    let mut fields = Vec::with_capacity(count);
    for end in ends.iter().take(count) {
        let field = output.get(start..*end).unwrap_or_default();
        fields.push(String::from_utf8_lossy(field).into_owned());
        start = *end;
    }
    debug_assert_eq!(start, written);
    Ok(fields)
}

/// Reads a list in TOML.
///
/// # Errors
/// [`WishError`]: unknown keys, values of the wrong type.
pub fn from_toml(text: &str) -> Result<Vec<Wish>, WishError> {
    let text = without_mark(text);
    let line_at = |offset: usize| text.get(..offset).unwrap_or_default().matches('\n').count() as u64 + 1;
    let list: List = toml::from_str(text).map_err(|error| {
        let at = error.span().map_or(0, |span| span.start);
        WishError { line: line_at(at), why: misfit::in_words(text, at, error.message()) }
    })?;
    Ok(list
        .certificate
        .into_iter()
        .map(|entry| {
            let line = line_at(entry.span().start);
            let Entry { names, cn, subject, profile, days, key, out } = entry.into_inner();
            Wish { line, names, common_name: cn, subject, profile, days: days.map(|days| days.0), key, out }
        })
        .collect())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct List {
    certificate: Vec<toml::Spanned<Entry>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    #[serde(default)]
    names: Vec<String>,
    cn: Option<String>,
    subject: Option<String>,
    profile: Option<String>,
    days: Option<Days>,
    key: Option<KeyAlgorithm>,
    out: Option<String>,
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn read(format: Format, text: &str) -> Vec<Result<Wish, String>> {
        let mut reader = ListReader::new(format);
        let lines = text.lines().filter_map(|line| reader.line(line.as_bytes()).transpose());
        lines.map(|wish| wish.map_err(|error| error.to_string())).collect()
    }

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn a_line_is_a_certificate_and_comments_are_none() {
        let read = read(Format::Lines, "# hosts\n\na.test, 10.0.0.1 # the first\nb.test\nhttps://a.test/#x\n");
        let read: Vec<Wish> = read.into_iter().map(Result::unwrap).collect();
        assert_eq!(read.iter().map(|wish| wish.line).collect::<Vec<_>>(), [3, 4, 5]);
        assert_eq!(read.first().unwrap().names, ["a.test", "10.0.0.1"]);
        assert_eq!(read.last().unwrap().names, ["https://a.test/#x"]);
    }

    #[test]
    fn csv_has_a_header_and_quotes() {
        let text = "names,profile,days,key,out\n\"a.test, b.test\",,90,rsa:2048,x\nc.test,client,,,\n";
        let read: Vec<Wish> = read(Format::Csv, text).into_iter().map(Result::unwrap).collect();
        let first = Wish {
            line: 2,
            names: names(&["a.test", "b.test"]),
            days: Some(90),
            key: Some(KeyAlgorithm::Rsa(2048)),
            out: Some("x".into()),
            ..Wish::default()
        };
        let second = Wish { line: 3, names: names(&["c.test"]), profile: Some("client".into()), ..Wish::default() };
        assert_eq!(read, [first, second]);
    }

    #[test]
    fn a_bad_line_is_told_by_its_number_and_the_next_one_is_read() {
        let text = "names,days\na.test,0\nb.test\n\"c.test,1\nd.test,x\ne.test,5\n";
        let told: Vec<String> =
            read(Format::Csv, text).into_iter().map(|wish| wish.map_or_else(|e| e, |w| w.names.concat())).collect();
        assert_eq!(
            told,
            [
                "line 2: \"0\" is no number of days",
                "line 3: it has 1 fields and the header 2",
                "line 4: a field in quotes does not end on its line",
                "line 5: \"x\" is no number of days",
                "e.test",
            ]
        );
        for (header, wanted) in [
            ("names,day", "no column \"day\""),
            ("names,names", "twice"),
            ("days,profile", "whom a certificate is for"),
        ] {
            assert!(read(Format::Csv, header).concat_errors().contains(wanted), "{header}");
        }
    }

    trait ConcatErrors {
        fn concat_errors(self) -> String;
    }

    impl ConcatErrors for Vec<Result<Wish, String>> {
        fn concat_errors(self) -> String {
            self.into_iter().filter_map(Result::err).collect()
        }
    }

    #[test]
    fn toml_has_a_table_for_each() {
        let text =
            "[[certificate]]\nnames = [\"a.test\"]\n\n[[certificate]]\ncn = \"Ann\"\nprofile = \"client\"\ndays = 7\n";
        let read = from_toml(text).unwrap();
        assert_eq!((read.len(), read.last().unwrap().line, read.last().unwrap().days), (2, 4, Some(7)));
        let error = from_toml("[[certificate]]\nname = \"a\"\n").unwrap_err();
        assert_eq!((error.line, error.why.contains("unknown field `name`")), (2, true), "{error}");
        assert!(from_toml("[[certificate]]\ndays = 0\n").unwrap_err().why.contains("a day at least"));
    }

    #[test]
    fn the_format_is_recognised() {
        for (file, line, format) in [
            ("x.csv", "a.test", Format::Csv),
            ("x.toml", "", Format::Toml),
            ("-", "[[certificate]]", Format::Toml),
            ("-", "\u{feff}[[certificate]]", Format::Toml),
            ("names.txt", "names,profile", Format::Csv),
            ("names.txt", "Names, Days", Format::Csv),
            ("-", "\u{feff}\"names\",\"profile\"", Format::Csv),
            ("names.txt", "a.test,example.test", Format::Lines),
            ("names.txt", "out.test, key.test", Format::Lines),
            ("names.txt", "out", Format::Lines),
            ("names.txt", "", Format::Lines),
            ("-", "a.test b.test", Format::Lines),
        ] {
            assert_eq!(Format::detect(file, line), Ok(format), "{file} {line}");
        }
    }

    #[test]
    fn a_header_in_part_is_never_taken_for_names() {
        for (line, why) in [
            ("names,profle", "\"profle\" is no column: there are names, cn,"),
            ("\u{feff}names,profle", "\"profle\" is no column"),
            ("name,profile", "\"name\" is no column"),
            ("names,example.test", "\"example.test\" is no column"),
            ("names;profile", "commas are due"),
            ("names\tprofile", "commas are due"),
            ("names;days;profle", "\"profle\" is no column"),
            ("names", "is a column, and may be a name"),
            ("\u{feff}CN", "is a column, and may be a name"),
        ] {
            let told = Format::detect("names.txt", line).unwrap_err().to_string();
            assert!(told.contains(why), "{line}: {told}");
        }
    }

    #[test]
    fn a_byte_order_mark_and_comments_may_stand_before_a_header() {
        let read = read(Format::Csv, "\u{feff}# hosts\nnames,days\na.test,3\n");
        let [Ok(wish)] = read.as_slice() else { unreachable!("{read:?}") };
        assert_eq!((wish.line, wish.days), (3, Some(3)));
        assert_eq!(from_toml("\u{feff}[[certificate]]\nnames = [\"a.test\"]\n").unwrap().len(), 1);
    }
}
