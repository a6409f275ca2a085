//! TLS towards upstreams: system roots and configured extra ones, TLS 1.2 or newer, verification never off.

use std::sync::Arc;

use rustls::crypto::ring;
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;

/// Why upstream TLS could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum RootsError {
    #[error("an extra root is not a PEM certificate")]
    Pem(#[source] rustls_pki_types::pem::Error),
    #[error("an extra root holds no certificate")]
    Empty,
    #[error("an extra root is not usable as one")]
    Root(#[source] rustls::Error),
    #[error("TLS cannot be set up")]
    Tls(#[from] rustls::Error),
}

/// Client configurations that differ only in what they offer by ALPN.
#[derive(Debug, Clone)]
pub struct UpstreamTls {
    /// HTTP/2 preferred, HTTP/1.1 accepted.
    pub any: Arc<ClientConfig>,
    /// HTTP/1.1 only: for upgrades, and where there are as many HTTP/2 connections as there may be.
    pub http1: Arc<ClientConfig>,
}

impl UpstreamTls {
    /// Reads the system's roots (blocking) and adds `extra_roots`, each a PEM text of one or more certificates.
    ///
    /// # Errors
    /// When an extra root cannot be read. A system root that cannot is left out, as browsers do.
    pub fn load(extra_roots: &[String]) -> Result<Self, RootsError> {
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        for pem in extra_roots {
            add_pem(&mut roots, pem)?;
        }
        let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_no_client_auth();
        let offering = |protocols: &[&[u8]]| {
            let mut config = config.clone();
            config.alpn_protocols = protocols.iter().map(|p| p.to_vec()).collect();
            Arc::new(config)
        };
        Ok(Self { any: offering(&[b"h2", b"http/1.1"]), http1: offering(&[b"http/1.1"]) })
    }
}

fn add_pem(roots: &mut RootCertStore, pem: &str) -> Result<(), RootsError> {
    let mut found = false;
    for certificate in CertificateDer::pem_slice_iter(pem.as_bytes()) {
        roots.add(certificate.map_err(RootsError::Pem)?).map_err(RootsError::Root)?;
        found = true;
    }
    if found { Ok(()) } else { Err(RootsError::Empty) }
}
