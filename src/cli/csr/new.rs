//! `certkit csr new`: a key and a request for a certificate.

use std::path::PathBuf;

use serde::Serialize;

use crate::cli::ca::other_files::spare_others;
use crate::cli::exit::Exit;
use crate::cli::making::{KeyArgs, NameArgs, Outputs, load_profile};
use crate::cli::output::{Report, Session};
use crate::cli::text::{Text, dim, strong};
use crate::encoding::pem;
use crate::issue;
use crate::x509::{DistinguishedName, GeneralName};

/// Make a key and a request for a certificate
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
The request asks for the extensions of the profile; what is granted is the CA's decision.

For example:
  certkit csr new --cn app.test            app.test.csr and app.test-key.pem
  certkit csr new app.test 10.0.0.1 --type rsa:3072 --out app.csr --keyout app.key
  certkit csr new --key app.key --subject \"CN=app.test,O=Example\"

With --json the answer is an object: `request_file`; `key_file`; `key_is_new`; `key_encrypted` (the new key is under a
passphrase); `key_type`; `profile`; `subject`; `names`; and `notes`.")]
pub(super) struct Args {
    #[command(flatten)]
    names: NameArgs,

    #[command(flatten)]
    key: KeyArgs,

    /// What kind of certificate is asked for: server, client, peer, intermediate-ca, email, code-signing, ocsp-responder,
    /// or a file of your own
    #[arg(long, value_name = "NAME|FILE", default_value = "server")]
    profile: String,

    /// Where to write the request; `-` is stdout [default: after the first name, localhost.csr]
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,

    /// Replace files that are there already
    #[arg(long)]
    force: bool,
}

pub(super) fn run(args: Args, session: &mut Session) -> anyhow::Result<Exit> {
    let profile = load_profile(&args.profile)?;
    let naming = args.names.naming(&profile)?;
    let outputs = Outputs::choose(args.out, "csr", &args.key, &naming, args.force, session)?;
    spare_others(outputs.paths(), None)?;
    let key = args.key.obtain(profile.key, outputs.keyout())?;
    let request = issue::certification_request(&profile, &naming.subject, &naming.names, &key.key)?;
    let report = Made {
        request_file: outputs.out(),
        key_file: outputs.shown_keyout().or_else(|| key.read_from.clone()).unwrap_or_default(),
        key_is_new: key.pem.is_some(),
        key_encrypted: key.encrypted,
        key_type: key.key.algorithm().to_string(),
        profile: profile.name.clone(),
        subject: request.subject().clone(),
        names: request.subject_alt_names()?,
        notes: naming.notes.iter().map(ToString::to_string).collect(),
    };
    outputs.write(&key, &pem::write("CERTIFICATE REQUEST", request.der()), session)?;
    session.answer(&report)?;
    Ok(Exit::Yes)
}

/// What was made.
#[derive(Debug, Serialize)]
struct Made {
    request_file: String,
    /// Where the private key is: the new file, or the one it was read from.
    key_file: String,
    /// Whether the key was made too.
    key_is_new: bool,
    /// Whether the new key is under a passphrase.
    key_encrypted: bool,
    key_type: String,
    profile: String,
    subject: DistinguishedName,
    names: Vec<GeneralName>,
    /// What was done that may not be expected.
    notes: Vec<String>,
}

impl Report for Made {
    fn text(&self, text: &mut Text) {
        let (encrypted, key_type) = (if self.key_encrypted { "encrypted " } else { "" }, &self.key_type);
        if self.key_is_new && self.key_file == self.request_file {
            let file = strong(&self.request_file);
            text.line(format_args!("wrote {file}: {encrypted}{key_type} private key, then certification request"));
        } else {
            text.line(format_args!("wrote {}: certification request", strong(&self.request_file)));
            let wrote = if self.key_is_new { "wrote" } else { "for" };
            text.line(format_args!("{wrote} {}: {encrypted}{key_type} private key", strong(&self.key_file)));
        }
        let names: Vec<String> = self.names.iter().map(GeneralName::value).collect();
        text.fields(
            [("subject", self.subject.to_string()), ("names", names.join(", "))]
                .into_iter()
                .filter(|(_, value)| !value.is_empty()),
        );
        for note in &self.notes {
            text.line(format_args!("{} {note}", dim("note:")));
        }
    }
}
