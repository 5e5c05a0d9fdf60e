//! Answers too long to be held at once: a head, and rows that are written as they are found.

use anyhow::Context;
use serde::Serialize;

use super::Session;
use crate::cli::text::Text;

/// A long answer: in JSON one object, with the fields of the head, one field with all rows, and the fields of the end.
pub trait LongReport {
    /// What comes before the rows; an object.
    type Head: Serialize;
    /// One row.
    type Row: Serialize;
    /// What comes after them; an object.
    type End: Serialize;

    /// The name of the field that has the rows.
    const ROWS: &'static str;

    /// What comes before the rows.
    fn head(&self) -> Self::Head;

    /// The next rows, one at least; `None` after the last.
    ///
    /// # Errors
    /// When they cannot be read. The answer then breaks off.
    fn next_rows(&mut self) -> anyhow::Result<Option<Vec<Self::Row>>>;

    /// Says some rows to a person.
    fn text(&mut self, rows: &[Self::Row], text: &mut Text);

    /// What comes after the rows.
    fn end(&self) -> Self::End;

    /// Says the end to a person.
    fn end_text(&self, text: &mut Text);
}

impl Session {
    /// Gives a long answer: once in a run.
    ///
    /// # Errors
    /// Those of the report, and as [`Session::answer`].
    pub fn answer_long(&mut self, report: &mut impl LongReport) -> anyhow::Result<()> {
        self.answered = true;
        if self.json { self.long_document(report) } else { self.long_text(report) }
    }

    fn long_text(&mut self, report: &mut impl LongReport) -> anyhow::Result<()> {
        while let Some(rows) = report.next_rows()? {
            let mut text = Text::new();
            report.text(&rows, &mut text);
            self.out.write(text.as_str())?;
            if self.out.closed {
                return Ok(());
            }
        }
        let mut text = Text::new();
        report.end_text(&mut text);
        self.out.write(text.as_str())
    }

    fn long_document<R: LongReport>(&mut self, report: &mut R) -> anyhow::Result<()> {
        self.out.write_part(&format!("{{\n{}  \"{}\": [", fields(&report.head(), ",\n")?, R::ROWS))?;
        let mut first = true;
        while let Some(rows) = report.next_rows()? {
            let mut part = String::new();
            for row in &rows {
                part.push_str(if first { "\n" } else { ",\n" });
                first = false;
                part.push_str(&indented(row, "    ")?);
            }
            self.out.write_part(&part)?;
            if self.out.closed {
                return Ok(());
            }
        }
        let end = fields(&report.end(), "\n")?;
        let close = if first { "]" } else { "\n  ]" };
        let comma = if end.is_empty() { "" } else { "," };
        self.out.write_document(&format!("{close}{comma}\n{end}}}"))
    }
}

/// The fields of an object as lines of a larger one, each but the last with a comma; `last` ends that.
fn fields(object: &impl Serialize, last: &str) -> anyhow::Result<String> {
    let value = serde_json::to_value(object).context("cannot write the answer as JSON")?;
    let fields = value.as_object().cloned().unwrap_or_default();
    let lines = fields.iter().map(|(name, value)| {
        let name = serde_json::Value::from(name.as_str());
        Ok(format!("  {name}: {}", indented(value, "  ")?.trim_start()))
    });
    let lines = lines.collect::<anyhow::Result<Vec<_>>>()?;
    Ok(if lines.is_empty() { String::new() } else { lines.join(",\n") + last })
}

fn indented(value: &impl Serialize, by: &str) -> anyhow::Result<String> {
    let text = serde_json::to_string_pretty(value).context("cannot write the answer as JSON")?;
    Ok(text.lines().map(|line| format!("{by}{line}")).collect::<Vec<_>>().join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::output::tests::captured;

    /// So many rows, two at a time.
    struct Counted {
        next: u32,
        rows: u32,
    }

    #[derive(Serialize)]
    struct Named {
        name: &'static str,
    }

    #[derive(Serialize)]
    struct Counts {
        count: u32,
        list: [u32; 2],
    }

    impl LongReport for Counted {
        type Head = Named;
        type Row = Counts;
        type End = Named;
        const ROWS: &'static str = "rows";

        fn head(&self) -> Named {
            Named { name: "a\u{9b}" }
        }

        fn next_rows(&mut self) -> anyhow::Result<Option<Vec<Counts>>> {
            let from = self.next;
            self.next = self.rows.min(from + 2);
            let rows: Vec<Counts> = (from..self.next).map(|count| Counts { count, list: [1, 2] }).collect();
            Ok(Some(rows).filter(|rows| !rows.is_empty()))
        }

        fn text(&mut self, rows: &[Counts], text: &mut Text) {
            rows.iter().for_each(|row| text.line(row.count));
        }

        fn end(&self) -> Named {
            Named { name: "z" }
        }

        fn end_text(&self, text: &mut Text) {
            text.line("end");
        }
    }

    #[test]
    fn a_long_answer_is_one_document_as_if_it_had_been_held() {
        for rows in [0, 1, 2, 5] {
            let (mut session, out, _) = captured(true, false);
            session.answer_long(&mut Counted { next: 0, rows }).unwrap();
            let document: serde_json::Value = serde_json::from_str(&out.text()).unwrap();
            assert_eq!(document["rows"].as_array().unwrap().len(), rows as usize);
            // Names come twice here, and the last one counts.
            assert_eq!(document["name"], "z");
            assert!(out.text().starts_with("{\n  \"name\": \"a\\u009b\",\n  \"rows\": ["), "{}", out.text());
            let (mut session, out, _) = captured(false, false);
            session.answer_long(&mut Counted { next: 0, rows }).unwrap();
            assert_eq!(out.text().lines().count(), rows as usize + 1);
        }
    }

    #[test]
    fn rows_are_laid_out_as_in_any_answer() {
        let (mut session, out, _) = captured(true, false);
        session.answer_long(&mut Counted { next: 0, rows: 1 }).unwrap();
        let row = "    {\n      \"count\": 0,\n      \"list\": [\n        1,\n        2\n      ]\n    }\n  ],\n";
        assert!(out.text().contains(row), "{}", out.text());
    }
}
