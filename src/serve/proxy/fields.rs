//! Header fields on their way through a proxy (RFC 9110 §7.6).

use std::net::IpAddr;

use hyper::Version;
use hyper::header::{CONNECTION, COOKIE, EXPECT, HeaderMap, HeaderName, HeaderValue, TE, UPGRADE};

/// The protocol that a message switches to, if it does: HTTP/1.1 alone can (RFC 9110 §7.8).
pub(super) fn upgrade(version: Version, headers: &HeaderMap) -> Option<HeaderValue> {
    let asks = named(headers).any(|name| name.eq_ignore_ascii_case("upgrade"));
    headers.get(UPGRADE).filter(|_| asks && version == Version::HTTP_11).cloned()
}

/// Has a message switch to this protocol.
pub(super) fn set_upgrade(headers: &mut HeaderMap, protocol: &HeaderValue) {
    headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
    headers.insert(UPGRADE, protocol.clone());
}

/// Removes the fields that are about one connection: those that Connection names, and those known (RFC 9110 §7.6.1).
pub(super) fn remove_hop_by_hop(headers: &mut HeaderMap) {
    let listed: Vec<HeaderName> = named(headers).filter_map(|name| name.parse().ok()).collect();
    let trailers = headers.get(TE).is_some_and(|te| te.to_str().is_ok_and(|te| te.contains("trailers")));
    for name in listed {
        headers.remove(name);
    }
    for name in HOP_BY_HOP {
        headers.remove(name);
    }
    // This server continues by itself.
    headers.remove(EXPECT);
    if trailers {
        headers.insert(TE, HeaderValue::from_static("trailers"));
    }
}

/// Says who asked, for what host and how. What the client says of that itself is not believed.
pub(super) fn set_forwarded(headers: &mut HeaderMap, client: IpAddr, host: Option<&HeaderValue>) {
    for name in FORWARDED {
        headers.remove(name);
    }
    if let Ok(client) = HeaderValue::try_from(client.to_canonical().to_string()) {
        headers.insert("x-forwarded-for", client);
    }
    headers.insert("x-forwarded-proto", HeaderValue::from_static("https"));
    if let Some(host) = host {
        headers.insert("x-forwarded-host", host.clone());
    }
}

/// HTTP/2 may send cookies one by one; HTTP/1.1 has them in one field (RFC 9113 §8.2.3).
pub(super) fn join_cookies(headers: &mut HeaderMap) {
    let crumbs: Vec<&[u8]> = headers.get_all(COOKIE).iter().map(HeaderValue::as_bytes).collect();
    if crumbs.len() > 1
        && let Ok(joined) = HeaderValue::from_bytes(&crumbs.join(&b"; "[..]))
    {
        headers.insert(COOKIE, joined);
    }
}

fn named(headers: &HeaderMap) -> impl Iterator<Item = &str> {
    let fields = headers.get_all(CONNECTION).iter().filter_map(|field| field.to_str().ok());
    fields.flat_map(|field| field.split(',')).map(str::trim)
}

const HOP_BY_HOP: [&str; 8] = [
    "connection",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "transfer-encoding",
    "upgrade",
];

const FORWARDED: [&str; 6] =
    ["forwarded", "x-forwarded-for", "x-forwarded-host", "x-forwarded-port", "x-forwarded-proto", "x-real-ip"];

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn headers(fields: &[(&'static str, &'static str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in fields {
            headers.append(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
        headers
    }

    #[test]
    fn what_is_about_one_connection_goes_no_further() {
        let mut fields = headers(&[
            ("connection", "keep-alive, X-Secret"),
            ("connection", "close"),
            ("x-secret", "1"),
            ("keep-alive", "timeout=5"),
            ("te", "trailers, deflate"),
            ("transfer-encoding", "chunked"),
            ("upgrade", "h2c"),
            ("proxy-authorization", "x"),
            ("accept", "*/*"),
        ]);
        remove_hop_by_hop(&mut fields);
        assert_eq!(fields, headers(&[("accept", "*/*"), ("te", "trailers")]));
    }

    #[test]
    fn who_asked_is_said_anew() {
        let mut fields =
            headers(&[("x-forwarded-for", "6.6.6.6"), ("forwarded", "for=6.6.6.6"), ("x-real-ip", "6.6.6.6")]);
        set_forwarded(&mut fields, "::ffff:192.0.2.1".parse().unwrap(), Some(&HeaderValue::from_static("a.test")));
        let wanted = [("x-forwarded-for", "192.0.2.1"), ("x-forwarded-proto", "https"), ("x-forwarded-host", "a.test")];
        assert_eq!(fields, headers(&wanted));
    }

    #[test]
    fn cookies_are_one_field() {
        let mut fields = headers(&[("cookie", "a=1"), ("cookie", "b=2")]);
        join_cookies(&mut fields);
        assert_eq!(fields, headers(&[("cookie", "a=1; b=2")]));
    }

    #[test]
    fn an_upgrade_is_asked_for_in_two_fields() {
        let asked = headers(&[("connection", "keep-alive, Upgrade"), ("upgrade", "websocket")]);
        assert!(upgrade(Version::HTTP_11, &asked).is_some() && upgrade(Version::HTTP_10, &asked).is_none());
        assert!(upgrade(Version::HTTP_11, &headers(&[("upgrade", "websocket")])).is_none());
    }
}
