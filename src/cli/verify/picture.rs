//! The tree of paths as a picture: SVG, or a page of HTML around it. One file, no script, nothing fetched, readable in
//! light and dark.

use std::fmt::Write;

use super::report::{PathReport, VerifyReport};
use super::tree::Node;
use crate::encoding::markup::escape;

const BOX_WIDTH: usize = 250;
const BOX_HEIGHT: usize = 64;
const COLUMN: usize = BOX_WIDTH + 70;
const LINE: usize = 17;
/// Characters of a complaint that fit under a box.
const WRAP: usize = 38;
/// Lines of complaints under a box; the rest stands in the list and in the tooltip.
const MOST_LINES: usize = 8;

/// Colours by class; a viewer that prefers dark gets the second set.
const STYLE: &str = "\
:root{color-scheme:light dark}\
.page{fill:#fff}.box{fill:#f6f8fa;stroke:#8c959f}.good{stroke:#1a7f37;stroke-width:2}.bad{stroke:#cf222e;stroke-width:2}\
.link{stroke:#8c959f;fill:none;stroke-width:1.5}.link.good{stroke:#1a7f37}.link.bad{stroke:#cf222e;stroke-dasharray:5 4}\
text{font:14px system-ui,sans-serif;fill:#1f2328}.name{font-weight:600}.dim{fill:#59636e;font-size:12px}\
.fatal{fill:#cf222e;font-size:12px}.warning{fill:#9a6700;font-size:12px}\
@media(prefers-color-scheme:dark){.page{fill:#0d1117}.box{fill:#151b23;stroke:#656c76}.good{stroke:#3fb950}.bad{stroke:#f85149}\
.link{stroke:#656c76}.link.good{stroke:#3fb950}.link.bad{stroke:#f85149}text{fill:#f0f6fc}.dim{fill:#9198a1}\
.fatal{fill:#ff7b72}.warning{fill:#d29922}}";

const PAGE_STYLE: &str = "\
body{font:16px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:70rem;padding:0 1rem;background:#fff;color:#1f2328}\
h1{font-size:1.3rem}.accepted{color:#1a7f37}.rejected{color:#cf222e}figure{margin:1rem 0;overflow-x:auto}\
table{border-collapse:collapse;width:100%}td{padding:.15rem .6rem .15rem 0;vertical-align:top}.clause{color:#59636e}\
details{margin:.6rem 0}summary{cursor:pointer}\
@media(prefers-color-scheme:dark){body{background:#0d1117;color:#f0f6fc}.accepted{color:#3fb950}.rejected{color:#f85149}\
.clause{color:#9198a1}}";

/// The picture alone.
pub(super) fn svg(report: &VerifyReport) -> String {
    let mut drawing = Drawing::default();
    if let Some(tree) = Node::of(&report.paths) {
        drawing.place(&tree, 0);
    }
    let (width, height) = (drawing.width + 40, drawing.next_row + 20);
    let title = escape(&format!("{}: {}", report.verdict(), report.headline()));
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" role=\"img\" width=\"{width}\" height=\"{height}\" \
         viewBox=\"0 0 {width} {height}\">\n<title>{title}</title>\n<style>{STYLE}</style>\n\
         <rect class=\"page\" width=\"100%\" height=\"100%\"/>\n{}{}</svg>\n",
        drawing.links, drawing.boxes
    )
}

/// A page with the verdict, the picture, and every check of every path.
pub(super) fn html(report: &VerifyReport) -> String {
    let verdict = report.verdict();
    let mut page = format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n<title>{verdict}: {file}</title>\n\
         <style>{PAGE_STYLE}</style>\n<h1><span class=\"{class}\">{verdict}</span> {headline}</h1>\n",
        file = escape(&report.file),
        class = verdict.to_lowercase(),
        headline = escape(&report.headline()),
    );
    for reason in &report.reasons {
        let hint = reason.hint.as_deref().map(|hint| format!("<br>To do: {}", escape(hint))).unwrap_or_default();
        _ = writeln!(page, "<p>{}{hint}</p>", escape(&reason.detail));
    }
    _ = writeln!(page, "<figure>\n{}</figure>", svg(report));
    for (number, path) in (1..).zip(&report.paths) {
        let outcome = if path.accepted { "accepted" } else { "rejected" };
        let open = if number == 1 { " open" } else { "" };
        _ = writeln!(page, "<details{open}><summary>Path {number}: {outcome}</summary>\n{}</details>", checks(path));
    }
    page.push_str("</html>\n");
    page
}

/// The checks of one path as a table.
fn checks(path: &PathReport) -> String {
    let mut table = String::from("<table>\n");
    for finding in &path.findings {
        let whose = finding.certificate.and_then(|at| path.certificates.get(at)).map_or("the path", |it| &it.name);
        _ = writeln!(
            table,
            "<tr><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td class=\"clause\">{}</td></tr>",
            finding.outcome,
            escape(whose),
            finding.check,
            escape(&finding.detail),
            finding.clause
        );
    }
    table.push_str("</table>\n");
    table
}

/// Boxes and links as they are placed, the judged certificate on the left, its issuers to the right.
#[derive(Default)]
struct Drawing {
    boxes: String,
    links: String,
    width: usize,
    next_row: usize,
}

impl Drawing {
    /// Places a certificate and all above it; answers the height of its box's middle.
    fn place(&mut self, node: &Node<'_>, depth: usize) -> usize {
        let (left, top) = (20 + depth * COLUMN, self.next_row + 20);
        let lines: Vec<(bool, String)> = node
            .complaints
            .iter()
            .flat_map(|(fatal, complaint)| wrap(complaint).into_iter().map(|line| (*fatal, line)))
            .take(MOST_LINES)
            .collect();
        let middle = top + BOX_HEIGHT / 2;
        self.width = self.width.max(left + BOX_WIDTH);
        self.draw_box(node, left, top, &lines);
        let own_end = top + BOX_HEIGHT + lines.len() * LINE + 10;
        for issuer in &node.issuers {
            let other = self.place(issuer, depth + 1);
            let class = link_class(issuer);
            let (start, end) = (left + BOX_WIDTH, left + COLUMN);
            let half = usize::midpoint(start, end);
            _ = writeln!(
                self.links,
                "<path class=\"link {class}\" d=\"M{start} {middle}C{half} {middle} {half} {other} {end} {other}\"/>"
            );
        }
        self.next_row = self.next_row.max(own_end);
        middle
    }

    fn draw_box(&mut self, node: &Node<'_>, left: usize, top: usize, lines: &[(bool, String)]) {
        let certificate = node.certificate;
        let fatal = node.complaints.iter().any(|(fatal, _)| *fatal);
        let class = if fatal {
            "bad"
        } else if node.accepted {
            "good"
        } else {
            ""
        };
        let text_left = left + 12;
        let until = certificate.not_after.split('T').next().unwrap_or_default();
        let tooltip: Vec<&str> = node.complaints.iter().map(|(_, complaint)| complaint.as_str()).collect();
        _ = writeln!(
            self.boxes,
            "<g><title>{}\n{}</title><rect class=\"box {class}\" x=\"{left}\" y=\"{top}\" width=\"{BOX_WIDTH}\" \
             height=\"{BOX_HEIGHT}\" rx=\"8\"/><text class=\"name\" x=\"{text_left}\" y=\"{}\">{}</text>\
             <text class=\"dim\" x=\"{text_left}\" y=\"{}\">{}, until {until}</text>",
            escape(&certificate.subject),
            escape(&tooltip.join("\n")),
            top + 26,
            escape(&shortened(&certificate.name)),
            top + 47,
            certificate.role,
        );
        for (at, (fatal, line)) in lines.iter().enumerate() {
            let class = if *fatal { "fatal" } else { "warning" };
            let baseline = top + BOX_HEIGHT + (at + 1) * LINE;
            _ = writeln!(
                self.boxes,
                "<text class=\"{class}\" x=\"{text_left}\" y=\"{baseline}\">{}</text>",
                escape(line)
            );
        }
        self.boxes.push_str("</g>\n");
    }
}

fn link_class(issuer: &Node<'_>) -> &'static str {
    match issuer.accepted {
        true => "good",
        false if issuer.complaints.iter().any(|(fatal, _)| *fatal) => "bad",
        false => "",
    }
}

/// A name that fits into its box.
fn shortened(name: &str) -> String {
    const FITS: usize = 30;
    match name.chars().count() {
        count if count <= FITS => name.to_owned(),
        _ => name.chars().take(FITS - 1).chain(['…']).collect(),
    }
}

fn wrap(text: &str) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let full = lines.last().is_some_and(|line| !line.is_empty() && line.chars().count() + word.len() >= WRAP);
        if full {
            lines.push(String::new());
        }
        if let Some(line) = lines.last_mut() {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_lines_are_wrapped_between_words() {
        let wrapped = wrap("one two three four five six seven eight nine ten eleven");
        assert!(wrapped.len() > 1 && wrapped.iter().all(|line| line.chars().count() <= WRAP));
        assert_eq!(wrapped.join(" "), "one two three four five six seven eight nine ten eleven");
    }
}
