//! How an agent reaches the network when its environment says so: CONNECT with the credentials of the proxy address, TLS
//! with the given bundle, HTTP/1.1 inside.

use std::sync::Arc;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use http::{Request, Response, header};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, ServerName};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::error::DemoError;

/// Longest head of an answer to CONNECT in bytes.
const HEAD_LIMIT: usize = 16 * 1024;

/// A proxy address taken apart.
#[derive(Clone)]
pub struct ProxyAddress {
    host: String,
    port: u16,
    /// `user:password`, as `Proxy-Authorization: Basic` carries it.
    credentials: Option<String>,
}

impl std::fmt::Debug for ProxyAddress {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ProxyAddress({}:{})", self.host, self.port)
    }
}

impl ProxyAddress {
    /// Reads `http://user:password@host:port`.
    ///
    /// # Errors
    /// When the text has another form; the error does not repeat the password.
    pub fn parse(text: &str) -> Result<Self, DemoError> {
        let rest = text.strip_prefix("http://").map(|rest| rest.trim_end_matches('/'));
        let (credentials, place) = match rest.map(|rest| rest.rsplit_once('@').unwrap_or(("", rest))) {
            Some((credentials, place)) => (Some(credentials).filter(|c| !c.is_empty()), place),
            None => (None, ""),
        };
        let parts = place.rsplit_once(':').and_then(|(host, port)| Some((host, port.parse().ok()?)));
        match parts {
            Some((host, port)) if !host.is_empty() => {
                Ok(Self { host: host.to_owned(), port, credentials: credentials.map(str::to_owned) })
            }
            _ => Err(DemoError::ProxyAddress(place.to_owned())),
        }
    }

    /// `host:port`, without the credentials.
    #[must_use]
    pub fn place(&self) -> String {
        format!("{}:{}", self.host, self.port)
    }

    /// The value of `Proxy-Authorization`.
    #[must_use]
    pub fn authorization(&self) -> Option<String> {
        self.credentials.as_ref().map(|c| format!("Basic {}", BASE64_STANDARD.encode(c)))
    }

    /// A tunnel to that place, before any TLS.
    ///
    /// # Errors
    /// When the proxy cannot be reached or does not answer CONNECT with `200`.
    pub async fn connect(&self, host: &str, port: u16) -> Result<TcpStream, DemoError> {
        let mut stream = TcpStream::connect((self.host.as_str(), self.port)).await?;
        stream.set_nodelay(true)?;
        let authorization = self.authorization().map(|a| format!("Proxy-Authorization: {a}\r\n")).unwrap_or_default();
        let head = format!("CONNECT {host}:{port} HTTP/1.1\r\nHost: {host}:{port}\r\n{authorization}\r\n");
        stream.write_all(head.as_bytes()).await?;
        let answer = read_head(&mut stream).await?;
        let line = answer.lines().next().unwrap_or_default();
        if line.split(' ').nth(1) == Some("200") { Ok(stream) } else { Err(DemoError::Connect(line.to_owned())) }
    }
}

/// Reads up to the empty line, byte by byte: what follows belongs to somebody else.
async fn read_head(stream: &mut TcpStream) -> Result<String, DemoError> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        if head.len() > HEAD_LIMIT {
            return Err(DemoError::Connect("an endless head".to_owned()));
        }
        head.push(stream.read_u8().await?);
    }
    Ok(String::from_utf8_lossy(&head).into_owned())
}

/// Client TLS that believes the roots of these PEM blocks and nothing else.
///
/// # Errors
/// When a block is not a certificate.
pub fn client_config(pem: &[u8], file: &str, alpn: &[&str]) -> Result<ClientConfig, DemoError> {
    let bad = |why: String| DemoError::Bundle { file: file.to_owned(), why };
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(pem) {
        let certificate = certificate.map_err(|e| bad(e.to_string()))?;
        // System bundles hold a few roots that are not well-formed by today's rules.
        let _ = roots.add(certificate);
    }
    if roots.is_empty() {
        return Err(bad("it holds no usable certificate".to_owned()));
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = alpn.iter().map(|name| name.as_bytes().to_vec()).collect();
    Ok(config)
}

/// TLS with that host over a tunnel.
///
/// # Errors
/// When the host is no name, or the handshake fails.
pub async fn tls(stream: TcpStream, host: &str, config: &Arc<ClientConfig>) -> Result<TlsStream<TcpStream>, DemoError> {
    let name = ServerName::try_from(host.to_owned()).map_err(|_| DemoError::HostName(host.to_owned()))?;
    Ok(TlsConnector::from(Arc::clone(config)).connect(name, stream).await?)
}

/// The network as the environment gives it.
#[derive(Debug, Clone)]
pub struct Network {
    proxy: ProxyAddress,
    tls: Arc<ClientConfig>,
}

impl Network {
    /// Reads the proxy and the certificate bundle from the variables that agents read.
    ///
    /// # Errors
    /// When a variable is missing or its value is of no use.
    pub fn from_environment(variable: &dyn Fn(&'static str) -> Option<String>) -> Result<Self, DemoError> {
        let get = |name| variable(name).ok_or(DemoError::NoVariable(name));
        let proxy = ProxyAddress::parse(&get("HTTPS_PROXY")?)?;
        let file = get("SSL_CERT_FILE")?;
        let pem = std::fs::read(&file).map_err(|e| DemoError::Bundle { file: file.clone(), why: e.to_string() })?;
        Ok(Self { proxy, tls: Arc::new(client_config(&pem, &file, &["http/1.1"])?) })
    }

    #[must_use]
    pub fn proxy(&self) -> &ProxyAddress {
        &self.proxy
    }

    /// Sends one request to its `https` host on a connection of its own.
    ///
    /// # Errors
    /// When the host cannot be reached or the exchange breaks off before the head of an answer.
    pub async fn send(&self, mut request: Request<Full<Bytes>>) -> Result<Response<Incoming>, DemoError> {
        let host = request.uri().host().unwrap_or_default().to_owned();
        let port = request.uri().port_u16().unwrap_or(443);
        let stream = tls(self.proxy.connect(&host, port).await?, &host, &self.tls).await?;
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "demo agent: connection ended");
            }
        });
        let path = request.uri().path_and_query().map_or("/", |p| p.as_str()).to_owned();
        request.headers_mut().insert(header::HOST, host.parse().map_err(http::Error::from)?);
        *request.uri_mut() = path.parse().map_err(http::Error::from)?;
        Ok(sender.send_request(request).await?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proxy_address_is_taken_apart_and_its_password_is_never_shown() {
        let address = ProxyAddress::parse("http://ses_1:pa:ss@127.0.0.1:4711/").unwrap();
        assert_eq!(address.place(), "127.0.0.1:4711");
        assert_eq!(address.authorization().unwrap(), format!("Basic {}", BASE64_STANDARD.encode("ses_1:pa:ss")));
        assert!(!format!("{address:?}").contains("pa:ss"));
        for bad in ["", "127.0.0.1:1", "socks5://u:secret@h:1", "http://u:secret@h", "http://u:secret@:1"] {
            let error = ProxyAddress::parse(bad).unwrap_err().to_string();
            assert!(!error.contains("secret"), "{error}");
        }
    }

    #[test]
    fn an_ungoverned_environment_is_an_error_that_says_what_to_do() {
        let error = Network::from_environment(&|_| None).unwrap_err();
        assert!(error.to_string().contains("reeve run"), "{error}");
    }
}
