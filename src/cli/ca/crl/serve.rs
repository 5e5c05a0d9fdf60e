//! `certkit ca crl --serve`: the list over HTTP, always current.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use anyhow::Context;
use serde::Serialize;
use time::OffsetDateTime;

use super::Args;
use crate::ca::{Action, Authority, SignedList};
use crate::cli::ca::place::{self, Chosen};
use crate::cli::clock;
use crate::cli::exit::Exit;
use crate::cli::output::{Report, Session};
use crate::cli::text::{Text, good};
use crate::encoding::hex;
use crate::key::PrivateKey;
use crate::serve::http::{Answer, Body, Limits, Listener, Request, Service};

pub(super) fn run(args: &Args, address: &str, chosen: &Chosen, session: &mut Session) -> anyhow::Result<Exit> {
    let listener = Listener::bind(address).with_context(|| format!("cannot listen on {address}"))?;
    let address = format!("http://{}", listener.address());
    let mut authority = chosen.open()?;
    let key = args.signer.key(chosen)?;
    let shelf = Arc::new(Shelf::default());
    sign(args, chosen, &mut authority, &key, &shelf)?;
    session.say(format_args!("{} {address}/crl", good("serving")));
    let limits = Limits { life: LIFE, ..Limits::for_requests_of(0) };
    let mut standing = None;
    let service = Arc::clone(&shelf) as Arc<dyn Service>;
    let served = listener.serve_while(limits, service, STEP, || {
        let due = shelf.is_due(&mut authority, clock::now());
        let failed = match due {
            Ok(false) => return,
            Ok(true) => sign(args, chosen, &mut authority, &key, &shelf).err(),
            Err(error) => Some(error),
        };
        // What goes wrong every second is told once.
        if let Some(error) = &failed
            && standing.is_none()
        {
            session.warn(format_args!("no new list can be signed: {error:#}"));
        }
        standing = failed;
    });
    served.context("cannot serve")?;
    if let Some(error) = standing {
        session.fail(&error);
    }
    let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
    session.answer(&Served { address, requests: count(&shelf.requests), signed: count(&shelf.signed) })?;
    Ok(Exit::Yes)
}

/// Signs what is to be served, and puts it there.
fn sign(
    args: &Args,
    chosen: &Chosen,
    authority: &mut Authority,
    key: &PrivateKey,
    shelf: &Shelf,
) -> anyhow::Result<()> {
    let now = clock::now();
    for delta in [false, true].into_iter().filter(|delta| !delta || args.delta) {
        let order = args.order(now, delta)?;
        let published = chosen.unlock(authority, key, now)?.publish(&order, &place::act(Action::Crl))?;
        let page =
            Page { etag: hex::encode(&published.list.fingerprint), body: published.der.into(), list: published.list };
        let place = if delta { &shelf.delta } else { &shelf.complete };
        *place.write().unwrap_or_else(PoisonError::into_inner) = Some(page);
        shelf.signed.fetch_add(1, Ordering::Relaxed);
    }
    Ok(())
}

/// What is served.
#[derive(Debug, Default)]
struct Shelf {
    complete: RwLock<Option<Page>>,
    delta: RwLock<Option<Page>>,
    requests: AtomicU64,
    signed: AtomicU64,
}

#[derive(Debug, Clone)]
struct Page {
    etag: String,
    body: Body,
    list: SignedList,
}

impl Shelf {
    /// Whether half the time of a list is over, or it does not say all.
    fn is_due(&self, authority: &mut Authority, now: OffsetDateTime) -> anyhow::Result<bool> {
        for place in [&self.complete, &self.delta] {
            let Some(Page { list, .. }) = read(place) else { continue };
            let half = list.this_update + (list.next_update - list.this_update) / 2;
            if half <= now || now < list.this_update || authority.has_changed_since(&list)? {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

impl Service for Shelf {
    fn answer(&self, request: &Request<'_>) -> Answer {
        self.requests.fetch_add(1, Ordering::Relaxed);
        if request.method != "GET" {
            return Answer::method_not_allowed("GET, HEAD");
        }
        let place = match request.path {
            "/" | "/crl" | "/ca.crl" => &self.complete,
            "/delta" | "/delta.crl" => &self.delta,
            _ => return Answer::refusal(404, "the list is at /crl"),
        };
        let Some(Page { etag, body, list }) = read(place) else { return Answer::refusal(404, "there is no such list") };
        let now = clock::now();
        let left = (list.next_update - now).whole_seconds();
        // Half of its time: by then there is a newer one.
        let half = (list.next_update - list.this_update).whole_seconds() / 2;
        let age = (left - half).max(60).min(left.max(0));
        let tag = format!("\"{etag}\"");
        let answer = if request.if_none_match.is_some_and(|known| known == "*" || known.contains(&tag)) {
            Answer { status: 304, headers: Vec::new(), body: Body::default() }
        } else {
            Answer::ok("application/pkix-crl", body)
        };
        answer.with("etag", tag).with("cache-control", format!("public, max-age={age}, must-revalidate"))
    }
}

fn read(place: &RwLock<Option<Page>>) -> Option<Page> {
    place.read().unwrap_or_else(PoisonError::into_inner).clone()
}

#[derive(Debug, Serialize)]
struct Served {
    address: String,
    requests: u64,
    signed: u64,
}

impl Report for Served {
    fn text(&self, text: &mut Text) {
        let Self { address, requests, signed } = self;
        text.line(format_args!("served {address}: {requests} requests, {signed} lists signed"));
    }
}

/// How often the ledger and the clock are asked whether something is due.
const STEP: std::time::Duration = std::time::Duration::from_secs(1);

/// A list of a million entries has 50 MB, which a slow line takes minutes for.
const LIFE: std::time::Duration = std::time::Duration::from_secs(300);
