//! The dialogue of a protocol that begins in the clear and goes over to TLS, up to the point where TLS begins.
//!
//! All of it is bounded, in bytes here and in time by the stream.

mod binary;
mod dialogue;
mod lines;
mod xmpp;

use std::io::{self, BufRead, Write};

use self::dialogue::Dialogue;

/// The protocols whose way to TLS is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Protocol {
    /// Mail, sent (RFC 3207).
    Smtp,
    /// Mail, read (RFC 9051 §6.2.1).
    Imap,
    /// Mail, fetched (RFC 2595 §4).
    Pop3,
    /// Directories (RFC 4511 §4.14).
    Ldap,
    /// PostgreSQL (its documentation, "SSL Session Encryption").
    Postgres,
    /// MySQL and MariaDB (their documentation, "Protocol::SSLRequest").
    Mysql,
    /// Files (RFC 4217).
    Ftp,
    /// Messages, from a client to a server (RFC 6120 §5).
    Xmpp,
}

impl Protocol {
    /// All of them.
    pub const ALL: [Self; 8] =
        [Self::Smtp, Self::Imap, Self::Pop3, Self::Ldap, Self::Postgres, Self::Mysql, Self::Ftp, Self::Xmpp];

    /// The port such servers listen on, by IANA's list; for mail that is sent, that of mail servers among each other.
    pub fn port(self) -> u16 {
        match self {
            Self::Smtp => 25,
            Self::Imap => 143,
            Self::Pop3 => 110,
            Self::Ldap => 389,
            Self::Postgres => 5432,
            Self::Mysql => 3306,
            Self::Ftp => 21,
            Self::Xmpp => 5222,
        }
    }

    /// Its name, as users write it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Smtp => "smtp",
            Self::Imap => "imap",
            Self::Pop3 => "pop3",
            Self::Ldap => "ldap",
            Self::Postgres => "postgres",
            Self::Mysql => "mysql",
            Self::Ftp => "ftp",
            Self::Xmpp => "xmpp",
        }
    }

    /// Its name, as it is written in prose.
    pub fn title(self) -> &'static str {
        match self {
            Self::Smtp => "SMTP",
            Self::Imap => "IMAP",
            Self::Pop3 => "POP3",
            Self::Ldap => "LDAP",
            Self::Postgres => "PostgreSQL",
            Self::Mysql => "MySQL",
            Self::Ftp => "FTP",
            Self::Xmpp => "XMPP",
        }
    }
}

/// Why TLS does not begin.
#[derive(Debug, thiserror::Error)]
pub enum StarttlsError {
    /// The connection broke.
    #[error("the connection broke before {awaited} came: {source}")]
    Io {
        /// What was waited for.
        awaited: &'static str,
        /// Why.
        source: io::Error,
    },
    /// Nothing came in time.
    #[error("the server is silent: {awaited} did not come in time")]
    Silent {
        /// What was waited for.
        awaited: &'static str,
    },
    /// The server closed the connection.
    #[error("the server closed the connection before {awaited} came")]
    Closed {
        /// What was waited for.
        awaited: &'static str,
    },
    /// The server says more than any server of this protocol would.
    #[error("the server goes on for more than {} bytes before TLS", dialogue::MOST)]
    TooLong,
    /// What came is not of this protocol.
    #[error("this is no {} server: it says {said:?}", protocol.title())]
    OtherProtocol {
        /// The protocol that was asked for.
        protocol: Protocol,
        /// The beginning of what came.
        said: String,
    },
    /// The server does not know TLS.
    #[error("the server offers no TLS: {keyword} is not among its capabilities")]
    NotOffered {
        /// What would have stood among its capabilities.
        keyword: &'static str,
        /// What it offers.
        offered: Vec<String>,
    },
    /// The server says no.
    #[error("the server refuses {what}: {reply}")]
    Refused {
        /// What was asked of it.
        what: &'static str,
        /// Its reply.
        reply: String,
    },
    /// More came than belongs there: it would be taken for a part of what TLS protects, so it is not read on.
    #[error(
        "{count} bytes came after the server's consent and before TLS: the server or somebody in between slips them in"
    )]
    Injected {
        /// How many.
        count: usize,
    },
}

impl StarttlsError {
    /// What to do next, in one line.
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Silent { awaited } if awaited.contains("greeting") => {
                "a server that waits for the client may speak TLS from the start: leave --starttls out".to_owned()
            }
            Self::OtherProtocol { said, .. } => {
                let known = Protocol::ALL.into_iter().find(|protocol| greets_as(said, *protocol));
                match known {
                    Some(protocol) => format!("it sounds like {}: --starttls {}", protocol.title(), protocol.name()),
                    None => "is it the right port?".to_owned(),
                }
            }
            Self::NotOffered { offered, .. } if !offered.is_empty() => format!("it offers {}", offered.join(", ")),
            _ => return None,
        })
    }
}

/// Goes through the dialogue of a protocol up to the point where TLS begins: after it the next byte either side sends is
/// TLS. `own` is how this end calls itself (an address literal), `server` the name of the server.
///
/// # Errors
/// When the server does not speak the protocol, does not offer TLS or refuses it, breaks off, is silent for longer than the
/// stream waits, or never comes to an end.
pub fn negotiate(
    protocol: Protocol,
    stream: &mut (impl BufRead + Write),
    own: &str,
    server: &str,
) -> Result<(), StarttlsError> {
    let mut dialogue = Dialogue::new(protocol, stream);
    match protocol {
        Protocol::Smtp => lines::smtp(&mut dialogue, own),
        Protocol::Imap => lines::imap(&mut dialogue),
        Protocol::Pop3 => lines::pop3(&mut dialogue),
        Protocol::Ftp => lines::ftp(&mut dialogue),
        Protocol::Xmpp => xmpp::negotiate(&mut dialogue, server),
        Protocol::Ldap => binary::ldap(&mut dialogue),
        Protocol::Postgres => binary::postgres(&mut dialogue),
        Protocol::Mysql => binary::mysql(&mut dialogue),
    }
}

fn greets_as(said: &str, protocol: Protocol) -> bool {
    match protocol {
        Protocol::Smtp => said.starts_with("220") && said.contains("SMTP"),
        Protocol::Ftp => said.starts_with("220") && said.contains("FTP"),
        Protocol::Imap => said.starts_with("* OK"),
        Protocol::Pop3 => said.starts_with("+OK"),
        Protocol::Xmpp => said.starts_with("<?xml"),
        Protocol::Ldap | Protocol::Postgres | Protocol::Mysql => false,
    }
}

#[cfg(test)]
mod tests;
