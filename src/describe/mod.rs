//! What certificates, requests, lists and keys hold, as data with two renderings.
