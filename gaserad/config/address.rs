//! Addresses as people write them.

use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;

/// Where the API is served.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Listen {
    Unix(PathBuf),
    /// `host:port`; port 0 takes a free one.
    Tcp(String),
    /// The sockets that systemd passes.
    Fd,
}

impl fmt::Display for Listen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
            Self::Tcp(address) => f.write_str(address),
            Self::Fd => f.write_str("fd:"),
        }
    }
}

/// The kernel's limit for the path of a socket, without its terminating zero.
const SOCKET_PATH_MAX: usize = 107;

/// `unix:/path`, `host:port` or `fd:`.
pub(super) fn listen(text: &str) -> Result<Listen, String> {
    if let Some(path) = text.strip_prefix("unix:") {
        return unix(path);
    }
    if let Some(rest) = text.strip_prefix("fd:") {
        let refused = || format!("{text:?} names a descriptor; write \"fd:\", which takes every socket systemd passes");
        return if rest.is_empty() { Ok(Listen::Fd) } else { Err(refused()) };
    }
    host_and_port(text)?;
    Ok(Listen::Tcp(text.to_owned()))
}

/// Whether other machines can reach it, as far as it is written.
pub(super) fn is_beyond_loopback(listen: &Listen) -> bool {
    match listen {
        Listen::Tcp(text) => !host_and_port(text).is_ok_and(|(host, _)| is_loopback(host)),
        Listen::Unix(_) | Listen::Fd => false,
    }
}

fn unix(path: &str) -> Result<Listen, String> {
    if !path.starts_with('/') {
        return Err(format!(
            "\"unix:{path}\" is not an absolute path; write it like \"unix:/run/gaserad/gaserad.sock\""
        ));
    }
    if path.len() > SOCKET_PATH_MAX {
        let length = path.len();
        return Err(format!(
            "\"unix:{path}\" is {length} bytes long; the path of a socket has {SOCKET_PATH_MAX} at most"
        ));
    }
    if path.contains('\0') {
        return Err(format!("{path:?} contains a zero byte; no path can"));
    }
    Ok(Listen::Unix(PathBuf::from(path)))
}

/// The address of a server to connect to.
pub(super) fn server(text: &str) -> Result<String, String> {
    match host_and_port(text).map_err(|complaint| format!("is wrong: {complaint}"))? {
        (_, 0) => {
            Err(format!("is wrong: {text:?} has port 0, where no server listens; the AK server usually has port 8888"))
        }
        _ => Ok(text.to_owned()),
    }
}

fn host_and_port(text: &str) -> Result<(&str, u16), String> {
    if text.contains("://") {
        return Err(format!("{text:?} is a URL; leave out what stands before the host, like \"127.0.0.1:5001\""));
    }
    let shape = || format!("{text:?} is not an address; write host:port, like \"192.168.0.100:8888\"");
    let (host, port) = text.rsplit_once(':').ok_or_else(shape)?;
    let bare = match host.strip_prefix('[') {
        Some(rest) => rest.strip_suffix(']').filter(|inner| inner.parse::<IpAddr>().is_ok()).ok_or_else(shape)?,
        None => host,
    };
    let is_name = !host.contains(':') && host.chars().all(|c| c.is_ascii_alphanumeric() || "-._".contains(c));
    if bare.is_empty() || !(host.starts_with('[') || is_name) {
        return Err(shape());
    }
    let port = port.parse().map_err(|_| format!("{text:?} has no port from 0 to 65535 after its last colon"))?;
    Ok((bare, port))
}

fn is_loopback(host: &str) -> bool {
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_sockets_and_addresses() {
        assert_eq!(listen("unix:/run/x.sock"), Ok(Listen::Unix("/run/x.sock".into())));
        assert_eq!(listen("fd:"), Ok(Listen::Fd));
        for address in ["127.0.0.1:0", "127.1.2.3:5001", "localhost:80", "[::1]:5001"] {
            assert_eq!(listen(address), Ok(Listen::Tcp(address.into())));
            assert!(!is_beyond_loopback(&listen(address).unwrap()), "{address}");
        }
        for address in ["0.0.0.0:5001", "[::]:5001", "192.168.0.7:1", "example.org:80"] {
            assert!(is_beyond_loopback(&listen(address).unwrap()), "{address}");
        }
    }

    #[test]
    fn refuses_what_is_no_address() {
        for address in ["", "localhost", "127.0.0.1:", ":5001", "::1:5001", "127.0.0.1:99999", "a b:1", "[x]:1", "fd:3"]
        {
            assert!(listen(address).is_err(), "{address}");
        }
        assert!(listen("unix:gaserad.sock").unwrap_err().contains("absolute"));
        assert!(listen(&format!("unix:/{}", "x".repeat(107))).unwrap_err().contains("107"));
        assert!(server("http://192.168.0.100:8888").unwrap_err().contains("URL"));
        assert!(server("192.168.0.100:0").is_err());
    }
}
