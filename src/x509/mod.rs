//! The vocabulary of X.509.
