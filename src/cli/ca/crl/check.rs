//! `certkit ca crl --check`: whether a new list is due, of the authority that signs and of the others.

use serde::Serialize;
use time::OffsetDateTime;

use crate::ca::place::is_there;
use crate::ca::{AbsentKey, Authority, AuthorityName};
use crate::cli::ca::lapse::{Lapse, State};
use crate::cli::ca::place::{Chosen, is_of_nobody};
use crate::cli::ca::standing;
use crate::cli::clock::{self, rfc3339};
use crate::cli::exit::Exit;
use crate::cli::output::{Report, Session};
use crate::cli::text::{Text, bad, for_shell, good, safe, warn};
use crate::x509::Certificate;

/// Whether a new list is due for this distribution point, or for any; without `--issuer`, of any authority of the CA.
pub(super) fn run(url: Option<&str>, chosen: &Chosen, session: &mut Session) -> anyhow::Result<Exit> {
    let now = clock::now();
    let name = chosen.issuer()?;
    let Outlook { lists, time, is_destroyed } = Outlook::of(&mut chosen.open()?, &name, url, chosen, now)?;
    let (due, why) = match (&time, lists.first(), url) {
        (Time::Over { why, .. }, ..) => (false, why.clone()),
        (_, None, None) => (true, "this CA has never signed a list".to_owned()),
        (_, None, Some("")) => (true, "this CA has never signed a list without --url".to_owned()),
        (_, None, Some(url)) => (true, format!("this CA has never signed a list for {url}")),
        (_, Some(list), _) => (list.state != State::Current, list.in_words()),
    };
    let over = matches!(time, Time::Over { .. });
    let can_sign = !is_destroyed && !over;
    let forced = |list: &Lapse| {
        let last = list.last_ahead().filter(|_| list.state != State::Current)?;
        let command = list.command(&chosen.flag_to_sign());
        Some(format!("is the clock right? if it was ahead when list {last} was signed: {command}"))
    };
    let hints = match time {
        _ if is_destroyed => Vec::new(),
        Time::Over { way_out, .. } => vec![way_out],
        Time::Early { way_out } => Some(way_out).filter(|_| due).into_iter().collect(),
        Time::Valid => lists.iter().filter_map(forced).collect(),
    };
    let others = match chosen.asked_issuer() {
        Some(_) => Vec::new(),
        None => Other::all_due(&name, url, chosen, now)?,
    };
    // What can be done comes before what cannot.
    let any = |can: bool| due && can_sign == can || others.iter().any(|other| other.can_sign == can);
    let exit = match () {
        () if any(true) => Exit::No,
        () if any(false) => Exit::CouldNot,
        () => Exit::Yes,
    };
    let destroyed = (due && is_destroyed).then_some(name);
    let list = lists.first().cloned();
    session.answer(&Checked { due, can_sign, why, hints, list, lists, others, over, destroyed })?;
    Ok(exit)
}

/// How the lists of an authority stand, and whether it can sign more.
struct Outlook {
    /// The one that is worst off first.
    lists: Vec<Lapse>,
    time: Time,
    is_destroyed: bool,
}

/// Whether an authority and those above it are valid now: else it signs nothing.
enum Time {
    Valid,
    /// One of them is not valid yet: how it becomes so.
    Early {
        way_out: String,
    },
    /// One of them has expired, and no client takes what is below it: in words, and how it goes on.
    Over {
        why: String,
        way_out: String,
    },
}

impl Outlook {
    fn of(
        authority: &mut Authority,
        name: &AuthorityName,
        url: Option<&str>,
        chosen: &Chosen,
        now: OffsetDateTime,
    ) -> anyhow::Result<Self> {
        let mut lists = Lapse::of_all(authority, now)?;
        lists.retain(|list| url.is_none_or(|url| list.is_for(url)));
        let is_destroyed = chosen.config()?.keys.get(name) == Some(&AbsentKey::Destroyed);
        Ok(Self { lists, time: Time::of(authority, chosen, now), is_destroyed })
    }
}

impl Time {
    fn of(authority: &Authority, chosen: &Chosen, now: OffsetDateTime) -> Self {
        let path = authority.path();
        // From the top: what is above is renewed first.
        let first = |is_it: fn(&Certificate, OffsetDateTime) -> bool| path.iter().rev().find(|one| is_it(one, now));
        let renewal = |one: &Certificate| standing::renewal(&one.display_name(), chosen);
        if let Some(one) = first(|one, now| one.validity().not_after < now) {
            let whose = match *one == authority.certificate() {
                true => "its certificate".to_owned(),
                false => format!("the certificate of {} above it", one.display_name()),
            };
            let ended = rfc3339(one.validity().not_after);
            let why = format!("{whose} ended at {ended}: no client asks for its lists any more");
            return Self::Over { why, way_out: format!("to go on with it, {}", renewal(one)) };
        }
        match first(|one, now| now < one.validity().not_before) {
            None => Self::Valid,
            Some(one) => {
                let (subject, from) = (one.display_name(), rfc3339(one.validity().not_before));
                let way_out = renewal(one);
                Self::Early {
                    way_out: format!(
                        "is the clock right? the certificate of {subject} is not valid before {from}, and signs nothing until \
                         then; if it was ahead when that was made, {way_out}"
                    ),
                }
            }
        }
    }
}

/// A list of another authority of the CA that is due.
#[derive(Debug, Serialize)]
struct Other {
    authority: AuthorityName,
    /// Whether its key was not destroyed.
    can_sign: bool,
    why: String,
    /// How the next one is signed, in words.
    hint: String,
}

impl Other {
    /// The lists that are due of all authorities but this one. Those that have never signed one are for clients that ask
    /// for none.
    fn all_due(
        but: &AuthorityName,
        url: Option<&str>,
        chosen: &Chosen,
        now: OffsetDateTime,
    ) -> anyhow::Result<Vec<Self>> {
        let keys = chosen.config()?.keys;
        let mut all = Vec::new();
        for name in chosen.place().names() {
            // What was issued may lie in the folder too, and an authority whose key was never here signs elsewhere.
            if name == *but || !(keys.contains_key(&name) || is_there(&chosen.place().key_of(&name))) {
                continue;
            }
            let mut authority = match chosen.open_one(&name) {
                Ok(authority) => authority,
                Err(error) if is_of_nobody(&error) => continue,
                Err(error) => return Err(error),
            };
            let Outlook { lists, time, is_destroyed } = Outlook::of(&mut authority, &name, url, chosen, now)?;
            let signer = chosen.by(name.clone());
            let key = match keys.get(&name) {
                Some(absent @ AbsentKey::SetAside(_)) => {
                    format!(" --ca-key {}", for_shell(absent.place().unwrap_or("FILE")))
                }
                _ => String::new(),
            };
            for list in lists.iter().filter(|list| list.state != State::Current) {
                let hint = match &time {
                    Time::Over { .. } => continue,
                    _ if is_destroyed => "its key was destroyed, so nobody can sign a list".to_owned(),
                    Time::Early { way_out } => way_out.clone(),
                    Time::Valid => format!("sign the next one with: {}{key}", list.command(&signer.flag_to_sign())),
                };
                all.push(Self { authority: name.clone(), can_sign: !is_destroyed, why: list.in_words(), hint });
            }
        }
        Ok(all)
    }
}

#[derive(Debug, Serialize)]
struct Checked {
    due: bool,
    can_sign: bool,
    why: String,
    /// What to do where the last list is from a time to come, or the authority's certificate is not valid now.
    hints: Vec<String>,
    list: Option<Lapse>,
    lists: Vec<Lapse>,
    /// What is due of the other authorities, where all are looked at.
    others: Vec<Other>,
    /// Whether the time of the authority is over, and with it that of its lists.
    #[serde(skip)]
    over: bool,
    /// Whose key was destroyed, so that nobody can sign the list.
    #[serde(skip)]
    destroyed: Option<AuthorityName>,
}

impl Report for Checked {
    fn text(&self, text: &mut Text) {
        let verdict = |due| if due { bad("due") } else { good("fine") };
        let own = if self.over { warn("over") } else { verdict(self.due) };
        text.line(format_args!("{own}: {}", safe(&self.why)));
        for list in self.lists.iter().skip(1).filter(|_| !self.over) {
            text.line(format_args!("{}: {}", verdict(list.state != State::Current), safe(list.in_words())));
        }
        for hint in &self.hints {
            text.line(safe(hint));
        }
        if let Some(name) = &self.destroyed {
            text.line(format_args!(
                "{} the key of {name} was destroyed, so nobody can sign a list: what it has certified stays good until it \
                 expires, for clients that ask for no list, and those that do ask refuse it; to revoke one of its authorities, have \
                 clients trust a new root, made with certkit ca init",
                bad("beyond signing:")
            ));
        }
        for Other { authority, why, hint, .. } in &self.others {
            text.line(format_args!("{}: {authority}: {}", bad("due"), safe(why)));
            text.line(safe(hint));
        }
    }
}
