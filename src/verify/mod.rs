//! Judges a certification path and a name.
