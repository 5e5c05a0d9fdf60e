//! How a server is reached: its name and port, its addresses, a TCP connection, and the dialogue before TLS.
//!
//! ```text
//! "mail.test:587" ── Target ──▶ Endpoint ── dial ──▶ Wire ── Wire::start_tls ──▶ a Wire on which TLS begins
//! ```
//!
//! Everything here blocks, and all of it has a deadline. A [`Wire`] keeps what was sent and received with its times.

mod reach;
pub mod starttls;
mod target;
mod wire;

pub use reach::{Attempt, DialError, Dialled, Route, RouteOutcome, dial};
pub use starttls::{Protocol, StarttlsError};
pub use target::{Endpoint, Target, TargetError};
pub use wire::{Chunk, Direction, Stopwatch, Wire};
