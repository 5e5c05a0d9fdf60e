//! What a file holds: PEM or DER, certificates, requests, lists, keys.
