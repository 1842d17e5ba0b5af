//! The least that speaks HTTP/1.1, for the tour and the tests.

use std::io::{Error, Result};
use std::net::SocketAddr;

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// A client of the service, signed in or not.
#[derive(Clone)]
pub struct Client {
    address: SocketAddr,
    token: Option<String>,
}

/// What came back.
#[derive(Debug)]
pub struct Reply {
    pub status: u16,
    pub etag: Option<String>,
    pub body: Value,
}

impl Client {
    pub fn new(address: SocketAddr) -> Self {
        Self { address, token: None }
    }

    /// Signs in; the client as it is where that fails.
    ///
    /// # Errors
    /// Those of the connection.
    pub async fn sign_in(&self, email: &str, password: &str) -> Result<Self> {
        let body = serde_json::json!({ "email": email, "password": password });
        let reply = self.send("POST", "/login", None, Some(&body)).await?;
        Ok(Self {
            token: reply.body["token"].as_str().map(str::to_owned),
            ..self.clone()
        })
    }

    /// What it shows to be let in, if it is signed in.
    pub fn token(&self) -> Option<&str> {
        self.token.as_deref()
    }

    /// # Errors
    /// Those of the connection.
    pub async fn get(&self, path: &str) -> Result<Reply> {
        self.send("GET", path, None, None).await
    }

    /// # Errors
    /// Those of the connection.
    pub async fn post(&self, path: &str, body: &Value) -> Result<Reply> {
        self.send("POST", path, None, Some(body)).await
    }

    /// # Errors
    /// Those of the connection.
    pub async fn send(
        &self,
        method: &str,
        path: &str,
        if_match: Option<&str>,
        body: Option<&Value>,
    ) -> Result<Reply> {
        let body = body.map(Value::to_string).unwrap_or_default();
        let mut head = format!(
            "{method} {path} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n",
            self.address
        );
        head += &format!(
            "content-type: application/json\r\ncontent-length: {}\r\n",
            body.len()
        );
        for (name, value) in [
            ("if-match", if_match.map(str::to_owned)),
            ("authorization", self.bearer()),
        ] {
            head += &value
                .map(|value| format!("{name}: {value}\r\n"))
                .unwrap_or_default();
        }
        let mut stream = TcpStream::connect(self.address).await?;
        stream.write_all(format!("{head}\r\n{body}").as_bytes()).await?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await?;
        let (head, body) = answer
            .split_once("\r\n\r\n")
            .ok_or_else(|| Error::other("no HTTP"))?;
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
        let etag = head.lines().find_map(|line| line.strip_prefix("etag: "));
        Ok(Reply {
            status: status.ok_or_else(|| Error::other("no status"))?,
            etag: etag.map(str::to_owned),
            body: serde_json::from_str(body).unwrap_or_default(),
        })
    }

    fn bearer(&self) -> Option<String> {
        self.token.as_ref().map(|token| format!("Bearer {token}"))
    }
}
