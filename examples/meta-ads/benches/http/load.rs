//! A closed loop of clients: each sends its next request when it has the answer to the last.

use std::io::{Error, Result};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Connections that are open all the time.
pub(crate) const CONNECTIONS: usize = 64;

/// One request: of which connection, and the how manieth of it.
pub(crate) struct Request {
    pub(crate) method: &'static str,
    pub(crate) path: fn(&[String], usize) -> String,
    pub(crate) body: fn(&str, usize) -> String,
    pub(crate) status: &'static str,
}

/// What the requests are about.
#[derive(Clone)]
pub(crate) struct Target {
    pub(crate) address: SocketAddr,
    pub(crate) token: String,
    /// A campaign for each connection.
    pub(crate) campaigns: Vec<String>,
    pub(crate) connection: String,
}

/// Requests per second, answered as they should be.
///
/// # Errors
/// Those of the connections; an answer with another status.
pub(crate) async fn run(target: &Target, request: &'static Request, time: Duration) -> Result<f64> {
    let begin = Instant::now();
    let mut clients = tokio::task::JoinSet::new();
    for number in 0..CONNECTIONS {
        clients.spawn(client(target.clone(), request, number, begin + time));
    }
    let mut answered = 0;
    while let Some(client) = clients.join_next().await {
        answered += client.map_err(Error::other)??;
    }
    Ok(f64::from(answered) / begin.elapsed().as_secs_f64())
}

async fn client(target: Target, request: &'static Request, number: usize, until: Instant) -> Result<u32> {
    let mut stream = TcpStream::connect(target.address).await?;
    stream.set_nodelay(true)?;
    let path = (request.path)(&target.campaigns, number);
    let mut answer = Vec::with_capacity(1 << 16);
    let mut answered = 0;
    while Instant::now() < until {
        let body = (request.body)(&target.connection, answered as usize);
        let text = format!(
            "{} {path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            request.method,
            target.token,
            body.len()
        );
        stream.write_all(text.as_bytes()).await?;
        read(&mut stream, &mut answer).await?;
        if answer.get(9..12) != Some(request.status.as_bytes()) {
            let answer = String::from_utf8_lossy(&answer).into_owned();
            return Err(Error::other(format!("{} {path}: {answer}", request.method)));
        }
        answered += 1;
    }
    Ok(answered)
}

/// One answer, whole.
async fn read(stream: &mut TcpStream, answer: &mut Vec<u8>) -> Result<()> {
    answer.clear();
    let mut whole = None;
    while whole.is_none_or(|length| answer.len() < length) {
        if stream.read_buf(answer).await? == 0 {
            return Err(Error::other("the connection was closed"));
        }
        if whole.is_none() {
            whole = length(answer);
        }
    }
    Ok(())
}

/// How long the answer is, once its head is there.
fn length(answer: &[u8]) -> Option<usize> {
    let head = answer.windows(4).position(|end| end == b"\r\n\r\n")?;
    let text = std::str::from_utf8(&answer[..head]).ok()?;
    let body = text
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "))?;
    Some(head + 4 + body.parse::<usize>().ok()?)
}
