//! Tokens, of which only hashes are kept: the file that they are read from opens no door to who reads it.

use std::fmt::Write;

use sha2::{Digest, Sha256};
use subtle::{Choice, ConstantTimeEq};

use super::role::Role;

/// A token is long and random, so a plain hash cannot be turned back.
pub type Hash = [u8; 32];

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    pub role: Role,
    /// For the audit.
    pub name: String,
    hash: Hash,
}

/// A line of the file that is no token.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text}")]
pub struct TokenMistake {
    /// Counted from 1.
    pub line: usize,
    pub text: String,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tokens(Vec<Token>);

pub fn hash(token: &str) -> Hash {
    Sha256::digest(token.as_bytes()).into()
}

/// A hash as the file has it.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn unhex(text: &str) -> Option<Hash> {
    let bytes = text.as_bytes();
    if bytes.len() != 64 || !bytes.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    let mut hash = [0; 32];
    for (byte, digits) in hash.iter_mut().zip(bytes.chunks(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?;
    }
    Some(hash)
}

impl Tokens {
    /// Reads a file of lines like `operator ada 9f86d0…`; `#` begins a comment.
    pub fn parse(text: &str) -> Result<Self, Vec<TokenMistake>> {
        let (mut tokens, mut mistakes) = (Vec::<Token>::new(), Vec::new());
        for (line, text) in (1..).zip(text.lines()) {
            let words: Vec<&str> = text.split('#').next().unwrap_or_default().split_whitespace().collect();
            match read(&words) {
                Ok(None) => {}
                Ok(Some(token)) if tokens.iter().any(|other| other.name == token.name) => {
                    mistakes.push(TokenMistake { line, text: format!("the name {} is there twice", token.name) });
                }
                Ok(Some(token)) => tokens.push(token),
                Err(text) => mistakes.push(TokenMistake { line, text }),
            }
        }
        if mistakes.is_empty() { Ok(Self(tokens)) } else { Err(mistakes) }
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whose token it is. How long that takes does not depend on how much of it is right.
    pub fn find(&self, shown: &str) -> Option<&Token> {
        let shown = hash(shown);
        let mut found = None;
        for token in &self.0 {
            let same: Choice = token.hash.ct_eq(&shown);
            if bool::from(same) {
                found = Some(token);
            }
        }
        found
    }

    pub fn named(&self, name: &str) -> Option<&Token> {
        self.0.iter().find(|token| token.name == name)
    }
}

impl Token {
    /// As a line of the file.
    pub fn line(role: Role, name: &str, token: &str) -> String {
        format!("{role} {name} {}", hex(&hash(token)))
    }

    pub const fn hash(&self) -> &Hash {
        &self.hash
    }
}

/// Whether people can be called so in the file and in cookies.
pub fn is_name(text: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.@".contains(&byte);
    (1..=64).contains(&text.len()) && text.bytes().all(fits)
}

fn read(words: &[&str]) -> Result<Option<Token>, String> {
    match words {
        [] => Ok(None),
        [role, name, hash] => {
            let role = role.parse()?;
            if !is_name(name) {
                return Err(format!("{name:?} is no name; it has up to 64 letters, digits and -_.@"));
            }
            let hash = unhex(hash).ok_or(
                "the third word is not the SHA-256 of a token as 64 hexadecimal digits; `gaserad new-token` makes one",
            )?;
            Ok(Some(Token { role, name: (*name).to_owned(), hash }))
        }
        _ => Err("a line is a role, a name and a hash, like \"operator ada 9f86d0…\"".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens() -> Tokens {
        let lines = [Token::line(Role::Operator, "ada", "s3cret"), Token::line(Role::Viewer, "screen", "other")];
        Tokens::parse(&format!("# who may\n\n{}   # the chief\n{}\n", lines[0], lines[1])).unwrap()
    }

    #[test]
    fn a_token_is_found_by_its_hash_only() {
        let tokens = tokens();
        let found = tokens.find("s3cret").unwrap();
        assert_eq!((found.role, found.name.as_str()), (Role::Operator, "ada"));
        assert_eq!(tokens.find("other").unwrap().role, Role::Viewer);
        for wrong in ["", "s3cre", "s3cret ", "S3cret", &hex(&hash("s3cret")), &"é".repeat(5000)] {
            assert_eq!(tokens.find(wrong), None, "{wrong}");
        }
        assert_eq!(hex(&hash("abc")), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    }

    #[test]
    fn every_line_that_is_no_token_is_named() {
        let line = Token::line(Role::Viewer, "screen", "x");
        let text = format!("{line}\nboss ada {0}\nviewer ada 12\nviewer\n{line}\nviewer a/b {0}", "0".repeat(64));
        let mistakes = Tokens::parse(&text).unwrap_err();
        let told: Vec<(usize, bool)> = mistakes
            .iter()
            .zip(["not a role", "64 hexadecimal", "a role, a name", "there twice", "is no name"])
            .map(|(mistake, part)| (mistake.line, mistake.text.contains(part)))
            .collect();
        assert_eq!(told, [2, 3, 4, 5, 6].map(|line| (line, true)), "{mistakes:?}");
    }
}
