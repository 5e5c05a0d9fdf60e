//! `certkit inspect`: what is in this file?

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use serde::Serialize;
use time::OffsetDateTime;

use super::exit::Exit;
use super::load;
use super::output::{Report, Session};
use super::passphrase::PassphraseSource;
use super::text::{Text, bad, dim, safe, strong, warn};
use super::{clock, files, sheet};
use crate::container::{Document, Encoding, is_pkcs12};
use crate::describe::{self, Description};

/// Say what files hold: certificates, bundles, requests, revocation lists, OCSP responses, keys; PEM, DER, JWK, PKCS#7 or PKCS#12
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
The type is found from the bytes. Every PEM block is accounted for, the damaged ones too.
Private numbers are never shown.

Exit status: 0 all could be read; 1 a block is damaged; 2 a file could not be read, or holds
nothing certkit knows. What could be read is shown in any case.

With --json the answer is an array with an object for each file:
  file       its name
  encoding   pem, der, jwk or pkcs12
  blocks     for each: block (counted from 1), line, label, kind, and what belongs to that kind
  remarks    what the blocks are to each other
  error      instead of the last three, where the file could not be read
kind is certificate, certification_request, revocation_list, ocsp_response, ocsp_request,
private_key, encrypted_private_key, public_key, ec_parameters, unsupported, unknown or malformed.
Certificates and lists in PKCS#7 are blocks of their own.

For example:
  certkit inspect cert.pem
  certkit inspect --short /etc/ssl/certs/*.pem
  certkit inspect --passphrase env:PASS site.p12
  openssl s_client -connect example.com:443 -showcerts </dev/null | certkit inspect -
  certkit inspect cert.pem --json | jq -r '.[0].blocks[0].validity.not_after'")]
pub(super) struct Args {
    /// Files to look into; `-` is stdin
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,

    /// One line for each block
    #[arg(long, short)]
    short: bool,

    /// Where the passphrase of PKCS#12 files comes from: prompt, file:PATH, env:NAME or fd:N
    #[arg(long, value_name = "SOURCE")]
    passphrase: Option<PassphraseSource>,
}

pub(super) fn run(args: Args, session: &mut Session) -> anyhow::Result<Exit> {
    if args.short && session.json() {
        anyhow::bail!("--short and --json are two ways to say it: choose one");
    }
    let now = clock::now();
    let mut inspection = Inspection { files: Vec::new(), short: args.short };
    for path in &args.files {
        let inspected = inspect(path, args.passphrase.as_ref(), now);
        if let Err(error) = &inspected {
            session.fail(error);
        }
        inspection.files.push(Inspected::of(path, inspected));
    }
    let sound = !inspection.files.iter().any(Inspected::is_damaged);
    session.answer(&inspection)?;
    Ok(Exit::of(sound))
}

fn inspect(path: &Path, passphrase: Option<&PassphraseSource>, now: OffsetDateTime) -> anyhow::Result<FileReport> {
    let contents = files::read(path)?;
    let read = match passphrase {
        Some(source) if is_pkcs12(&contents) => Document::read_pkcs12(&contents, &source.existing(&load::name(path))?),
        Some(_) => bail!("{} is no PKCS#12 file: --passphrase has no effect on it", load::name(path)),
        None => Document::read(&contents),
    };
    let document = read.with_context(|| format!("cannot inspect {}", load::name(path)))?;
    let blocks = document.items().iter().zip(1..).map(|(item, block)| Block {
        block,
        line: item.line,
        label: item.label.clone(),
        description: Description::of(item, now),
    });
    let binary = document.has_binary_between().then(|| BINARY_BETWEEN.to_owned());
    let remarks = describe::remarks(document.items()).into_iter().chain(binary);
    Ok(FileReport {
        file: load::name(path),
        encoding: document.encoding(),
        blocks: blocks.collect(),
        remarks: remarks.collect(),
    })
}

const BINARY_BETWEEN: &str =
    "binary data stands between the PEM blocks and was not read: a DER file that was appended?";

struct Inspection {
    files: Vec<Inspected>,
    short: bool,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Inspected {
    Read(FileReport),
    Unread { file: String, error: String },
}

#[derive(Serialize)]
struct FileReport {
    file: String,
    encoding: Encoding,
    blocks: Vec<Block>,
    remarks: Vec<String>,
}

#[derive(Serialize)]
struct Block {
    /// Which one in the file, counted from 1.
    block: usize,
    line: Option<usize>,
    label: Option<String>,
    #[serde(flatten)]
    description: Description,
}

impl Inspected {
    fn of(path: &Path, inspected: anyhow::Result<FileReport>) -> Self {
        match inspected {
            Ok(report) => Self::Read(report),
            Err(error) => Self::Unread { file: load::name(path), error: format!("{error:#}") },
        }
    }

    fn is_damaged(&self) -> bool {
        match self {
            Self::Read(report) => {
                report.blocks.iter().any(|block| matches!(block.description, Description::Malformed { .. }))
            }
            Self::Unread { .. } => false,
        }
    }
}

impl Serialize for Inspection {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.files.serialize(serializer)
    }
}

impl Report for Inspection {
    fn text(&self, text: &mut Text) {
        for inspected in &self.files {
            // What could not be read was told when it failed.
            let Inspected::Read(report) = inspected else { continue };
            if self.short {
                report.short(text);
            } else {
                report.full(self.files.len() > 1, text);
            }
        }
    }
}

impl FileReport {
    fn short(&self, text: &mut Text) {
        for block in &self.blocks {
            let place = block.line.map(|line| format!(":{line}")).unwrap_or_default();
            let said = block.description.short();
            let said = match block.description {
                Description::Malformed { .. } => bad(&said).to_string(),
                Description::Unsupported { .. } | Description::Unknown => warn(&said).to_string(),
                _ => safe(&said).to_string(),
            };
            text.line(format_args!("{}  {said}", dim(format_args!("{}{place}", self.file))));
        }
    }

    fn full(&self, named: bool, text: &mut Text) {
        if named {
            text.blank();
            text.line(strong(&self.file));
        }
        for block in &self.blocks {
            text.blank();
            let heading = if self.blocks.len() > 1 { format!("block {}  ", block.block) } else { String::new() };
            let place = match (block.line, &block.label) {
                (Some(line), Some(label)) if self.blocks.len() > 1 => format!("line {line}, {label}"),
                _ => String::new(),
            };
            let mut sheet = block.description.sheet();
            if !place.is_empty() {
                sheet.rows.insert(0, describe::Row::toned(describe::Tone::Dim, "at", place));
            }
            sheet::write(&sheet, &heading, text);
        }
        if !self.remarks.is_empty() {
            text.blank();
            self.remarks.iter().for_each(|remark| text.line(safe(remark)));
        }
    }
}
