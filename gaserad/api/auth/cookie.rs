//! What a browser shows in place of a token: a cookie that the daemon signed.
//!
//! It names a token and when it ends, and is signed with a key of the daemon together with the token's hash: it outlives
//! a restart of the daemon, and not the token. One that was logged out is refused until it has ended.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use hmac::{Hmac, KeyInit, Mac};
use http::{HeaderMap, HeaderValue, header};
use sha2::Sha256;

use super::tokens::{Token, Tokens, hex};
use crate::domain::Utc;

pub const NAME: &str = "gaserad";
/// How long a browser stays logged in.
pub const LASTS: Duration = Duration::from_secs(12 * 3600);
/// Those logged out that are remembered; only who has a token can add one.
const REMEMBERED: usize = 4096;

pub type Key = [u8; 32];

/// Makes cookies and knows them again.
pub struct Cookies {
    key: Key,
    /// Signatures of cookies that were logged out, by when they end.
    over: Mutex<BTreeSet<(i64, String)>>,
}

impl Cookies {
    pub const fn new(key: Key) -> Self {
        Self { key, over: Mutex::new(BTreeSet::new()) }
    }

    /// The value of a cookie for who has `token`.
    pub fn make(&self, token: &Token, now: Utc) -> String {
        let ends = seconds(now).saturating_add(i64::try_from(LASTS.as_secs()).unwrap_or(i64::MAX));
        format!("{}:{ends}:{}", token.name, self.sign(token, ends))
    }

    fn mac(&self, token: &Token, ends: i64) -> Option<Hmac<Sha256>> {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.key).ok()?;
        mac.update(token.hash());
        mac.update(token.name.as_bytes());
        mac.update(token.role.word().as_bytes());
        mac.update(&ends.to_be_bytes());
        Some(mac)
    }

    fn sign(&self, token: &Token, ends: i64) -> String {
        self.mac(token, ends).map_or_else(String::new, |mac| hex(&mac.finalize().into_bytes()))
    }

    /// Whose cookie it is, if it is one, has not ended and was not logged out.
    pub fn find<'a>(&self, tokens: &'a Tokens, value: &str, now: Utc) -> Option<&'a Token> {
        let (token, ends, signature) = self.read(tokens, value)?;
        let over = self.over.lock().unwrap_or_else(PoisonError::into_inner);
        (ends > seconds(now) && !over.contains(&(ends, signature.to_owned()))).then_some(token)
    }

    fn read<'a, 'b>(&self, tokens: &'a Tokens, value: &'b str) -> Option<(&'a Token, i64, &'b str)> {
        let mut parts = value.split(':');
        let (name, ends, signature) = (parts.next()?, parts.next()?.parse().ok()?, parts.next()?);
        let token = tokens.named(name)?;
        let bytes = unhex(signature)?;
        // Compares in constant time.
        self.mac(token, ends)?.verify_slice(&bytes).ok()?;
        parts.next().is_none().then_some((token, ends, signature))
    }

    /// Forgets a cookie before it ends.
    pub fn end(&self, tokens: &Tokens, value: &str, now: Utc) {
        let Some((_, ends, signature)) = self.read(tokens, value) else { return };
        let mut over = self.over.lock().unwrap_or_else(PoisonError::into_inner);
        *over = over.split_off(&(seconds(now), String::new()));
        if over.len() >= REMEMBERED {
            over.pop_first();
        }
        over.insert((ends, signature.to_owned()));
    }
}

const fn seconds(at: Utc) -> i64 {
    at.as_micros() / 1_000_000
}

/// Signatures are written in one way only, so that one logged out cannot be written in another.
fn unhex(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    if text.len() != 64 || !text.bytes().all(digit) {
        return None;
    }
    (0..32).map(|at| u8::from_str_radix(text.get(2 * at..2 * at + 2)?, 16).ok()).collect()
}

/// The value that a browser sent.
pub fn shown(headers: &HeaderMap) -> Option<&str> {
    let all = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let pairs = all.flat_map(|value| value.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.filter(|(name, _)| *name == NAME).map(|(_, value)| value).next()
}

/// Sets the cookie, or with an empty `value` takes it back.
pub fn set(value: &str, secure: bool) -> Option<HeaderValue> {
    let age = if value.is_empty() { 0 } else { LASTS.as_secs() };
    let secure = if secure { "; Secure" } else { "" };
    HeaderValue::try_from(format!("{NAME}={value}; Path=/; Max-Age={age}; HttpOnly; SameSite=Strict{secure}")).ok()
}

#[cfg(test)]
mod tests {
    use super::super::role::Role;
    use super::*;

    const NOW: Utc = Utc::from_micros(1_768_464_192_000_000);

    fn after(seconds: i64) -> Utc {
        Utc::from_micros(NOW.as_micros() + seconds * 1_000_000)
    }

    fn tokens(token: &str) -> Tokens {
        Tokens::parse(&Token::line(Role::Operator, "ada", token)).unwrap()
    }

    #[test]
    fn a_cookie_stands_for_its_token_until_it_ends() {
        let (cookies, tokens) = (Cookies::new([7; 32]), tokens("x"));
        let value = cookies.make(tokens.named("ada").unwrap(), NOW);
        assert_eq!(cookies.find(&tokens, &value, after(12 * 3600 - 1)).unwrap().name, "ada");
        assert_eq!(cookies.find(&tokens, &value, after(12 * 3600)), None);
        let restarted = Cookies::new([7; 32]);
        assert!(restarted.find(&tokens, &value, NOW).is_some());
    }

    #[test]
    fn a_cookie_is_worth_nothing_when_it_was_changed_or_its_token_was() {
        let (cookies, known) = (Cookies::new([7; 32]), tokens("x"));
        let value = cookies.make(known.named("ada").unwrap(), NOW);
        for wrong in [
            value.to_uppercase().replace("ADA", "ada"),
            value.replace(":1768", ":1769"),
            value.replace("ada", "bob"),
            format!("{value}:"),
            value[..value.len() - 1].to_owned(),
            String::new(),
        ] {
            assert_eq!(cookies.find(&known, &wrong, NOW), None, "{wrong}");
        }
        assert_eq!(cookies.find(&tokens("new"), &value, NOW), None);
        assert_eq!(Cookies::new([8; 32]).find(&known, &value, NOW), None);
        let viewer = Tokens::parse(&Token::line(Role::Viewer, "ada", "x")).unwrap();
        assert_eq!(cookies.find(&viewer, &value, NOW), None);
    }

    #[test]
    fn one_that_was_logged_out_is_over() {
        let (cookies, tokens) = (Cookies::new([7; 32]), tokens("x"));
        let token = tokens.named("ada").unwrap();
        let (first, second) = (cookies.make(token, NOW), cookies.make(token, after(1)));
        cookies.end(&tokens, &first, NOW);
        cookies.end(&tokens, "nonsense", NOW);
        assert_eq!(cookies.find(&tokens, &first, NOW), None);
        assert!(cookies.find(&tokens, &second, NOW).is_some());
        for at in 0..10_000 {
            cookies.end(&tokens, &cookies.make(token, after(at)), after(at));
        }
        assert!(cookies.over.lock().unwrap().len() <= REMEMBERED);
    }

    #[test]
    fn browsers_keep_it_from_scripts_and_from_other_sites() {
        let text = |value, secure| set(value, secure).unwrap().to_str().unwrap().to_owned();
        assert_eq!(text("a", true), "gaserad=a; Path=/; Max-Age=43200; HttpOnly; SameSite=Strict; Secure");
        assert_eq!(text("", false), "gaserad=; Path=/; Max-Age=0; HttpOnly; SameSite=Strict");
        let mut headers = HeaderMap::new();
        headers.append(header::COOKIE, "theme=dark; gaserad=v:1:2; gaserad_x=1".parse().unwrap());
        assert_eq!(shown(&headers), Some("v:1:2"));
    }
}
