//! The certificate that the daemon shows, and its key.

use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::{self, PemObject};
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::server::{ClientHello, ResolvesServerCert};
use tokio_rustls::rustls::sign::CertifiedKey;
use tokio_rustls::rustls::{self, ServerConfig};

#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    #[error("cannot read {what} in {}: {source}", .path.display())]
    Unreadable { what: &'static str, path: PathBuf, source: std::io::Error },
    #[error("there is no {what} in {}: {source}; it must be in PEM format", .path.display())]
    NotPem { what: &'static str, path: PathBuf, source: pem::Error },
    #[error("others can read the key {} (its mode is {mode:03o}); run `chmod 640` or `chmod 600` on it", .path.display())]
    Open { path: PathBuf, mode: u32 },
    #[error("the certificate in {} and the key in {} do not fit together: {source}", .certificate.display(), .key.display())]
    Unfit { certificate: PathBuf, key: PathBuf, source: rustls::Error },
}

impl TlsError {
    /// Only because of who asks.
    pub fn is_permission(&self) -> bool {
        matches!(self, Self::Unreadable { source, .. } if source.kind() == std::io::ErrorKind::PermissionDenied)
    }
}

/// A certificate with its key, as the listeners show it; another one may take its place.
pub struct Certificate {
    shown: Arc<ShownCertificate>,
    acceptor: TlsAcceptor,
}

#[derive(Debug)]
struct ShownCertificate(RwLock<Arc<CertifiedKey>>);

impl ResolvesServerCert for ShownCertificate {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.get())
    }
}

impl ShownCertificate {
    fn get(&self) -> Arc<CertifiedKey> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Certificate {
    pub fn acceptor(&self) -> TlsAcceptor {
        self.acceptor.clone()
    }

    /// Connections from here on are shown `other` in its place. Whether that is another one.
    pub fn show(&self, other: &Self) -> bool {
        let (before, now) = (self.shown.get(), other.shown.get());
        let is_another = before.cert != now.cert;
        *self.shown.0.write().unwrap_or_else(PoisonError::into_inner) = now;
        is_another
    }
}

/// Reads a certificate, with those of its authorities behind it, and its key.
pub fn load(certificate: &Path, key: &Path) -> Result<Certificate, TlsError> {
    let what = "certificate";
    let text = read(what, certificate)?;
    let not_pem = |source| TlsError::NotPem { what, path: certificate.to_owned(), source };
    let chain: Vec<CertificateDer<'static>> =
        CertificateDer::pem_slice_iter(&text).collect::<Result<_, _>>().map_err(not_pem)?;
    if chain.is_empty() {
        return Err(not_pem(pem::Error::NoItemsFound));
    }
    private(key)?;
    let what = "private key";
    let text = read(what, key)?;
    let secret = PrivateKeyDer::from_pem_slice(&text);
    let secret = secret.map_err(|source| TlsError::NotPem { what, path: key.to_owned(), source })?;
    let unfit = |source| TlsError::Unfit { certificate: certificate.to_owned(), key: key.to_owned(), source };
    let provider = Arc::new(ring::default_provider());
    let certified = CertifiedKey::from_der(chain, secret, &provider).map_err(&unfit)?;
    let shown = Arc::new(ShownCertificate(RwLock::new(Arc::new(certified))));
    let builder = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().map_err(unfit)?;
    let mut config = builder.with_no_client_auth().with_cert_resolver(shown.clone());
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(Certificate { shown, acceptor: TlsAcceptor::from(Arc::new(config)) })
}

fn read(what: &'static str, path: &Path) -> Result<Vec<u8>, TlsError> {
    std::fs::read(path).map_err(|source| TlsError::Unreadable { what, path: path.to_owned(), source })
}

fn private(path: &Path) -> Result<(), TlsError> {
    let about = std::fs::metadata(path);
    let about = about.map_err(|source| TlsError::Unreadable { what: "private key", path: path.to_owned(), source })?;
    match others_may(&about) {
        Some(mode) => Err(TlsError::Open { path: path.to_owned(), mode }),
        None => Ok(()),
    }
}

/// The mode of a file that is not kept from others: they may read it, or its group may write it.
pub fn others_may(about: &std::fs::Metadata) -> Option<u32> {
    use std::os::unix::fs::PermissionsExt;
    let mode = about.permissions().mode() & 0o777;
    (mode & 0o027 != 0).then_some(mode)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn written(folder: &Path, name: &str, text: &str, mode: u32) -> PathBuf {
        let path = folder.join(name);
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        path
    }

    #[test]
    fn a_certificate_is_taken_with_its_own_key_only_and_a_key_is_secret() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        let made = || rcgen::generate_simple_self_signed(vec!["lab-pc".into()]).unwrap();
        let (one, other) = (made(), made());
        let certificate = written(folder, "cert.pem", &one.cert.pem(), 0o644);
        let key = written(folder, "key.pem", &one.signing_key.serialize_pem(), 0o640);
        load(&certificate, &key).unwrap();

        let told = |certificate: &Path, key: &Path| load(certificate, key).err().unwrap().to_string();
        let stray = written(folder, "other.pem", &other.signing_key.serialize_pem(), 0o600);
        assert!(told(&certificate, &stray).contains("do not fit together"), "{}", told(&certificate, &stray));
        let open = written(folder, "open.pem", &one.signing_key.serialize_pem(), 0o644);
        assert!(told(&certificate, &open).contains("others can read the key"), "{}", told(&certificate, &open));
        let text = written(folder, "text", "hello", 0o600);
        assert!(told(&text, &key).contains("no certificate in"), "{}", told(&text, &key));
        assert!(told(&certificate, &text).contains("no private key in"));
        assert!(told(&folder.join("gone"), &key).contains("cannot read certificate"));
    }
    /// Whether a client that trusts nothing but `root` gets through.
    async fn is_trusted(acceptor: &TlsAcceptor, root: &CertificateDer<'static>) -> bool {
        let mut roots = rustls::RootCertStore::empty();
        roots.add(root.clone()).unwrap();
        let client = rustls::ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let (near, far) = tokio::io::duplex(1 << 16);
        let name = rustls::pki_types::ServerName::try_from("lab-pc").unwrap();
        let connector = tokio_rustls::TlsConnector::from(Arc::new(client));
        let (accepted, connected) = tokio::join!(acceptor.accept(near), connector.connect(name, far));
        accepted.is_ok() && connected.is_ok()
    }

    #[tokio::test]
    async fn another_certificate_is_shown_from_then_on() {
        let folder = tempfile::tempdir().unwrap();
        let made = || {
            let made = rcgen::generate_simple_self_signed(vec!["lab-pc".into()]).unwrap();
            let certificate = written(folder.path(), "cert.pem", &made.cert.pem(), 0o644);
            let key = written(folder.path(), "key.pem", &made.signing_key.serialize_pem(), 0o640);
            (load(&certificate, &key).unwrap(), made.cert.der().clone())
        };
        let ((shown, first), (other, second)) = (made(), made());
        let acceptor = shown.acceptor();
        assert!(is_trusted(&acceptor, &first).await && !is_trusted(&acceptor, &second).await);
        assert!(shown.show(&other) && !shown.show(&other));
        assert!(!is_trusted(&acceptor, &first).await && is_trusted(&acceptor, &second).await);
    }
}
