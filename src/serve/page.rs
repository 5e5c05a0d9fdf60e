//! The pages that servers make up: markup and style alone.

use hyper::header::HeaderValue;

/// What browsers may do with such a page: nothing but show it.
pub(super) const POLICY: HeaderValue = HeaderValue::from_static("default-src 'none'; style-src 'unsafe-inline'");

/// A page. Title and body are markup already.
pub(super) fn page(title: &str, style: &str, body: &str) -> String {
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n<title>{title}</title>\n\
         <style>body{{font:1rem/1.5 system-ui,sans-serif;margin:2rem}}h1{{font-size:1.2rem}}{style}</style>\n\
         <h1>{title}</h1>\n{body}</html>\n"
    )
}
