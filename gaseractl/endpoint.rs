//! Where the daemon listens, and the bytes to and from there. What is said over them is not its business.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream};

use crate::failure::{Failure, chain};

const SYSTEM_SOCKET: &str = "/run/gaserad/gaserad.sock";
const DEFAULT_PORT: u16 = 5001;
const CONNECT_LIMIT: Duration = Duration::from_secs(10);

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Endpoint {
    Unix(PathBuf),
    /// `host:port`
    Tcp(String),
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EndpointError {
    #[error("{0:?} is not an endpoint; write it like unix:/run/gaserad/gaserad.sock or http://127.0.0.1:5001")]
    Shape(String),
    #[error("{0:?} asks for TLS, which gaseractl does not speak; use http:// on this machine or through a tunnel")]
    Tls(String),
}

impl FromStr for Endpoint {
    type Err = EndpointError;

    fn from_str(text: &str) -> Result<Self, EndpointError> {
        let shape = || EndpointError::Shape(text.to_owned());
        if text.starts_with("https:") {
            return Err(EndpointError::Tls(text.to_owned()));
        }
        if let Some(path) = text.strip_prefix("unix:") {
            let path = path.strip_prefix("//").unwrap_or(path);
            return if path.starts_with('/') { Ok(Self::Unix(path.into())) } else { Err(shape()) };
        }
        let authority = text.strip_prefix("http://").ok_or_else(shape)?.trim_end_matches('/');
        let authority: http::uri::Authority = authority.parse().map_err(|_| shape())?;
        if authority.host().is_empty() || authority.as_str().contains('@') {
            return Err(shape());
        }
        Ok(Self::Tcp(format!("{}:{}", authority.host(), authority.port_u16().unwrap_or(DEFAULT_PORT))))
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
            Self::Tcp(authority) => write!(f, "http://{authority}"),
        }
    }
}

/// A connection of either kind.
pub trait Io: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Io for T {}

impl Endpoint {
    /// What the daemon is called in an HTTP request.
    pub fn host(&self) -> &str {
        match self {
            Self::Unix(_) => "localhost",
            Self::Tcp(authority) => authority,
        }
    }

    async fn open(&self) -> std::io::Result<Box<dyn Io>> {
        match self {
            Self::Unix(path) => Ok(Box::new(UnixStream::connect(path).await?)),
            Self::Tcp(authority) => {
                let stream = tokio::time::timeout(CONNECT_LIMIT, TcpStream::connect(authority)).await??;
                stream.set_nodelay(true)?;
                Ok(Box::new(stream))
            }
        }
    }
}

/// Where to look for the daemon, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoints(Vec<Endpoint>);

impl Endpoints {
    /// The named one only, or the usual places.
    pub fn new(named: Option<Endpoint>) -> Self {
        Self(named.map_or_else(usual_places, |endpoint| vec![endpoint]))
    }

    /// Connects to the first place where somebody answers.
    pub async fn dial(&self) -> Result<(Endpoint, Box<dyn Io>), Failure> {
        let mut tried = Vec::new();
        for endpoint in &self.0 {
            match endpoint.open().await {
                Ok(io) => return Ok((endpoint.clone(), io)),
                Err(error) => tried.push(format!("{endpoint} ({})", chain(&error))),
            }
        }
        Err(Failure::unreachable(&tried.join(" or ")))
    }
}

fn usual_places() -> Vec<Endpoint> {
    let user = directories::BaseDirs::new().and_then(|dirs| Some(dirs.runtime_dir()?.join("gaserad/gaserad.sock")));
    let sockets = [Some(Path::new(SYSTEM_SOCKET).to_owned()), user];
    let present = sockets.into_iter().flatten().filter(|path| path.exists());
    present.map(Endpoint::Unix).chain([Endpoint::Tcp(format!("127.0.0.1:{DEFAULT_PORT}"))]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_sockets_and_addresses() {
        for (text, written) in [
            ("unix:/run/gaserad/gaserad.sock", "unix:/run/gaserad/gaserad.sock"),
            ("unix:///tmp/g.sock", "unix:/tmp/g.sock"),
            ("http://127.0.0.1:43121", "http://127.0.0.1:43121"),
            ("http://lab-pc/", "http://lab-pc:5001"),
            ("http://[::1]:5001", "http://[::1]:5001"),
        ] {
            assert_eq!(text.parse::<Endpoint>().unwrap().to_string(), written);
        }
    }

    #[test]
    fn refuses_what_it_cannot_dial() {
        for text in ["", "gaserad", "unix:gaserad.sock", "http://", "127.0.0.1:5001", "http://a b"] {
            assert!(matches!(text.parse::<Endpoint>(), Err(EndpointError::Shape(_))), "{text}");
        }
        assert!(matches!("https://lab-pc".parse::<Endpoint>(), Err(EndpointError::Tls(_))));
    }
}
