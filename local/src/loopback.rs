//! Who may use the routes that need no token: programs on this machine, and browsers that show a page from this machine.

use axum::extract::{ConnectInfo, Request};
use http::header::{HOST, ORIGIN};
use http::{HeaderMap, Uri};
use std::net::SocketAddr;

/// Whether a request comes from this machine and means it.
///
/// A page on the internet can make a browser here send requests to the loopback. What gives it away is the name by which
/// it reaches us (`Host`: a name of its own that it has pointed at 127.0.0.1) or where it comes from (`Origin`).
#[must_use]
pub fn is_from_here(request: &Request) -> bool {
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>();
    peer.is_none_or(|ConnectInfo(address)| address.ip().is_loopback())
        && request.uri().authority().is_none_or(|authority| is_loopback(authority.as_str()))
        && names_us(request.headers())
        && comes_from_us(request.headers())
        && request.headers().get_all("sec-fetch-site").iter().all(|site| site != "cross-site")
}

/// Every `Host` must be ours; one without is no browser's, but no decent client's either.
fn names_us(headers: &HeaderMap) -> bool {
    let mut hosts = headers.get_all(HOST).iter().peekable();
    hosts.peek().is_some() && hosts.all(|host| host.to_str().is_ok_and(is_loopback))
}

fn comes_from_us(headers: &HeaderMap) -> bool {
    headers.get_all(ORIGIN).iter().all(|origin| {
        let origin = origin.to_str().ok().and_then(|text| text.parse::<Uri>().ok());
        origin.is_some_and(|uri| uri.scheme().is_some() && uri.authority().is_some_and(|at| is_loopback(at.as_str())))
    })
}

/// Whether `host`, `host:port` names the loopback. Names are compared, never looked up.
fn is_loopback(host: &str) -> bool {
    let (name, port) = match host.rsplit_once(':') {
        Some((name, port)) if !port.contains(']') => (name, port),
        _ => (host, "0"),
    };
    port.parse::<u16>().is_ok() && ["localhost", "127.0.0.1", "[::1]"].iter().any(|own| own.eq_ignore_ascii_case(name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::Body;

    fn request(headers: &[(&str, &str)]) -> Request {
        let mut request = Request::builder().uri("/_local/tokens");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.body(Body::empty()).unwrap()
    }

    #[test]
    fn only_the_loopbacks_own_names_are_served() {
        for good in ["localhost", "localhost:3000", "LocalHost:1", "127.0.0.1", "127.0.0.1:3000", "[::1]", "[::1]:3000"]
        {
            assert!(is_from_here(&request(&[("host", good)])), "{good}");
        }
        for bad in [
            "",
            "evil.example",
            "evil.example:3000",
            "localhost.evil.example",
            "127.0.0.1.evil.example:3000",
            "localhost:",
            "localhost:x",
            "localhost:3000:1",
            "127.0.0.2",
            "::1",
            "[::1",
            "user@localhost",
        ] {
            assert!(!is_from_here(&request(&[("host", bad)])), "{bad}");
        }
        assert!(!is_from_here(&request(&[])));
        assert!(!is_from_here(&request(&[("host", "localhost"), ("host", "evil.example")])));
    }

    #[test]
    fn pages_from_elsewhere_are_refused() {
        for good in ["http://localhost:5173", "http://127.0.0.1:3000", "https://[::1]:8443"] {
            assert!(is_from_here(&request(&[("host", "localhost:3000"), ("origin", good)])), "{good}");
        }
        for bad in ["https://evil.example", "null", "", "localhost", "http://localhost.evil.example"] {
            assert!(!is_from_here(&request(&[("host", "localhost:3000"), ("origin", bad)])), "{bad}");
        }
    }

    #[test]
    fn other_machines_are_refused_whatever_they_call_us() {
        for (peer, expected) in [("127.0.0.1:9", true), ("[::1]:9", true), ("192.168.1.7:9", false)] {
            let mut request = request(&[("host", "localhost:3000")]);
            request.extensions_mut().insert(ConnectInfo::<SocketAddr>(peer.parse().unwrap()));
            assert_eq!(is_from_here(&request), expected, "{peer}");
        }
    }
}
