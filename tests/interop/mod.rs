//! certkit among other programs: what it makes they take, what they make it takes, and where they part the tests say why.
//!
//! A test that has another program accept something also has it refuse something alike: another name, an unknown CA,
//! another key.
//!
//! On Linux only: they lean on `timeout` of coreutils and on `$HOME/.pki/nssdb`.

mod agreement;
mod capture_datagrams;
mod capture_holes;
mod capture_ssl3;
mod captures;
mod certificates;
mod clients;
mod compressed;
mod connect;
mod foreign_ca;
mod handshakes;
mod hierarchy;
mod judges;
mod keys;
mod live;
mod matrix;
mod pkilint;
mod requests;
mod scans;
mod schema;
mod serve;
mod server;
mod starttls;
