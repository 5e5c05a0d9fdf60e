//! The certificate for localhost, from the local CA: the one that is there as long as it is good, or a new one.

use std::path::{Path, PathBuf};

use anyhow::Context;
use time::{Duration, OffsetDateTime};
use zeroize::Zeroizing;

use crate::ca::{Action, Authority, Order};
use crate::cli::ca::issue::open_or_make;
use crate::cli::ca::place::{self, Chosen};
use crate::cli::ca::signer::SignerArgs;
use crate::cli::ca::unwritten;
use crate::cli::clock;
use crate::cli::files::{Mode, WriteSet, make_private_folder, stamp};
use crate::cli::load::Loaded;
use crate::cli::making::{fresh_serial, load_profile};
use crate::cli::output::{Session, shown};
use crate::encoding::pem;
use crate::issue::{Naming, Wanted};
use crate::key::PrivateKey;

/// The file with the key and the certificate; made or renewed where need be.
pub(super) fn certificate(chosen: &Chosen, signer: &SignerArgs, session: &mut Session) -> anyhow::Result<PathBuf> {
    let now = clock::making_now()?;
    let folder = chosen.beside("-serve").place().folder().to_owned();
    let file = folder.join("localhost.pem");
    if chosen.state()? == crate::ca::place::State::Complete
        && stamp(&file).is_some()
        && is_good(&file, &chosen.open_to_read()?, now)
    {
        return Ok(file);
    }
    let (mut authority, authority_key, made) = open_or_make(chosen, signer, None, now, session)?;
    if made.is_some() {
        session.say(format_args!("made a CA in {}", chosen.shown()));
    }
    let profile = load_profile("server")?;
    let names = NAMES.map(str::to_owned);
    let naming = Naming::new(&profile, Wanted { common_name: None, subject: None, names: &names })?;
    let validity = profile.validity(now, None).context("the year 9999 is near")?;
    let key = PrivateKey::generate(profile.key)?;
    let request = naming.request(key.public_key().clone());
    make_private_folder(&folder)?;
    WriteSet::check([file.as_path()], true, session)?;
    let mut signatory = chosen.unlock(&mut authority, &authority_key, now)?;
    let order = Order { profile: &profile, request: &request, validity };
    let issued = signatory.issue(&order, &mut fresh_serial, &place::act(Action::Issue))?;

    // The record is on the disk; from here on the certificate may be seen.
    let key = pem::write("PRIVATE KEY", &key.to_pkcs8_der());
    let chain = place::chain(&authority.full_chain(&issued.certificate));
    // Room for all of it: what grows leaves copies of the key behind.
    let mut both = Zeroizing::new(Vec::with_capacity(key.len() + chain.len()));
    both.extend_from_slice(key.as_bytes());
    both.extend_from_slice(chain.as_bytes());
    let mut files = WriteSet::new(true);
    files.add(&file, both, Mode::Secret);
    unwritten::told(files.write(session), &issued, unwritten::Key::Gone, chosen)?;
    session.say(format_args!("made a certificate for localhost: {}", shown(&file)));
    Ok(file)
}

/// Whether the file holds a key and a certificate that this CA signed, and that lasts a month.
fn is_good(file: &Path, authority: &Authority, now: OffsetDateTime) -> bool {
    let Ok(loaded) = Loaded::read(file) else { return false };
    let Ok(certificates) = loaded.document.certificates() else { return false };
    let Some(leaf) = certificates.first() else { return false };
    let issuer = authority.certificate();
    let is_signed = issuer.public_key().is_ok_and(|key| leaf.verify_signature(&key).is_ok());
    let has_key = loaded.private_key(None).is_ok_and(|key| leaf.public_key().is_ok_and(|it| it == *key.public_key()));
    is_signed && has_key && leaf.issuer() == issuer.subject() && leaf.validity().not_after - now > Duration::days(30)
}

const NAMES: [&str; 3] = ["localhost", "127.0.0.1", "::1"];
