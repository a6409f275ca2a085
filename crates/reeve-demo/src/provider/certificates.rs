//! The provider's own authority, in memory only, and a leaf for every host name that a client asks for by SNI.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    KeyUsagePurpose,
};
use rustls::ServerConfig;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use tokio_rustls::TlsAcceptor;

use crate::error::DemoError;

/// An authority that vouches for any host name. Only profiles that name its root as an extra one believe it.
pub struct Certificates {
    issuer: CertifiedIssuer<'static, KeyPair>,
    leaf_key: KeyPair,
    leaves: Mutex<HashMap<String, Arc<CertifiedKey>>>,
}

impl std::fmt::Debug for Certificates {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Certificates").field("leaves", &self.leaves.lock().len()).finish_non_exhaustive()
    }
}

impl Certificates {
    /// A fresh authority with fresh keys.
    ///
    /// # Errors
    /// When the system has no randomness to make keys from.
    pub fn new() -> Result<Self, DemoError> {
        let mut params = CertificateParams::new(Vec::new())?;
        params.distinguished_name.push(DnType::CommonName, "Reeve demo provider, not for anything else");
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate()?)?;
        Ok(Self { issuer, leaf_key: KeyPair::generate()?, leaves: Mutex::new(HashMap::new()) })
    }

    /// The root in PEM.
    #[must_use]
    pub fn root_pem(&self) -> String {
        self.issuer.pem()
    }

    /// The leaf for this name, made on first use.
    ///
    /// # Errors
    /// When `name` cannot stand in a certificate.
    pub fn leaf(&self, name: &str) -> Result<Arc<CertifiedKey>, DemoError> {
        if let Some(known) = self.leaves.lock().get(name) {
            return Ok(Arc::clone(known));
        }
        let mut params = CertificateParams::new(vec![name.to_owned()])?;
        params.distinguished_name.push(DnType::CommonName, name);
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.use_authority_key_identifier_extension = true;
        let leaf = params.signed_by(&self.leaf_key, &self.issuer)?;
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(self.leaf_key.serialize_der()));
        let key = rustls::crypto::ring::sign::any_supported_type(&key)?;
        let made = Arc::new(CertifiedKey::new(vec![leaf.der().clone()], key));
        self.leaves.lock().insert(name.to_owned(), Arc::clone(&made));
        Ok(made)
    }

    /// Accepts TLS under every name, offering these protocols.
    ///
    /// # Errors
    /// When the protocol versions cannot be set up.
    pub fn acceptor(self: &Arc<Self>, alpn: &[&str]) -> Result<TlsAcceptor, DemoError> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_cert_resolver(Arc::new(BySni(Arc::clone(self))));
        config.alpn_protocols = alpn.iter().map(|name| name.as_bytes().to_vec()).collect();
        Ok(TlsAcceptor::from(Arc::new(config)))
    }
}

/// Chooses the leaf by SNI; a client that names no host gets the one for the loopback address.
#[derive(Debug)]
struct BySni(Arc<Certificates>);

impl ResolvesServerCert for BySni {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        self.0.leaf(hello.server_name().unwrap_or("127.0.0.1")).ok()
    }
}
