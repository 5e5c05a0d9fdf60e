//! A folder as a web site.
//!
//! Nothing outside the folder is ever opened: paths are taken apart by [`path`], and [`root`] opens them so that the system
//! itself refuses links that lead out.

mod conditions;
mod content;
mod listing;
mod path;
mod range;
mod root;
mod secrets;

use std::io;
use std::path::Path;
use std::sync::{PoisonError, RwLock};

use hyper::body::Bytes;
use hyper::header::{
    ACCEPT_RANGES, ALLOW, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, HeaderMap,
    HeaderValue, LAST_MODIFIED, LOCATION, RANGE, X_CONTENT_TYPE_OPTIONS,
};
use hyper::{Method, StatusCode, Uri};

use self::conditions::{Outcome, Version};
pub(super) use self::content::FileContent;
use self::path::Asked;
use self::range::Wanted;
use self::root::{Entry, Root};
use self::secrets::Secrets;
use super::https::{Content, Reply};
use super::page;

pub use self::root::FileId;

/// A folder that is served.
#[derive(Debug)]
pub struct Site {
    root: Root,
    withheld: RwLock<Vec<FileId>>,
    /// `None` where private keys go out like other files.
    secrets: Option<Secrets>,
}

impl Site {
    /// This folder, without the private keys that lie in it.
    ///
    /// # Errors
    /// When it cannot be opened, or is no folder.
    pub fn open(folder: &Path) -> io::Result<Self> {
        Ok(Self { root: Root::open(folder)?, withheld: RwLock::default(), secrets: Some(Secrets::default()) })
    }

    /// Hands out private keys that lie in the folder, but for those that are withheld.
    #[must_use]
    pub fn with_private_keys(self) -> Self {
        Self { secrets: None, ..self }
    }

    /// Never serves these files, whatever they hold and are called: the server's own keys.
    pub fn withhold(&self, files: Vec<FileId>) {
        *self.withheld.write().unwrap_or_else(PoisonError::into_inner) = files;
    }

    /// The answer to a request.
    pub(super) fn answer(&self, method: &Method, uri: &Uri, headers: &HeaderMap) -> Reply {
        if method != Method::GET && method != Method::HEAD {
            return Reply::plain(StatusCode::METHOD_NOT_ALLOWED, "a folder takes GET and HEAD")
                .with(ALLOW, HeaderValue::from_static("GET, HEAD"));
        }
        let asked = match Asked::from_path(uri.path()) {
            Ok(asked) => asked,
            Err(why) => return Reply::plain(StatusCode::BAD_REQUEST, why),
        };
        let reply = if asked.is_hidden() { None } else { self.look(&asked, uri, method, headers) };
        reply.unwrap_or_else(missing)
    }

    fn look(&self, asked: &Asked, uri: &Uri, method: &Method, headers: &HeaderMap) -> Option<Reply> {
        match self.root.entry(asked.relative()) {
            Ok(Entry::Folder(_)) if !asked.is_folder => Some(moved(asked, uri)),
            Ok(Entry::Folder(folder)) => match self.root.entry(&asked.relative().join(INDEX)) {
                Ok(Entry::File(file)) => self.file(file, Path::new(INDEX), method, headers),
                _ => {
                    // A large folder takes a while: other connections go on.
                    let entries = tokio::task::block_in_place(|| {
                        folder.list(&self.root, asked.relative(), &|file, name| self.lists(file, name))
                    });
                    Some(entries.map_or_else(|_| unreadable(), |entries| listed(asked, &entries, method)))
                }
            },
            Ok(Entry::File(_)) if asked.is_folder => None,
            Ok(Entry::File(file)) => self.file(file, asked.relative(), method, headers),
            Ok(Entry::Other) => None,
            Err(error) => match error.kind() {
                io::ErrorKind::PermissionDenied => Some(unreadable()),
                _ if root::is_exhausted(&error) => {
                    Some(Reply::plain(StatusCode::SERVICE_UNAVAILABLE, "too many files are open"))
                }
                _ => None,
            },
        }
    }

    fn lists(&self, file: &root::File, name: &Path) -> bool {
        !self.is_own(file) && self.secrets.as_ref().is_none_or(|secrets| secrets.lists(file, name))
    }

    fn withholds(&self, file: &root::File, name: &Path) -> bool {
        self.is_own(file) || self.secrets.as_ref().is_some_and(|secrets| secrets.holds(file, name))
    }

    fn is_own(&self, file: &root::File) -> bool {
        self.withheld.read().unwrap_or_else(PoisonError::into_inner).contains(&file.id)
    }

    /// A file, or a part of it, or that it has not changed.
    fn file(&self, file: root::File, name: &Path, method: &Method, headers: &HeaderMap) -> Option<Reply> {
        if self.withholds(&file, name) {
            // To the client it is not there; the log says why.
            return Some(missing().withheld());
        }
        let version = Version::of(&file);
        let head = |mut reply: Reply| {
            if let Ok(tag) = HeaderValue::from_str(version.tag()) {
                reply = reply.with(ETAG, tag);
            }
            if let Ok(date) = HeaderValue::from_str(&version.date()) {
                reply = reply.with(LAST_MODIFIED, date);
            }
            reply.with(ACCEPT_RANGES, HeaderValue::from_static("bytes"))
        };
        match version.judge(headers) {
            Outcome::Send => {}
            Outcome::NotModified => return Some(head(Reply::new(StatusCode::NOT_MODIFIED, Content::Empty))),
            Outcome::Failed => {
                return Some(head(Reply::plain(StatusCode::PRECONDITION_FAILED, "the file is another version")));
            }
        }
        let asked = headers.get(RANGE).and_then(|range| range.to_str().ok());
        // RFC 9110 §14.2: Range is for GET alone.
        let asked = asked.filter(|_| method == Method::GET && version.allows_range(headers));
        let (status, from, length) = match asked.map_or(Wanted::All, |range| range::read(range, file.length)) {
            Wanted::All => (StatusCode::OK, 0, file.length),
            Wanted::Part { from, length } => (StatusCode::PARTIAL_CONTENT, from, length),
            Wanted::Nothing => {
                let all = field(format!("bytes */{}", file.length));
                let reply = Reply::plain(StatusCode::RANGE_NOT_SATISFIABLE, "the file has no such part");
                return Some(head(reply).with(CONTENT_RANGE, all));
            }
        };
        let whole = file.length;
        let content = match method == Method::HEAD {
            true => Content::Empty,
            false => match FileContent::new(file, from, length).into_content() {
                Ok(content) => content,
                Err(_) => return Some(Reply::plain(StatusCode::INTERNAL_SERVER_ERROR, "the file cannot be read")),
            },
        };
        let mut reply = head(Reply::new(status, content))
            .with(CONTENT_TYPE, content_type(name))
            .with(CONTENT_LENGTH, length.into())
            .with(X_CONTENT_TYPE_OPTIONS, NO_SNIFF);
        if status == StatusCode::PARTIAL_CONTENT {
            let last = from + length.saturating_sub(1);
            reply = reply.with(CONTENT_RANGE, field(format!("bytes {from}-{last}/{whole}")));
        }
        Some(reply)
    }
}

/// By the ending of the name. Text is taken to be UTF-8.
fn content_type(name: &Path) -> HeaderValue {
    let Some(kind) = mime_guess::from_path(name).first_raw() else {
        return HeaderValue::from_static("application/octet-stream");
    };
    match kind.starts_with("text/") || kind == "application/javascript" {
        true => field(format!("{kind}; charset=utf-8")),
        false => HeaderValue::from_static(kind),
    }
}

/// A folder's path ends with a slash, so that links in its pages lead below it.
fn moved(asked: &Asked, uri: &Uri) -> Reply {
    let query = uri.query().map(|query| format!("?{query}")).unwrap_or_default();
    // Made of the names that were found: "//host/x" would lead to another host.
    let place = field(format!("{}{query}", asked.as_folder()));
    Reply::plain(StatusCode::MOVED_PERMANENTLY, "it is a folder").with(LOCATION, place)
}

fn listed(asked: &Asked, entries: &listing::Entries, method: &Method) -> Reply {
    let page = Bytes::from(listing::page(asked, entries));
    let length = page.len();
    let content = if method == Method::HEAD { Content::Empty } else { Content::Whole(page) };
    Reply::new(StatusCode::OK, content)
        .with(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"))
        .with(CONTENT_LENGTH, length.into())
        .with(CONTENT_SECURITY_POLICY, page::POLICY)
        .with(X_CONTENT_TYPE_OPTIONS, NO_SNIFF)
}

fn missing() -> Reply {
    Reply::plain(StatusCode::NOT_FOUND, "there is no such file here")
}

fn unreadable() -> Reply {
    Reply::plain(StatusCode::FORBIDDEN, "the server may not read it")
}

fn field(text: String) -> HeaderValue {
    HeaderValue::try_from(text).unwrap_or(HeaderValue::from_static(""))
}

/// Browsers take the type for what it says.
const NO_SNIFF: HeaderValue = HeaderValue::from_static("nosniff");

/// What is shown for a folder.
const INDEX: &str = "index.html";
