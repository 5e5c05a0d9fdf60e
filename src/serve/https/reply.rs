//! Answers, and what goes out as their bodies.

use std::error::Error;
use std::pin::Pin;
use std::task::{Context, Poll};

use hyper::body::{Body, Bytes, Frame, Incoming, SizeHint};
use hyper::header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderName, HeaderValue};
use hyper::{Response, StatusCode};

use super::event::Tally;
use crate::serve::connections::Working;
use crate::serve::site::FileContent;

/// An answer.
#[derive(Debug)]
pub(in crate::serve) struct Reply(Response<Content>);

/// The mark of [`Reply::withheld`].
#[derive(Debug, Clone, Copy)]
pub(super) struct Withheld;

/// The body of an answer.
#[derive(Debug)]
pub(in crate::serve) enum Content {
    /// Nothing.
    Empty,
    /// All of it.
    Whole(Bytes),
    /// A part of a file.
    File(FileContent),
    /// What another server sends.
    Passed(Incoming),
}

impl Reply {
    pub(in crate::serve) fn new(status: StatusCode, content: Content) -> Self {
        let mut response = Response::new(content);
        *response.status_mut() = status;
        Self(response)
    }

    /// A line of text.
    pub(in crate::serve) fn plain(status: StatusCode, line: &str) -> Self {
        let body = Bytes::from(format!("{line}\n"));
        let length = body.len();
        Self::new(status, Content::Whole(body))
            .with(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"))
            .with(CONTENT_LENGTH, length.into())
    }

    #[must_use]
    pub(in crate::serve) fn with(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.0.headers_mut().insert(name, value);
        self
    }

    /// Marks it for the log: there is such a file, and it holds a private key.
    #[must_use]
    pub(in crate::serve) fn withheld(mut self) -> Self {
        self.0.extensions_mut().insert(Withheld);
        self
    }

    #[must_use]
    pub(in crate::serve) fn with_body(mut self, body: Bytes) -> Self {
        *self.0.body_mut() = Content::Whole(body);
        self
    }

    pub(in crate::serve) fn into_response(self) -> Response<Content> {
        self.0
    }
}

impl From<Response<Content>> for Reply {
    fn from(response: Response<Content>) -> Self {
        Self(response)
    }
}

/// A body on its way: counted, and logged when it is done or given up.
pub(super) struct Outgoing {
    content: Content,
    tally: Option<Box<Tally>>,
    /// The connection keeps its place until then.
    working: Working,
}

impl Outgoing {
    pub(super) fn new(content: Content, tally: Option<Box<Tally>>, working: Working) -> Self {
        Self { content, tally, working }
    }
}

impl Body for Outgoing {
    type Data = Bytes;
    type Error = Box<dyn Error + Send + Sync>;

    fn poll_frame(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        let this = self.get_mut();
        let frame = match &mut this.content {
            Content::Empty => None,
            Content::Whole(_) => match std::mem::replace(&mut this.content, Content::Empty) {
                Content::Whole(octets) => Some(Ok(Frame::data(octets))),
                _ => None,
            },
            Content::File(file) => match file.next() {
                Ok(None) => None,
                Ok(Some(octets)) => Some(Ok(Frame::data(octets))),
                Err(error) => Some(Err(error.into())),
            },
            Content::Passed(incoming) => match Pin::new(incoming).poll_frame(context) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(frame) => frame.map(|frame| frame.map_err(Into::into)),
            },
        };
        this.working.progressed();
        if let (Some(tally), Some(Ok(frame))) = (&mut this.tally, &frame)
            && let Some(octets) = frame.data_ref()
        {
            tally.octets += octets.len() as u64;
        }
        if let (Some(tally), Some(Err(_))) = (&mut this.tally, &frame) {
            tally.is_broken = true;
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        match &self.content {
            Content::Empty => true,
            Content::Whole(octets) => octets.is_empty(),
            Content::File(file) => file.left() == 0,
            Content::Passed(incoming) => incoming.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.content {
            Content::Empty => SizeHint::with_exact(0),
            Content::Whole(octets) => SizeHint::with_exact(octets.len() as u64),
            Content::File(file) => SizeHint::with_exact(file.left()),
            Content::Passed(incoming) => incoming.size_hint(),
        }
    }
}
