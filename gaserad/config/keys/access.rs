//! `[listen]` and `[auth]`: where gaserad can be reached, by whom, and how often.

use crate::config::access::{Secret, host, origin, secret, user};
use crate::config::address::{self, Listen};
use crate::config::kind::{choice, flag, list, whole};
use crate::config::table::keys;
use crate::config::words::Loopback;

keys! {
    /// Where gaserad can be reached.
    struct ListenSettings {
        /// Where gaseractl, scripts and browsers reach gaserad: "unix:/path" for people on this machine, "host:port",
        /// "fd:" for the sockets of a systemd socket unit. What other machines can reach, like "0.0.0.0:5443", needs
        /// tokens ([auth]) and a certificate. docs/security.md shows how to open gaserad to a network.
        restart addresses: Vec<Listen> = list("list of addresses", address::listen)
            .or_by_rule(Vec::new(), "[\"unix:/run/gaserad/gaserad.sock\", \"127.0.0.1:5001\"]");
        /// The certificate, in PEM format: a path, or "credential:NAME" for what LoadCredential= passes. It is shown on
        /// every address that other machines can reach. A reload reads the file again.
        reload tls_cert: Option<Secret> = secret("/etc/gaserad/cert.pem").optional().like("\"/etc/gaserad/cert.pem\"");
        /// The certificate's key, which others must not be able to read. A reload reads the file again.
        reload tls_key: Option<Secret> = secret("/etc/gaserad/key.pem").optional().like("\"/etc/gaserad/key.pem\"");
        /// true: other machines are answered without TLS. Everybody on the way sees the tokens.
        restart plain_text: bool = flag().or(false);
        /// Names that browsers may call this machine by, beside localhost and the address itself, like
        /// "lab-pc.example.org".
        reload hosts: Vec<String> = list("list of host names", host).or(Vec::new());
        /// Web pages from elsewhere that may ask, like "https://dashboard.example.org". There are no wildcards.
        reload origins: Vec<String> = list("list of origins", origin).or(Vec::new());
        /// How many connections may be open at a time on each address, beside streams.
        restart max_connections: u32 = whole(10..=100_000).or(1000);
        /// How many of these may be of one other machine.
        restart max_connections_per_peer: u32 = whole(1..=100_000).or(64);
        /// How often another machine may connect per second; five times as often for a moment.
        reload connects_per_second: u32 = whole(1..=100_000).or(20);
        /// How often another machine may give orders per second; five times as often for a moment.
        reload orders_per_second: u32 = whole(1..=100_000).or(6);
    }
}

keys! {
    /// Who may do what.
    struct AuthSettings {
        /// A file of tokens, one a line: role, name, and the token's SHA-256. The role is "viewer" (reads and follows)
        /// or "operator" (gives orders too). `gaserad new-token operator ada` makes one. Others must not be able to
        /// read it; "credential:tokens" is the one that LoadCredential= passes. A reload reads the file again.
        reload tokens: Option<Secret> = secret("/etc/gaserad/tokens").optional().like("\"/etc/gaserad/tokens\"");
        /// Who may do everything from this machine over TCP: "open" for everybody, "token" for who shows one. Take
        /// "token" where a proxy on this machine passes on what comes from others.
        reload loopback: Loopback = choice().or(Loopback::Open);
        /// Who may give orders over the unix socket, by user ("ada", "1000") or group ("group:lab"); the others only
        /// read. Without it, everybody who may open the socket.
        reload operators: Option<Vec<String>> = list("list of users and groups", user)
            .optional().like("[\"root\", \"group:root\"]");
        /// Who may only read over the unix socket; then nobody else does.
        reload viewers: Option<Vec<String>> = list("list of users and groups", user).optional().like("[\"daemon\"]");
    }
}
