//! The connection of a reader, which goes on counting as one of its peer's.

use std::ops::Deref;

use tokio::net::TcpStream;

use crate::api::auth::Counted;

pub struct Line {
    stream: TcpStream,
    _counted: Option<Counted>,
}

impl Line {
    pub fn new(stream: TcpStream, counted: Option<Counted>) -> Self {
        Self { stream, _counted: counted }
    }
}

impl Deref for Line {
    type Target = TcpStream;

    fn deref(&self) -> &TcpStream {
        &self.stream
    }
}
