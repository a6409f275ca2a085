//! One certificate authority per session: its key lives in memory only, ends with the session, and signs leaves that
//! name exactly one host.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use parking_lot::Mutex;
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose,
    PKCS_ECDSA_P256_SHA256, SanType,
};
use reeve_domain::host::Host;
use reeve_domain::id::SessionId;
use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::sign::{CertifiedKey, SigningKey, SingleCertAndKey};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};

/// Clocks of clients may be behind by this much.
const BACKDATED: Duration = Duration::from_secs(24 * 3600);
/// Life of a leaf from its backdated start: at most 7 days.
const LEAF_LIFE: Duration = Duration::from_secs(7 * 24 * 3600);
/// A leaf is made anew after this long, well before it ends.
const LEAF_REUSE: Duration = Duration::from_secs(3 * 24 * 3600);
/// No session is meant to last longer; the authority itself ends with the session.
const AUTHORITY_LIFE: Duration = Duration::from_secs(90 * 24 * 3600);
/// Hosts whose configuration is kept at once.
const KEPT_HOSTS: usize = 512;

/// Why a certificate could not be made.
#[derive(Debug, thiserror::Error)]
pub enum AuthorityError {
    #[error("cannot make a certificate")]
    Certificate(#[from] rcgen::Error),
    #[error("cannot use the certificate")]
    Tls(#[from] rustls::Error),
}

/// The authority of one session.
pub struct SessionAuthority {
    pem: String,
    certificate: CertificateDer<'static>,
    issuer: Issuer<'static, KeyPair>,
    leaf_key: KeyPair,
    signing_key: Arc<dyn SigningKey>,
    configs: Mutex<HashMap<Host, (Instant, Arc<ServerConfig>)>>,
}

impl SessionAuthority {
    /// Makes a fresh authority: two new P-256 keys, one for itself and one for all its leaves.
    ///
    /// # Errors
    /// When the system gives no randomness.
    pub fn new(session: &SessionId) -> Result<Self, AuthorityError> {
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
        let mut params = CertificateParams::default();
        params.distinguished_name = rcgen::DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, format!("Reeve {session}"));
        params.distinguished_name.push(DnType::OrganizationName, "Reeve (this session only)");
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let at = |since: Duration| rcgen::date_time_ymd(1970, 1, 1) + since;
        params.not_before = at(now().saturating_sub(BACKDATED));
        params.not_after = at(now() + AUTHORITY_LIFE);
        let certificate = params.self_signed(&key)?;
        let leaf_key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256)?;
        let der = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(leaf_key.serialize_der()));
        Ok(Self {
            pem: certificate.pem(),
            certificate: certificate.der().clone(),
            issuer: Issuer::new(params, key),
            leaf_key,
            signing_key: ring::sign::any_ecdsa_type(&der)?,
            configs: Mutex::new(HashMap::new()),
        })
    }

    /// The certificate to trust, as PEM. Public.
    #[must_use]
    pub fn pem(&self) -> &str {
        &self.pem
    }

    /// What a connection to `host` is served with: a leaf for that one name, HTTP/2 and HTTP/1.1 offered.
    ///
    /// # Errors
    /// When the leaf cannot be made.
    pub fn config(&self, host: &Host) -> Result<Arc<ServerConfig>, AuthorityError> {
        let mut configs = self.configs.lock();
        if let Some((made, config)) = configs.get(host)
            && made.elapsed() < LEAF_REUSE
        {
            return Ok(config.clone());
        }
        let config = Arc::new(self.make_config(host)?);
        if configs.len() >= KEPT_HOSTS {
            configs.clear();
        }
        configs.insert(host.clone(), (Instant::now(), config.clone()));
        Ok(config)
    }

    fn make_config(&self, host: &Host) -> Result<ServerConfig, AuthorityError> {
        let leaf = self.leaf(host)?;
        let chain = vec![leaf, self.certificate.clone()];
        let key = CertifiedKey::new(chain, self.signing_key.clone());
        let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_cert_resolver(Arc::new(SingleCertAndKey::from(key)));
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(config)
    }

    fn leaf(&self, host: &Host) -> Result<CertificateDer<'static>, AuthorityError> {
        let mut params = CertificateParams::default();
        params.distinguished_name = rcgen::DistinguishedName::new();
        params.subject_alt_names = vec![san(host)?];
        let at = |since: Duration| rcgen::date_time_ymd(1970, 1, 1) + since;
        let start = now().saturating_sub(BACKDATED);
        params.not_before = at(start);
        params.not_after = at(start + LEAF_LIFE);
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.use_authority_key_identifier_extension = true;
        Ok(params.signed_by(&self.leaf_key, &self.issuer)?.der().clone())
    }
}

fn san(host: &Host) -> Result<SanType, AuthorityError> {
    Ok(match host {
        Host::Name(name) => SanType::DnsName(name.as_str().try_into()?),
        Host::Ip(IpAddr::V4(ip)) => SanType::IpAddress((*ip).into()),
        Host::Ip(IpAddr::V6(ip)) => SanType::IpAddress((*ip).into()),
    })
}

/// Since the epoch.
fn now() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}
