//! Where the daemon can be reached: unix sockets, TCP, and sockets that the service manager opened.

use std::fmt;
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use tokio::net::{TcpListener, TcpSocket, UnixListener, UnixSocket, UnixStream};
use tokio_rustls::TlsAcceptor;

use super::auth::is_loopback;

/// Many readers may come at once: each that finds no place in the queue tries again only after a second.
const BACKLOG: u32 = 4096;
/// What the kernel keeps for one reader that does not read.
const SEND_BUFFER: u32 = 128 * 1024;
/// How long, in milliseconds, a peer may leave unconfirmed what is sent to it: one that went without a word is found.
const CONFIRMED_WITHIN: u32 = 30_000;
/// The owner and the group may connect.
const SOCKET_MODE: u32 = 0o660;

/// An address as settings name it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Address {
    Unix(PathBuf),
    /// `host:port`.
    Tcp(String),
    /// Every socket that the service manager passes.
    Fd,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not an address; write unix:/path, host:port or fd:")]
pub struct AddressError(String);

impl FromStr for Address {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        let wrong = || AddressError(text.to_owned());
        if text == "fd:" {
            return Ok(Self::Fd);
        }
        if let Some(path) = text.strip_prefix("unix:") {
            return if path.starts_with('/') { Ok(Self::Unix(path.into())) } else { Err(wrong()) };
        }
        let (host, port) = text.rsplit_once(':').ok_or_else(wrong)?;
        if matches!(host, "" | "fd") || port.parse::<u16>().is_err() {
            return Err(wrong());
        }
        Ok(Self::Tcp(text.to_owned()))
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
            Self::Tcp(place) => f.write_str(place),
            Self::Fd => f.write_str("fd:"),
        }
    }
}

#[derive(Debug, thiserror::Error)]
pub enum BindError {
    #[error("cannot listen on {address}: another process already serves it; stop that one or choose another address")]
    InUse { address: String },
    #[error("cannot listen on unix:{}: there is a file of another kind; move it away or choose another path", .path.display())]
    NotASocket { path: PathBuf },
    #[error("cannot listen on {address}: {source}")]
    Io { address: String, source: io::Error },
    #[error("cannot listen on fd: the service manager passed no stream socket; start it by its .socket unit")]
    NothingPassed,
}

/// A socket that accepts connections.
pub struct Bound {
    pub(super) listener: Listener,
    name: String,
    /// Its file, to be removed at the end.
    file: Option<SocketFile>,
    pub(super) tls: Option<TlsAcceptor>,
}

pub(super) enum Listener {
    Tcp(TcpListener),
    Unix(UnixListener),
}

impl Bound {
    /// `unix:/run/gaserad/gaserad.sock` or `http://127.0.0.1:5001`.
    pub fn name(&self) -> &str {
        &self.name
    }

    fn tcp(listener: TcpListener) -> io::Result<Self> {
        let name = format!("http://{}", listener.local_addr()?);
        Ok(Self { listener: Listener::Tcp(listener), name, file: None, tls: None })
    }

    /// Whether other machines can reach it.
    pub fn is_beyond_loopback(&self) -> bool {
        match &self.listener {
            // An address that cannot be told is taken for the worst.
            Listener::Tcp(listener) => !listener.local_addr().is_ok_and(|address| is_loopback(address.ip())),
            Listener::Unix(_) => false,
        }
    }

    /// The same, speaking TLS.
    pub fn with_tls(self, tls: TlsAcceptor) -> Self {
        let name = self.name.replacen("http:", "https:", 1);
        Self { name, tls: Some(tls), ..self }
    }

    /// The file of a socket that is served, if it is ours.
    pub fn path(&self) -> Option<&Path> {
        self.file.as_ref().map(|file| file.path.as_path())
    }
}

/// Binds one address; the service manager may have passed several sockets.
pub async fn bind(address: &Address) -> Result<Vec<Bound>, BindError> {
    let failed = |source: io::Error| match source.kind() {
        ErrorKind::AddrInUse => BindError::InUse { address: address.to_string() },
        _ => BindError::Io { address: address.to_string(), source },
    };
    match address {
        Address::Unix(path) => {
            clear(path).await?;
            bind_unix(path).map(|bound| vec![bound]).map_err(failed)
        }
        Address::Tcp(place) => bind_tcp(place).await.map(|bound| vec![bound]).map_err(failed),
        Address::Fd => match passed().map_err(failed)? {
            bound if bound.is_empty() => Err(BindError::NothingPassed),
            bound => Ok(bound),
        },
    }
}

/// Makes room for a socket: removes one that nobody serves any more.
async fn clear(path: &Path) -> Result<(), BindError> {
    let address = || format!("unix:{}", path.display());
    let found = match std::fs::symlink_metadata(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        found => found.map_err(|source| BindError::Io { address: address(), source })?,
    };
    if !found.file_type().is_socket() {
        return Err(BindError::NotASocket { path: path.to_owned() });
    }
    match UnixStream::connect(path).await {
        Ok(_) => Err(BindError::InUse { address: address() }),
        Err(error) if error.kind() == ErrorKind::ConnectionRefused => match std::fs::remove_file(path) {
            Err(source) if source.kind() != ErrorKind::NotFound => Err(BindError::Io { address: address(), source }),
            _ => Ok(()),
        },
        // Nobody took the connection in time, but somebody is there.
        Err(error) if error.kind() == ErrorKind::WouldBlock => Err(BindError::InUse { address: address() }),
        Err(source) => Err(BindError::Io { address: address(), source }),
    }
}

fn bind_unix(path: &Path) -> io::Result<Bound> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let socket = UnixSocket::new_stream()?;
    socket.bind(path)?;
    let file = SocketFile::of(path)?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(SOCKET_MODE))?;
    let listener = Listener::Unix(socket.listen(BACKLOG)?);
    Ok(Bound { listener, name: format!("unix:{}", path.display()), file: Some(file), tls: None })
}

async fn bind_tcp(place: &str) -> io::Result<Bound> {
    let mut last = io::Error::new(ErrorKind::NotFound, "the host name has no address");
    for address in tokio::net::lookup_host(place).await? {
        match bind_address(address) {
            Ok(bound) => return Ok(bound),
            Err(error) => last = error,
        }
    }
    Err(last)
}

fn bind_address(address: SocketAddr) -> io::Result<Bound> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    listen(socket)
}

/// What is set here, accepted connections inherit.
fn listen(socket: TcpSocket) -> io::Result<Bound> {
    socket.set_send_buffer_size(SEND_BUFFER)?;
    rustix::net::sockopt::set_tcp_user_timeout(&socket, CONFIRMED_WITHIN)?;
    Bound::tcp(socket.listen(BACKLOG)?)
}

/// The sockets that the service manager passed; the second time there are none.
fn passed() -> io::Result<Vec<Bound>> {
    let mut fds = listenfd::ListenFd::from_env();
    (0..fds.len()).filter_map(|index| take(&mut fds, index).transpose()).collect()
}

fn take(fds: &mut listenfd::ListenFd, index: usize) -> io::Result<Option<Bound>> {
    if let Ok(Some(listener)) = fds.take_unix_listener(index) {
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let name = address.as_pathname().map_or("unix:".to_owned(), |path| format!("unix:{}", path.display()));
        let listener = Listener::Unix(UnixListener::from_std(listener)?);
        return Ok(Some(Bound { listener, name, file: None, tls: None }));
    }
    let Ok(Some(listener)) = fds.take_tcp_listener(index) else { return Ok(None) };
    listener.set_nonblocking(true)?;
    // The only safe way to set options on a socket that listens already; listening again just sets the queue.
    let socket = std::net::TcpStream::from(std::os::fd::OwnedFd::from(listener));
    listen(TcpSocket::from_std_stream(socket)).map(Some)
}

/// The file of a unix socket; it goes when the socket goes, unless another has taken its place.
struct SocketFile {
    path: PathBuf,
    device: u64,
    inode: u64,
}

impl SocketFile {
    fn of(path: &Path) -> io::Result<Self> {
        let found = std::fs::symlink_metadata(path)?;
        Ok(Self { path: path.to_owned(), device: found.dev(), inode: found.ino() })
    }
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        let ours = std::fs::symlink_metadata(&self.path)
            .is_ok_and(|found| (found.dev(), found.ino()) == (self.device, self.inode));
        if ours {
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_read_back_as_they_are_written() {
        for text in ["unix:/run/gaserad.sock", "127.0.0.1:5001", "[::1]:0", "localhost:80", "fd:"] {
            assert_eq!(text.parse::<Address>().unwrap().to_string(), text);
        }
        for text in ["", "5001", ":5001", "host:", "host:99999", "unix:relative", "fd:3"] {
            assert!(text.parse::<Address>().is_err(), "{text}");
        }
    }

    #[tokio::test]
    async fn a_socket_that_is_served_is_in_use_and_one_that_is_not_is_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("run/gaserad.sock");
        let address = Address::Unix(path.clone());
        let bound = bind(&address).await.unwrap();
        assert_eq!(bound[0].name(), format!("unix:{}", path.display()));
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, SOCKET_MODE);
        assert!(matches!(bind(&address).await, Err(BindError::InUse { .. })));
        drop(bound);
        assert!(!path.exists());

        drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
        assert!(path.exists());
        assert!(bind(&address).await.is_ok());
    }

    #[tokio::test]
    async fn a_file_that_is_no_socket_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("notes.txt");
        std::fs::write(&path, "keep").unwrap();
        assert!(matches!(bind(&Address::Unix(path.clone())).await, Err(BindError::NotASocket { .. })));
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "keep");
    }

    #[tokio::test]
    async fn a_tcp_port_that_is_taken_is_in_use() {
        let bound = bind(&Address::Tcp("127.0.0.1:0".into())).await.unwrap();
        let place = bound[0].name().strip_prefix("http://").unwrap().to_owned();
        let error = bind(&Address::Tcp(place.clone())).await.err().unwrap();
        assert!(matches!(&error, BindError::InUse { address } if *address == place), "{error}");
    }
}
