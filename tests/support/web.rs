//! A web server in this process, with pages of any kind, hostile ones above all. It counts who comes.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

/// What is at a path.
pub(crate) enum Page {
    /// This content.
    Content(Vec<u8>),
    /// This status and no content.
    Status(u16),
    /// Another place.
    Redirect(String),
    /// Content that does not end.
    Endless,
    /// Content that comes an octet at a time and does not end.
    Slow,
    /// Nothing, and the connection stays open.
    Silent,
    /// A status, and what this makes of the body that was sent; for every path below it, too.
    Answer(Box<Respond>),
}

/// A status and content for what was asked.
pub(crate) type Respond = dyn Fn(&Asked) -> (u16, Vec<u8>) + Send + Sync;

/// What was asked.
pub(crate) struct Asked {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) body: Vec<u8>,
}

/// A server on a port of 127.0.0.1; it ends with the process.
pub(crate) struct Web {
    port: u16,
    pages: Arc<Mutex<HashMap<String, Arc<Page>>>>,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Web {
    pub(crate) fn new() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let web = Self { port: listener.local_addr().unwrap().port(), pages: Arc::default(), asked: Arc::default() };
        let (pages, asked) = (Arc::clone(&web.pages), Arc::clone(&web.asked));
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (pages, asked) = (Arc::clone(&pages), Arc::clone(&asked));
                // Whoever hangs up early is none of the server's business.
                thread::spawn(move || _ = serve(stream, &pages, &asked));
            }
        });
        web
    }

    /// Puts this at a path.
    pub(crate) fn put(&self, path: &str, page: Page) {
        self.pages.lock().unwrap().insert(path.to_owned(), Arc::new(page));
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    /// Methods and paths of all that was asked, in order.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

fn serve(
    stream: TcpStream,
    pages: &Mutex<HashMap<String, Arc<Page>>>,
    asked: &Mutex<Vec<String>>,
) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut first = String::new();
    // A connection counts, whether anything is asked or not.
    let place = asked.lock().unwrap().len();
    asked.lock().unwrap().push("connected".to_owned());
    reader.read_line(&mut first)?;
    let mut words = first.split_whitespace().map(str::to_owned);
    let (method, path) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    asked.lock().unwrap()[place] = format!("{method} {path}");
    let mut length = 0;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        if let Some((name, value)) = line.split_once(':')
            && name.eq_ignore_ascii_case("content-length")
        {
            length = value.trim().parse().unwrap_or(0);
        }
        if line.trim().is_empty() {
            break;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    let found = {
        let pages = pages.lock().unwrap();
        let below = |it: &&String| path.starts_with(&format!("{it}/"));
        pages.get(&path).or_else(|| pages.keys().find(below).map(|it| &pages[it])).cloned()
    };
    let mut stream = stream;
    let mut whole = |status: u16, more: &str, content: &[u8]| {
        let length = content.len();
        write!(stream, "HTTP/1.1 {status} X\r\nContent-Length: {length}\r\nConnection: close\r\n{more}\r\n")?;
        stream.write_all(content)
    };
    match found.as_deref() {
        None => whole(404, "", b"<html>not here</html>"),
        Some(Page::Content(content)) => whole(200, "", content),
        Some(Page::Status(status)) => whole(*status, "", b""),
        Some(Page::Redirect(place)) => whole(302, &format!("Location: {place}\r\n"), b""),
        Some(Page::Answer(answer)) => {
            let (status, content) = answer(&Asked { method, path, body });
            whole(status, "", &content)
        }
        Some(Page::Endless) => {
            stream.write_all(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")?;
            loop {
                stream.write_all(&[0x30; 1 << 16])?;
            }
        }
        Some(Page::Slow) => {
            stream.write_all(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")?;
            loop {
                stream.write_all(&[0x30])?;
                thread::sleep(Duration::from_millis(50));
            }
        }
        Some(Page::Silent) => {
            thread::sleep(Duration::from_secs(60));
            Ok(())
        }
    }
}
