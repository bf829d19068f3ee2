//! Where the daemon listens, and the bytes to and from there. What is said over them is not its business.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream};

use crate::failure::{Failure, chain};
use crate::tls::{Speaks, TlsTrust};
use crate::token::ClientToken;

const SYSTEM_SOCKET: &str = "/run/gaserad/gaserad.sock";
const DEFAULT_PORT: u16 = 5001;
const CONNECT_LIMIT: Duration = Duration::from_secs(10);

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Endpoint {
    Unix(PathBuf),
    /// `host:port`
    Tcp(String),
    /// The same with TLS.
    Tls(String),
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EndpointError {
    #[error(
        "{0:?} is not an endpoint; write it like unix:/run/gaserad/gaserad.sock, http://127.0.0.1:5001 or \
         https://lab-pc:5001"
    )]
    Shape(String),
}

impl FromStr for Endpoint {
    type Err = EndpointError;

    fn from_str(text: &str) -> Result<Self, EndpointError> {
        let shape = || EndpointError::Shape(text.to_owned());
        if let Some(path) = text.strip_prefix("unix:") {
            let path = path.strip_prefix("//").unwrap_or(path);
            return if path.starts_with('/') { Ok(Self::Unix(path.into())) } else { Err(shape()) };
        }
        let (scheme, authority) = text.split_once("://").ok_or_else(shape)?;
        let authority: http::uri::Authority = authority.trim_end_matches('/').parse().map_err(|_| shape())?;
        if authority.host().is_empty() || authority.as_str().contains('@') {
            return Err(shape());
        }
        let authority = format!("{}:{}", authority.host(), authority.port_u16().unwrap_or(DEFAULT_PORT));
        match scheme {
            "http" => Ok(Self::Tcp(authority)),
            "https" => Ok(Self::Tls(authority)),
            _ => Err(shape()),
        }
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
            Self::Tcp(authority) => write!(f, "http://{authority}"),
            Self::Tls(authority) => write!(f, "https://{authority}"),
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
            Self::Tcp(authority) | Self::Tls(authority) => authority,
        }
    }

    /// What stands before the host in the address of a request.
    pub fn scheme(&self) -> &'static str {
        if matches!(self, Self::Tls(_)) { "https" } else { "http" }
    }

    async fn open(&self, speaks: Speaks, trust: Option<&TlsTrust>) -> std::io::Result<Box<dyn Io>> {
        match (self, trust) {
            (Self::Unix(path), _) => Ok(Box::new(UnixStream::connect(path).await?)),
            (Self::Tls(authority), Some(trust)) => {
                Ok(Box::new(trust.secure(tcp(authority).await?, authority, speaks).await?))
            }
            (Self::Tcp(authority), _) => Ok(Box::new(tcp(authority).await?)),
            (Self::Tls(_), None) => Err(std::io::Error::other("nobody is trusted")),
        }
    }
}

async fn tcp(authority: &str) -> std::io::Result<TcpStream> {
    let stream = TcpStream::connect(authority).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// Where to look for the daemon, in order, and what to show it.
#[derive(Debug, Clone)]
pub struct Endpoints {
    places: Vec<Endpoint>,
    token: Option<ClientToken>,
    trust: Option<TlsTrust>,
}

impl Endpoints {
    /// The named one only, or the usual places; with the contents of a file that holds a token, and of one that holds
    /// certificates.
    pub fn new(named: Option<Endpoint>, token: Option<&Path>, certificates: Option<&Path>) -> Result<Self, Failure> {
        let trust = match &named {
            Some(Endpoint::Tls(_)) => Some(TlsTrust::read(certificates)?),
            _ => None,
        };
        let places = named.map_or_else(usual_places, |endpoint| vec![endpoint]);
        Ok(Self { places, token: token.map(ClientToken::read).transpose()?, trust })
    }

    /// One of them, and no other.
    pub fn only(&self, endpoint: Endpoint) -> Self {
        Self { places: vec![endpoint], ..self.clone() }
    }

    pub fn token(&self) -> Option<&ClientToken> {
        self.token.as_ref()
    }

    /// Connects to the first place where somebody answers.
    pub async fn dial(&self, speaks: Speaks) -> Result<(Endpoint, Box<dyn Io>), Failure> {
        let mut tried = Vec::new();
        for endpoint in &self.places {
            let opening = endpoint.open(speaks, self.trust.as_ref());
            match tokio::time::timeout(CONNECT_LIMIT, opening).await {
                Ok(Ok(io)) => return Ok((endpoint.clone(), io)),
                Ok(Err(error)) => tried.push(format!("{endpoint} ({})", chain(&error))),
                Err(_) => tried.push(format!("{endpoint} (nobody answered within {} s)", CONNECT_LIMIT.as_secs())),
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
            ("https://lab-pc:443/", "https://lab-pc:443"),
            ("https://lab-pc", "https://lab-pc:5001"),
        ] {
            assert_eq!(text.parse::<Endpoint>().unwrap().to_string(), written);
        }
    }

    #[test]
    fn refuses_what_it_cannot_dial() {
        for text in
            ["", "gaserad", "unix:gaserad.sock", "http://", "127.0.0.1:5001", "http://a b", "ftp://lab-pc", "https://"]
        {
            assert!(matches!(text.parse::<Endpoint>(), Err(EndpointError::Shape(_))), "{text}");
        }
    }
}
