//! The live client: TLS by rustls over a dialled connection, and all that is needed to tell it.
//!
//! ```text
//! Offer ── Client::new ──▶ Client ── begin(Wire) ──▶ Talk ── handshake, exchange, finish ──▶ Heard ── tell ──▶ Transcript
//! ```
//!
//! No certificate is judged here: every chain is taken, so that bad ones can be told. The signatures by which the server
//! proves to have the key of its certificate are checked, and a bad one ends the handshake.

mod diary;
mod failure;
mod heard;
pub mod http;
mod offer;
mod talk;
mod witness;

pub use failure::Failure;
pub use heard::{Conversed, Heard, capture};
pub use offer::{ClientIdentity, Offer, OfferError};
pub use talk::{Client, EarlyData, Talk};
