//! Key pairs: generate, read, write, sign, verify.
