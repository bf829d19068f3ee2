//! TLS to a daemon beyond this machine: whom to trust, and the handshake.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, Error, RootCertStore};

use crate::failure::{Exit, Failure, chain};

/// Where systems keep the certificates that they trust.
const SYSTEM: [&str; 4] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
];

/// What is spoken over a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Speaks {
    Http1,
    Http2,
}

/// Who may vouch for a daemon.
#[derive(Debug, Clone)]
pub struct TlsTrust(Arc<ClientConfig>);

impl TlsTrust {
    /// Those in a file of certificates in PEM, or those whom the system trusts.
    pub fn read(file: Option<&Path>) -> Result<Self, Failure> {
        let system = || SYSTEM.iter().map(PathBuf::from).find(|path| path.exists());
        let Some(path) = file.map(Path::to_owned).or_else(system) else {
            let text = "https:// needs certificates to trust, and this system has none in the usual places; name a file \
                        of them with --ca-file";
            return Err(Failure::new(Exit::USAGE, text));
        };
        let refuse = |why: String| {
            let text = format!("cannot read the certificates in {}: {why}", path.display());
            Failure::new(Exit::USAGE, text)
        };
        let mut roots = RootCertStore::empty();
        let certificates = CertificateDer::pem_file_iter(&path).map_err(|error| refuse(error.to_string()))?;
        for certificate in certificates {
            let certificate = certificate.map_err(|error| refuse(error.to_string()))?;
            // A system's list may hold some that are of no use; of one's own all must be.
            let added = roots.add(certificate);
            if let (Err(error), Some(_)) = (added, file) {
                return Err(refuse(chain(&error)));
            }
        }
        if roots.is_empty() {
            return Err(refuse("there is none, in PEM as they begin with -----BEGIN CERTIFICATE-----".into()));
        }
        Self::of(roots).map_err(|error| refuse(chain(&error)))
    }

    fn of(roots: RootCertStore) -> Result<Self, Error> {
        let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
        let config = builder.with_safe_default_protocol_versions()?.with_root_certificates(roots);
        Ok(Self(Arc::new(config.with_no_client_auth())))
    }

    /// Makes sure that the peer is `host:port`, and hides what is said.
    pub async fn secure(&self, stream: TcpStream, authority: &str, speaks: Speaks) -> io::Result<TlsStream<TcpStream>> {
        let host = authority.rsplit_once(':').map_or(authority, |(host, _)| host);
        let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        let name = ServerName::try_from(host).map_err(io::Error::other)?;
        let mut config = ClientConfig::clone(&self.0);
        config.alpn_protocols = vec![match speaks {
            Speaks::Http1 => b"http/1.1".to_vec(),
            Speaks::Http2 => b"h2".to_vec(),
        }];
        TlsConnector::from(Arc::new(config)).connect(name, stream).await.map_err(explain)
    }
}

/// What to do about a certificate that is not trusted.
fn explain(error: io::Error) -> io::Error {
    match error.get_ref().and_then(|inner| inner.downcast_ref::<Error>()) {
        Some(Error::InvalidCertificate(_)) => io::Error::other(format!(
            "{error}; its certificate must name the host as you do, be valid now, and be vouched for by one that \
             --ca-file names"
        )),
        Some(_) => io::Error::other(format!("the TLS handshake failed: {error}")),
        None => error,
    }
}
