//! A [`Sheet`] as prose: labels in a column, values beside them, colour by tone.

use super::text::{Text, bad, dim, good, safe, strong, warn};
use crate::describe::{Row, Sheet, Tone};

/// Writes a sheet. `heading` comes before its title: the number of a block, or nothing.
pub(super) fn write(sheet: &Sheet, heading: &str, text: &mut Text) {
    let name = if sheet.name.is_empty() { String::new() } else { format!("  {}", strong(&sheet.name)) };
    let heading = if heading.is_empty() { String::new() } else { dim(heading).to_string() };
    text.line(format_args!("{heading}{}{name}", safe(&sheet.kind)));
    write_rows(&sheet.rows, "  ", text);
    for (group, rows) in &sheet.groups {
        text.line(format_args!("  {}", dim(group)));
        write_rows(rows, "    ", text);
    }
}

fn write_rows(rows: &[Row], indent: &str, text: &mut Text) {
    let label = |row: &Row| safe(&row.label).to_string();
    let width = rows.iter().map(|row| label(row).chars().count()).max().unwrap_or(0).min(WIDEST);
    for row in rows {
        let mut label = label(row);
        for line in &row.lines {
            let value = match row.tone {
                Tone::Plain => safe(line).to_string(),
                Tone::Dim => dim(line).to_string(),
                Tone::Good => good(line).to_string(),
                Tone::Warn => warn(line).to_string(),
                Tone::Bad => bad(line).to_string(),
            };
            text.line(format_args!("{indent}{label:width$}  {value}"));
            label.clear();
        }
    }
}

/// A label longer than this pushes its own value aside, not everybody's.
const WIDEST: usize = 30;
