//! `certkit ca crl --serve`: the list over HTTP, always current.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, anyhow};
use serde::Serialize;
use time::OffsetDateTime;

use super::{Args, refused_for_time};
use crate::ca::{Action, Authority, ListOrder, PublishedList, SignedList};
use crate::cli::ca::outage::Outage;
use crate::cli::ca::place::{self, Chosen};
use crate::cli::clock;
use crate::cli::exit::Exit;
use crate::cli::listening;
use crate::cli::output::{Report, Session};
use crate::cli::text::{Text, good};
use crate::encoding::hex;
use crate::key::PrivateKey;
use crate::serve::http::{Answer, Body, Limits, Listener, Request, Service};

pub(super) fn run(args: &Args, address: &str, chosen: &Chosen, session: &mut Session) -> anyhow::Result<Exit> {
    let listener = listening::taken(Listener::bind(address), address, "--serve")?;
    let address = format!("http://{}", listener.address());
    let mut authority = chosen.open()?;
    let key = args.signer.own_key(chosen, session)?;
    let shelf = Arc::new(Shelf { has_deltas: args.delta, ..Shelf::default() });
    let press = Press { args, chosen, key, shelf: &shelf };
    let served_before = authority.lists(args.url.as_deref(), false, 1)?.into_iter().next();
    press.sign_complete(&mut authority, served_before.as_ref())?;
    press.sign_first_delta(&mut authority)?;
    session.say(format_args!("{} {address}/crl", good("serving")));
    if args.delta && args.freshest.is_empty() {
        session.warn(format_args!(
            "clients are not told of the delta: --freshest with the address of {address}/delta writes it into the list"
        ));
    }
    let limits = Limits { life: LIFE, ..Limits::for_requests_of(0) };
    let mut outage = Outage::new("no new list can be signed", "the list is current", Duration::ZERO);
    shelf.is_current();
    let service = Arc::clone(&shelf) as Arc<dyn Service>;
    let served = listener.serve_while(limits, service, STEP, || {
        let due = match outage.is_on() {
            true => shelf.due_anew(args.url.as_deref(), &mut authority),
            false => shelf.due(&mut authority, clock::now()),
        };
        let failed = match due {
            Ok(None) => None,
            Ok(Some(due)) => press.sign(due, &mut authority).err(),
            Err(error) => Some(error),
        };
        if failed.is_none() {
            shelf.is_current();
        }
        outage.see(failed, session);
    });
    served.context("cannot serve")?;
    if let Some(error) = outage.into_standing() {
        session.fail(&error);
    }
    let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
    session.answer(&Served { address, requests: count(&shelf.requests), signed: count(&shelf.signed) })?;
    Ok(Exit::Yes)
}

/// What there is to sign.
enum Due {
    /// A complete list; the one that is served so far.
    Complete(Option<SignedList>),
    /// A delta upon this list.
    Delta(SignedList),
}

/// Signs what is to be served, and puts it there.
struct Press<'a> {
    args: &'a Args,
    chosen: &'a Chosen,
    key: PrivateKey,
    shelf: &'a Shelf,
}

impl Press<'_> {
    fn sign(&self, due: Due, authority: &mut Authority) -> anyhow::Result<()> {
        match due {
            Due::Complete(before) => self.sign_complete(authority, before.as_ref()),
            Due::Delta(base) => {
                let now = clock::now();
                // Where the base is from ahead of this clock, its deltas are too.
                let order = self.args.order(now.max(base.this_update + MOMENT), true)?;
                let mut signatory = self.chosen.unlock_for_status(authority, &self.key, now)?;
                let delta = refused_for_time(signatory.publish_upon(&base, &order, &place::act(Action::Crl)))?;
                self.shelf.put(&self.shelf.delta, Some(delta));
                Ok(())
            }
        }
    }

    /// Signs the first delta upon the list that was just signed, where there is none: clients that are told of deltas take it
    /// for a fault where one is missing. It waits for the moment after the list's.
    fn sign_first_delta(&self, authority: &mut Authority) -> anyhow::Result<()> {
        let Some(Page { list: base, .. }) = read(&self.shelf.complete) else { return Ok(()) };
        if !self.args.delta || read(&self.shelf.delta).is_some() {
            return Ok(());
        }
        let begun = Instant::now();
        while clock::now() <= base.this_update && begun.elapsed() < STEP {
            thread::sleep(Duration::from_millis(20));
        }
        // One that holds no longer than that is replaced before a delta could be of use.
        let lapsed = base.next_update <= clock::now().max(base.this_update + MOMENT);
        if lapsed { Ok(()) } else { self.sign(Due::Delta(base), authority) }
    }

    /// Signs a complete list, and with it a delta for clients that hold the one before, if that is still good.
    fn sign_complete(&self, authority: &mut Authority, before: Option<&SignedList>) -> anyhow::Result<()> {
        let now = clock::now();
        let order = self.args.order(now, false)?;
        let act = place::act(Action::Crl);
        let mut signatory = self.chosen.unlock_for_status(authority, &self.key, now)?;
        let (complete, delta) = match before.filter(|before| self.args.delta && before.next_update > now) {
            None => (refused_for_time(signatory.publish(&order, &act))?, None),
            Some(before) => {
                let changes = self.args.order(now, true)?;
                refused_for_time(signatory.publish_both(&order, before, &changes, &act))?
            }
        };
        self.shelf.put(&self.shelf.complete, Some(complete));
        // Where there is none of this moment, the one before stays for clients that have its base, until the next step.
        if delta.is_some() {
            self.shelf.put(&self.shelf.delta, delta);
        }
        Ok(())
    }
}

/// What is served.
#[derive(Debug, Default)]
struct Shelf {
    has_deltas: bool,
    complete: RwLock<Option<Page>>,
    delta: RwLock<Option<Page>>,
    /// When the ledger was last asked whether they are, and nothing was wanting.
    current: RwLock<Option<Instant>>,
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
    fn put(&self, place: &RwLock<Option<Page>>, published: Option<PublishedList>) {
        let page = published.map(|PublishedList { der, list }| {
            self.signed.fetch_add(1, Ordering::Relaxed);
            Page { etag: hex::encode(&list.fingerprint), body: der.into(), list }
        });
        *place.write().unwrap_or_else(PoisonError::into_inner) = page;
    }

    /// Notes that the ledger knows of nothing that is not on the lists, or only since less than a moment.
    fn is_current(&self) {
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
    }

    /// Whether the lists may lack what was revoked, for all that is known here: the ledger cannot be asked, or no list be
    /// signed.
    fn may_be_stale(&self) -> bool {
        let current = *self.current.read().unwrap_or_else(PoisonError::into_inner);
        current.is_none_or(|current| current.elapsed() > UNHEARD)
    }

    /// What is to be signed after the ledger failed, which may be another one now: a complete list, unless it is of a time
    /// before the one that is served. Whatever a newer ledger revoked would be good again.
    fn due_anew(&self, url: Option<&str>, authority: &mut Authority) -> anyhow::Result<Option<Due>> {
        let served = read(&self.complete).map_or(0, |page| page.list.number);
        if authority.last_crl_number()? < served {
            return Err(anyhow!(
                "the ledger was put back as it was before list {served}, which is served here until it lapses: fetch that \
                 and give it to `certkit ca repair --crl FILE`, so that what it revokes stays revoked"
            ));
        }
        Ok(Some(Due::Complete(authority.lists(url, false, 1)?.into_iter().next())))
    }

    /// What is to be signed: a list half of whose time is over, or what tells of a change. Where there are deltas they tell
    /// of it, upon the complete list that clients have.
    fn due(&self, authority: &mut Authority, now: OffsetDateTime) -> anyhow::Result<Option<Due>> {
        let Some(Page { list: complete, .. }) = read(&self.complete) else { return Ok(Some(Due::Complete(None))) };
        let turns = |list: &SignedList| {
            let half = list.this_update + (list.next_update - list.this_update) / 2;
            half <= now || now + ListOrder::SKEW < list.this_update
        };
        if turns(&complete) || (!self.has_deltas && authority.has_changed_since(&complete)?) {
            return Ok(Some(Due::Complete(Some(complete))));
        }
        if !self.has_deltas {
            return Ok(None);
        }
        // RFC 5280 §5.2.3: one of the same moment would have the number of the list that it builds upon.
        if complete.this_update == now {
            return Ok(None);
        }
        let due = match read(&self.delta) {
            None => true,
            Some(Page { list: delta, .. }) => {
                delta.number < complete.number || turns(&delta) || authority.has_changed_since(&delta)?
            }
        };
        Ok(due.then_some(Due::Delta(complete)))
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
        // After half of its time there is a newer one; and at once, where it is the one to tell of a revocation.
        let half = (list.next_update - list.this_update).whole_seconds() / 2;
        let tells_of_changes = list.base.is_some() || !self.has_deltas;
        let longest = if tells_of_changes { SOON } else { i64::MAX };
        let age = if self.may_be_stale() { 0 } else { (left - half).max(SOON).min(longest).min(left.max(0)) };
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

/// How long what may be out of date at any moment is kept without a question, in seconds; with its ETag that costs little.
const SOON: i64 = 60;

/// What times of lists are told apart by.
const MOMENT: time::Duration = time::Duration::SECOND;

/// How often the ledger and the clock are asked whether something is due.
const STEP: Duration = Duration::from_secs(1);

/// How long nobody may have been able to say that the list is current before caches are told to keep it no longer.
const UNHEARD: Duration = Duration::from_secs(5);

/// A list of a million entries has 50 MB, which a slow line takes minutes for.
const LIFE: Duration = Duration::from_secs(300);
