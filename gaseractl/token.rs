//! The token that a daemon beyond this machine asks for. It is read from a file that is ours alone, and never shown.

use std::fmt;
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use http::HeaderValue;

use crate::failure::{Exit, Failure, chain};

/// No token is longer.
const LONGEST: u64 = 4096;

#[derive(Clone)]
pub struct ClientToken(HeaderValue);

impl ClientToken {
    /// Reads a file that holds a token and nothing else; refuses one that others can read, as ssh does.
    pub fn read(path: &Path) -> Result<Self, Failure> {
        let refuse =
            |why: String| Failure::new(Exit::USAGE, format!("cannot use the token in {}: {why}", path.display()));
        let file = std::fs::File::open(path).map_err(|error| refuse(chain(&error)))?;
        let about = file.metadata().map_err(|error| refuse(chain(&error)))?;
        if !about.is_file() {
            return Err(refuse("it is no file".into()));
        }
        let mode = about.permissions().mode() & 0o777;
        if mode & 0o077 != 0 {
            let path = path.display();
            return Err(refuse(format!("others can get at it (its mode is {mode:03o}); run `chmod 600 {path}`")));
        }
        let mut text = String::new();
        file.take(LONGEST).read_to_string(&mut text).map_err(|error| refuse(chain(&error)))?;
        Self::of(text.trim()).map_err(|why| refuse(why.into()))
    }

    fn of(text: &str) -> Result<Self, &'static str> {
        if text.is_empty() {
            return Err("it is empty");
        }
        if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err("a token is one word of letters, digits and signs, alone in its file");
        }
        let header = HeaderValue::try_from(format!("Bearer {text}"));
        let mut header = header.map_err(|_| "it cannot be sent")?;
        header.set_sensitive(true);
        Ok(Self(header))
    }

    /// The value of `Authorization`.
    pub fn header(&self) -> HeaderValue {
        self.0.clone()
    }
}

impl fmt::Debug for ClientToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

#[cfg(test)]
mod tests {
    use std::fs::Permissions;

    use super::*;

    fn written(text: &str, mode: u32) -> Result<ClientToken, Failure> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token");
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
        ClientToken::read(&path)
    }

    #[test]
    fn a_token_is_sent_as_bearer_and_never_shown() {
        for mode in [0o600, 0o400, 0o700] {
            let token = written("s3cret-Token_1.~+/=\n", mode).unwrap();
            assert_eq!(token.header().to_str().unwrap(), "Bearer s3cret-Token_1.~+/=");
            assert!(!format!("{token:?} {:?}", token.header()).contains("s3cret"));
        }
    }

    #[test]
    fn a_file_that_others_can_read_is_refused_with_what_to_do() {
        for mode in [0o640, 0o604, 0o644, 0o660, 0o610] {
            let failure = written("secret", mode).unwrap_err();
            assert_eq!(failure.exit, Exit::USAGE);
            let told = format!("others can get at it (its mode is {mode:03o}); run `chmod 600 ");
            assert!(failure.text.contains(&told), "{failure}");
        }
    }

    #[test]
    fn what_is_no_token_is_refused() {
        for (text, why) in
            [("", "it is empty"), (" \n", "it is empty"), ("a b", "one word"), ("a\nb", "one word"), ("é", "one word")]
        {
            let failure = written(text, 0o600).unwrap_err();
            assert!(failure.text.contains(why), "{failure}");
        }
        let failure = ClientToken::read(Path::new("/nonexistent/token")).unwrap_err();
        assert_eq!(failure.text, "cannot use the token in /nonexistent/token: no such file or directory");
        assert!(ClientToken::read(Path::new("/")).is_err());
    }
}
