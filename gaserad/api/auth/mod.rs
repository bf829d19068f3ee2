//! Who may ask for what.
//!
//! ```text
//! unix socket       the users who may open it; their number and group are known (SO_PEERCRED)
//! loopback          everybody on this machine, or who shows a token, as the settings say
//! beyond            who shows a token
//! ```
//!
//! [`Access::judge`] decides from the head of a request and from how it came. It reads no body, knows no route, and
//! keeps nothing but counts of what a peer did ([`rate`]) and of connections ([`doors`]).

mod cookie;
mod doors;
mod in_effect;
mod login;
mod origin;
mod rate;
mod refusal;
mod role;
mod shape;
mod tokens;
mod users;

#[cfg(test)]
mod tests;

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use http::request::Parts;
use http::{HeaderValue, header};

pub use cookie::{Cookies, Key, NAME as COOKIE, shown as shown_cookie};
pub use doors::{Counted, Doors, Full, Pass, Seats};
pub use in_effect::AccessInEffect;
pub use login::{LoggedIn, MOST_BODY, login, logout};
pub use origin::{Names, dress, is_preflight, preflight};
pub use rate::{Rate, Rates};
pub use refusal::{Refusal, TOKEN_WRONG, TOO_OFTEN};
pub use role::{Needs, Role};
pub use tokens::{Token, TokenMistake, Tokens, hex, is_name};
pub use users::{Directory, Users};

use crate::domain::{Clock, Tick, Utc};
use rate::{Limited, seconds};
use refusal::{NOT_PERMITTED, TOKEN_MISSING};
use shape::check_shape;

/// When something is judged.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Time {
    pub utc: Utc,
    /// Of the world, from any beginning; nobody sets it.
    pub elapsed: Duration,
}

impl Time {
    pub fn of(clock: &dyn Clock) -> Self {
        let now = clock.now();
        Self { utc: now.utc, elapsed: clock.outside(now.tick.since(Tick::ZERO)) }
    }
}

/// How a connection came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Link {
    /// Over the unix socket, by a user of this machine.
    Socket { uid: u32, gid: u32 },
    /// Over TCP.
    Tcp { peer: SocketAddr, local: SocketAddr, secure: bool },
    /// Over a unix socket whose peer the kernel does not tell.
    Unknown,
}

impl Link {
    /// Both ends are this machine.
    pub fn is_loopback(&self) -> bool {
        match self {
            Self::Tcp { peer, local, .. } => is_loopback(peer.ip()) && is_loopback(local.ip()),
            Self::Socket { .. } | Self::Unknown => true,
        }
    }

    pub fn is_secure(&self) -> bool {
        matches!(self, Self::Tcp { secure: true, .. })
    }

    /// The address of a peer on another machine.
    pub fn stranger(&self) -> Option<IpAddr> {
        match self {
            Self::Tcp { peer, .. } if !self.is_loopback() => Some(peer.ip()),
            _ => None,
        }
    }

    fn peer(&self) -> Option<IpAddr> {
        if let Self::Tcp { peer, .. } = self { Some(peer.ip()) } else { None }
    }
}

pub fn is_loopback(address: IpAddr) -> bool {
    address.to_canonical().is_loopback()
}

/// Who asks, for the audit, and what they may do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    who: String,
    /// The token, the user, or the address of who shows nothing.
    pub identity: String,
    pub role: Option<Role>,
}

impl fmt::Display for Caller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.who)
    }
}

impl Caller {
    pub fn unknown() -> Self {
        Self { who: "unknown".into(), identity: String::new(), role: None }
    }

    /// By the name that they give themselves, and by what the connection tells of them.
    pub fn named(&self, operator: &str) -> String {
        if operator.is_empty() { self.to_string() } else { format!("{operator} ({self})") }
    }
}

/// Someone who is let in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Allowed {
    pub caller: Caller,
    /// A foreign page that may read the answer.
    pub origin: Option<HeaderValue>,
}

/// How often one peer may do what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RateLimits {
    pub connects: Rate,
    pub controls: Rate,
    pub wrong_tokens: Rate,
    /// Calls that change something, from this machine.
    pub controls_at_home: Rate,
}

impl Default for RateLimits {
    fn default() -> Self {
        Self {
            connects: Rate::per_second(20),
            controls: Rate::per_second(6),
            wrong_tokens: Rate::new(Duration::from_secs(1), 20),
            controls_at_home: Rate::per_second(200),
        }
    }
}

/// Who may do what, as the settings say.
pub struct Access {
    pub tokens: Tokens,
    pub cookies: Arc<Cookies>,
    /// Everybody on the loopback interface may do everything.
    pub loopback_open: bool,
    /// Who on the unix socket operates, if not everybody.
    pub operators: Option<Users>,
    /// Who else on the unix socket may read, if not everybody.
    pub viewers: Option<Users>,
    /// The user that the daemon runs as.
    pub own_uid: u32,
    pub directory: Directory,
    pub names: Names,
    pub limits: RateLimits,
    pub rates: Arc<Rates>,
    /// For each listener.
    pub seats: Seats,
    /// How long a connection may take to ask for something, or for the next thing.
    pub head_within: Duration,
}

/// A proxy says by these that the peer is another than it seems.
const FORWARDED: [&str; 4] = ["forwarded", "x-forwarded-for", "x-real-ip", "via"];

impl Access {
    /// Only this machine's users, without tokens.
    pub fn local() -> Self {
        Self {
            tokens: Tokens::default(),
            cookies: Arc::new(Cookies::new([0; 32])),
            loopback_open: true,
            operators: None,
            viewers: None,
            own_uid: 0,
            directory: Directory::default(),
            names: Names::default(),
            limits: RateLimits::default(),
            rates: Arc::default(),
            seats: Seats { waiting: 2000, seated: 1000, per_peer: 64 },
            head_within: Duration::from_secs(10),
        }
    }

    /// Whether a request that needs so much may be answered.
    pub fn judge(&self, link: &Link, parts: &Parts, needs: Needs, now: Time) -> Result<Allowed, Refusal> {
        let origin = self.check_browser(link, parts)?;
        match self.admit(link, parts, needs, now) {
            Ok(caller) => Ok(Allowed { caller, origin }),
            Err(refusal) => Err(Refusal { origin, ..refusal }),
        }
    }

    fn admit(&self, link: &Link, parts: &Parts, needs: Needs, now: Time) -> Result<Caller, Refusal> {
        check_shape(parts)?;
        if is_preflight(parts) {
            return Ok(Caller::unknown());
        }
        if needs == Needs::Operator {
            self.count_control(link, now)?;
        }
        let caller = self.identify(link, parts, needs, now)?;
        if needs.role() > caller.role {
            return Err(refuse_role(&caller, needs));
        }
        Ok(caller)
    }

    /// Whether another refusal is worth keeping: their number is bounded, whoever sends how many.
    pub fn is_kept(&self, refusal: &Refusal, now: Time) -> bool {
        let (what, rate) = match refusal.reason {
            NOT_PERMITTED => (Limited::Refused, Rate::per_second(1)),
            _ => (Limited::RefusedStranger, Rate::new(Duration::from_secs(60), 50)),
        };
        self.rates.count(IpAddr::from([0; 4]), what, rate, now.elapsed).is_ok()
    }

    /// Whether somebody gets further with a token.
    pub fn asks_for_token(&self, caller: &Caller) -> bool {
        !self.tokens.is_empty() && caller.role != Some(Role::Operator)
    }

    /// Whether a cookie of the request stands for a token: there is something to log out of.
    pub fn is_logged_in(&self, parts: &Parts, now: Time) -> bool {
        cookie::shown(&parts.headers).is_some_and(|value| self.cookies.find(&self.tokens, value, now.utc).is_some())
    }

    /// What somebody is called who could not be told.
    pub fn who(&self, link: &Link) -> String {
        self.name(link)
    }

    /// Counts a connection.
    pub fn connect(&self, link: &Link, now: Time) -> Result<(), Refusal> {
        let Some(peer) = link.stranger() else { return Ok(()) };
        self.rates.count(peer, Limited::Connect, self.limits.connects, now.elapsed).map_err(|wait| {
            Refusal::too_often("this peer connects too often; keep a connection open instead", seconds(wait))
        })
    }

    fn check_browser(&self, link: &Link, parts: &Parts) -> Result<Option<HeaderValue>, Refusal> {
        let Link::Tcp { local, secure, .. } = link else { return Ok(None) };
        self.names.check_host(parts, *local)?;
        self.names.check_origin(parts, *secure)
    }

    fn identify(&self, link: &Link, parts: &Parts, needs: Needs, now: Time) -> Result<Caller, Refusal> {
        match self.by_token(link, parts, now) {
            Ok(Some(token)) => {
                let peer = self.name(link);
                let identity = format!("token {}", token.name);
                return Ok(Caller { who: format!("{identity} from {peer}"), identity, role: Some(token.role) });
            }
            Err(refusal) if needs != Needs::Nothing => return Err(refusal),
            _ => {}
        }
        let role = self.by_place(link, parts);
        if role.is_none() && needs != Needs::Nothing {
            return Err(self.unknown(link));
        }
        let identity = link.peer().map_or_else(|| self.name(link), |peer| peer.to_string());
        Ok(Caller { who: self.name(link), identity, role })
    }

    /// The token that is shown in the head, or that a cookie stands for.
    fn by_token(&self, link: &Link, parts: &Parts, now: Time) -> Result<Option<&Token>, Refusal> {
        if self.tokens.is_empty() {
            return Ok(None);
        }
        if let Some(shown) = parts.headers.get(header::AUTHORIZATION) {
            let shown = shown.to_str().ok().and_then(|text| text.split_once(' '));
            let Some((_, token)) = shown.filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer")) else {
                return Err(Refusal::stranger(TOKEN_WRONG, "a token is shown as \"Authorization: Bearer TOKEN\""));
            };
            return self.check_token(link, token.trim(), now).map(Some);
        }
        // A browser sends an old cookie by itself; it stands for nobody.
        Ok(cookie::shown(&parts.headers).and_then(|value| self.cookies.find(&self.tokens, value, now.utc)))
    }

    /// The token, or a refusal that counts: who tries many is not heard for a while.
    pub fn check_token(&self, link: &Link, shown: &str, now: Time) -> Result<&Token, Refusal> {
        let (peer, rate) = (link.peer(), self.limits.wrong_tokens);
        let too_often = |wait| {
            let sentence = "too many wrong tokens came from this peer; none is looked at for a while";
            Refusal::too_often(sentence, seconds(wait))
        };
        if let Some(peer) = peer {
            self.rates.check(peer, Limited::WrongToken, rate, now.elapsed).map_err(too_often)?;
        }
        self.tokens.find(shown).ok_or_else(|| {
            // Whether it is allowed has been asked above.
            let _ = peer.map(|peer| self.rates.count(peer, Limited::WrongToken, rate, now.elapsed));
            let sentence = "this token is not known here; ask whoever keeps gaserad's tokens file for one";
            Refusal::stranger(TOKEN_WRONG, sentence)
        })
    }

    /// What somebody may do because of the way that they came.
    fn by_place(&self, link: &Link, parts: &Parts) -> Option<Role> {
        match link {
            Link::Socket { uid, gid } => self.by_user(*uid, *gid),
            Link::Unknown => (self.operators.is_none() && self.viewers.is_none()).then_some(Role::Operator),
            Link::Tcp { .. } => {
                let forwarded = FORWARDED.iter().any(|name| parts.headers.contains_key(*name));
                (self.loopback_open && link.is_loopback() && !forwarded).then_some(Role::Operator)
            }
        }
    }

    fn by_user(&self, uid: u32, gid: u32) -> Option<Role> {
        let is_master = uid == 0 || uid == self.own_uid;
        let listed = |users: &Option<Users>| users.as_ref().is_none_or(|users| users.has(uid, gid));
        if is_master || listed(&self.operators) {
            return Some(Role::Operator);
        }
        listed(&self.viewers).then_some(Role::Viewer)
    }

    fn unknown(&self, link: &Link) -> Refusal {
        match link {
            Link::Socket { .. } | Link::Unknown => {
                let sentence = format!("{} is not among the users of [auth] operators and viewers", self.name(link));
                Refusal::forbidden(NOT_PERMITTED, sentence)
            }
            Link::Tcp { .. } => Refusal::stranger(
                TOKEN_MISSING,
                "a token is needed here; show it as \"Authorization: Bearer TOKEN\" (gaseractl --token-file), or in a \
                 browser POST it to /login",
            ),
        }
    }

    fn name(&self, link: &Link) -> String {
        match link {
            Link::Socket { uid, .. } => match self.directory.name_of(*uid) {
                Some(name) => format!("user {uid} {name}"),
                None => format!("user {uid}"),
            },
            Link::Tcp { peer, .. } => peer.to_string(),
            Link::Unknown => "unknown".into(),
        }
    }

    fn count_control(&self, link: &Link, now: Time) -> Result<(), Refusal> {
        let Some(peer) = link.peer() else { return Ok(()) };
        let rate = if link.is_loopback() { self.limits.controls_at_home } else { self.limits.controls };
        self.rates.count(peer, Limited::Control, rate, now.elapsed).map_err(|wait| {
            Refusal::too_often("this peer gives too many orders; wait a little between them", seconds(wait))
        })
    }
}

fn refuse_role(caller: &Caller, needs: Needs) -> Refusal {
    let has = caller.role.map_or("nobody", Role::word);
    let role = needs.role().map_or("nobody", Role::word);
    let sentence = format!("this needs the role {role}, and {caller} has the role {has}");
    Refusal::forbidden(NOT_PERMITTED, sentence)
}
