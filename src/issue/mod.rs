//! Makes certificates and requests.
