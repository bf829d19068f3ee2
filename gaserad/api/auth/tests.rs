//! Who is let in, by every way.

use http::{Request, StatusCode};

use super::*;

const DAY: Time = Time { utc: Utc::from_micros(1_768_464_192_000_000), elapsed: Duration::from_secs(1000) };

fn at(peer: &str, local: &str, secure: bool) -> Link {
    let address = |host: &str| SocketAddr::new(host.parse().unwrap(), 5001);
    Link::Tcp { peer: address(peer), local: address(local), secure }
}

fn home() -> Link {
    at("127.0.0.1", "127.0.0.1", false)
}

fn lab() -> Link {
    at("192.168.0.9", "192.168.0.5", true)
}

fn access() -> Access {
    let lines = [Token::line(Role::Operator, "ada", "chief"), Token::line(Role::Viewer, "screen", "wall")];
    let names =
        Names { hosts: vec!["lab-pc.example.org".into()], origins: vec!["https://dashboard.example.org".into()] };
    Access { tokens: Tokens::parse(&lines.join("\n")).unwrap(), names, ..Access::local() }
}

fn parts(method: &str, path: &str, headers: &[(&str, &str)]) -> Parts {
    let request = headers
        .iter()
        .fold(Request::builder().method(method).uri(path), |request, (name, value)| request.header(*name, *value));
    request.body(()).unwrap().into_parts().0
}

/// The role, or the reason.
fn judged(access: &Access, link: &Link, needs: Needs, parts: &Parts) -> Result<Option<Role>, &'static str> {
    access.judge(link, parts, needs, DAY).map(|allowed| allowed.caller.role).map_err(|refusal| refusal.reason)
}

fn get(headers: &[(&str, &str)]) -> Parts {
    let host = ("host", "192.168.0.5:5001");
    parts("GET", "/status", &[headers, &[host]].concat())
}

#[test]
fn this_machine_is_trusted_unless_the_settings_say_otherwise() {
    let mut access = access();
    let here = parts("POST", "/events/test", &[("host", "localhost:5001")]);
    assert_eq!(judged(&access, &home(), Needs::Operator, &here), Ok(Some(Role::Operator)));
    access.loopback_open = false;
    assert_eq!(judged(&access, &home(), Needs::Viewer, &here), Err("TOKEN_MISSING"));
    assert_eq!(judged(&access, &home(), Needs::Nothing, &here), Ok(None));
    let shown = parts("POST", "/x", &[("host", "localhost"), ("authorization", "bearer chief")]);
    assert_eq!(judged(&access, &home(), Needs::Operator, &shown), Ok(Some(Role::Operator)));
}

#[test]
fn what_a_proxy_passes_on_is_not_from_this_machine() {
    for header in FORWARDED {
        let request = parts("GET", "/status", &[("host", "127.0.0.1"), (header, "192.168.0.77")]);
        assert_eq!(judged(&access(), &home(), Needs::Viewer, &request), Err("TOKEN_MISSING"), "{header}");
    }
    let from_afar = at("192.168.0.9", "127.0.0.1", false);
    assert_eq!(judged(&access(), &from_afar, Needs::Viewer, &parts("GET", "/", &[("host", "127.0.0.1")])), {
        Err("TOKEN_MISSING")
    });
}

#[test]
fn others_show_a_token_and_get_its_role() {
    let access = access();
    let shown = |text: &str, needs| judged(&access, &lab(), needs, &get(&[("authorization", text)]));
    assert_eq!(judged(&access, &lab(), Needs::Viewer, &get(&[])), Err("TOKEN_MISSING"));
    assert_eq!(shown("Bearer chief", Needs::Operator), Ok(Some(Role::Operator)));
    assert_eq!(shown("Bearer wall", Needs::Viewer), Ok(Some(Role::Viewer)));
    assert_eq!(shown("Bearer wall", Needs::Operator), Err("NOT_PERMITTED"));
    for wrong in ["Bearer Chief", "Bearer", "Basic Y2hpZWY6", "Bearer chief,", ""] {
        assert_eq!(shown(wrong, Needs::Viewer), Err("TOKEN_WRONG"), "{wrong}");
    }
    let caller = access.judge(&lab(), &get(&[("authorization", "Bearer wall")]), Needs::Viewer, DAY).unwrap().caller;
    assert_eq!(caller.to_string(), "token screen from 192.168.0.9:5001");
    // A token at home is heeded too, so that a viewer's one does not operate.
    let home_parts = parts("GET", "/", &[("host", "localhost"), ("authorization", "Bearer wall")]);
    assert_eq!(judged(&access, &home(), Needs::Operator, &home_parts), Err("NOT_PERMITTED"));
    assert_eq!(judged(&Access::local(), &home(), Needs::Operator, &home_parts), Ok(Some(Role::Operator)));
}

#[test]
fn a_browser_shows_its_cookie() {
    let access = access();
    let token = access.tokens.named("screen").unwrap();
    let value = format!("a=b; gaserad={}", access.cookies.make(token, DAY.utc));
    assert_eq!(judged(&access, &lab(), Needs::Viewer, &get(&[("cookie", &value)])), Ok(Some(Role::Viewer)));
    assert_eq!(judged(&access, &lab(), Needs::Viewer, &get(&[("cookie", "gaserad=x:1:2")])), Err("TOKEN_MISSING"));
}

#[test]
fn many_wrong_tokens_are_not_looked_at() {
    let access = access();
    let wrong = get(&[("authorization", "Bearer guess")]);
    let told: Vec<_> = (0..1000).map(|_| judged(&access, &lab(), Needs::Viewer, &wrong).unwrap_err()).collect();
    assert_eq!(told.iter().filter(|reason| **reason == "TOKEN_WRONG").count(), 20);
    let right = get(&[("authorization", "Bearer chief")]);
    assert_eq!(judged(&access, &lab(), Needs::Viewer, &right), Err("TOO_OFTEN"));
    let other = at("192.168.0.10", "192.168.0.5", true);
    assert_eq!(judged(&access, &other, Needs::Viewer, &right), Ok(Some(Role::Operator)));
    let later = Time { elapsed: DAY.elapsed + Duration::from_secs(1), ..DAY };
    assert!(access.judge(&lab(), &right, Needs::Viewer, later).is_ok());
}

#[test]
fn orders_and_connections_of_one_peer_are_bounded() {
    let access = access();
    let order = get(&[("authorization", "Bearer chief")]);
    let granted = (0..1000).filter(|_| judged(&access, &lab(), Needs::Operator, &order).is_ok()).count();
    assert_eq!(granted, 30);
    assert!(judged(&access, &lab(), Needs::Viewer, &order).is_ok());
    assert_eq!((0..1000).filter(|_| access.connect(&lab(), DAY).is_ok()).count(), 100);
    assert!((0..1000).all(|_| access.connect(&home(), DAY).is_ok()));
}

#[test]
fn users_of_the_socket_have_the_roles_that_they_are_given() {
    let socket = |uid| Link::Socket { uid, gid: uid };
    let request = parts("GET", "/status", &[("host", "anything")]);
    let roles =
        |access: &Access| [0, 1000, 1001, 1002].map(|uid| judged(access, &socket(uid), Needs::Viewer, &request));
    let (operator, viewer) = (Ok(Some(Role::Operator)), Ok(Some(Role::Viewer)));
    let some = |uid: u32| Some(Directory::default().find(&[uid.to_string()]).unwrap());
    assert_eq!(roles(&Access::local()), [operator; 4]);
    let operators = Access { operators: some(1000), ..Access::local() };
    assert_eq!(roles(&operators), [operator, operator, viewer, viewer]);
    let both = Access { viewers: some(1001), own_uid: 1002, ..operators };
    assert_eq!(roles(&both), [operator, operator, viewer, operator]);
    assert_eq!(judged(&both, &socket(7), Needs::Viewer, &request), Err("NOT_PERMITTED"));
    let refusal = both.judge(&socket(1001), &request, Needs::Operator, DAY).unwrap_err();
    assert_eq!(refusal.sentence, "this needs the role operator, and user 1001 has the role viewer");
}

#[test]
fn only_our_own_names_are_answered_for() {
    let access = access();
    let host = |link: &Link, host: &str| judged(&access, link, Needs::Nothing, &parts("GET", "/", &[("host", host)]));
    for ours in ["localhost", "LOCALHOST:5001", "127.0.0.1:80", "[::1]:5001", "[::1]", "lab-pc.example.org:443"] {
        assert!(host(&home(), ours).is_ok(), "{ours}");
    }
    assert!(host(&lab(), "192.168.0.5:5001").is_ok());
    for foreign in
        ["", "evil.example", "localhost.evil.example", "127.0.0.1.nip.io", "localhost:x", "[::2]:80", "192.168.0.5"]
    {
        assert_eq!(host(&home(), foreign), Err("HOST_FORBIDDEN"), "{foreign}");
    }
}

#[test]
fn only_our_own_pages_and_listed_ones_may_ask() {
    let access = access();
    let origin = |method: &str, origin: &str| {
        let request = parts(method, "/events", &[("host", "localhost:5001"), ("origin", origin)]);
        access.judge(&home(), &request, Needs::Viewer, DAY).map(|allowed| allowed.origin).map_err(|no| no.reason)
    };
    for method in ["GET", "POST"] {
        assert_eq!(origin(method, "http://localhost:5001"), Ok(None));
        let listed = "https://dashboard.example.org";
        assert_eq!(origin(method, listed), Ok(Some(HeaderValue::from_static(listed))));
        for foreign in ["null", "http://localhost", "https://localhost:5001", "http://evil.example", "*", ""] {
            assert_eq!(origin(method, foreign), Err("ORIGIN_FORBIDDEN"), "{foreign}");
        }
    }
    let image = [("host", "localhost"), ("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "no-cors")];
    assert_eq!(judged(&access, &home(), Needs::Viewer, &parts("GET", "/events", &image)), Err("ORIGIN_FORBIDDEN"));
    let visit = [("host", "localhost"), ("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "navigate")];
    assert!(judged(&access, &home(), Needs::Viewer, &parts("GET", "/", &visit)).is_ok());
    assert_eq!(judged(&access, &home(), Needs::Viewer, &parts("POST", "/", &visit)), Err("ORIGIN_FORBIDDEN"));
}

#[test]
fn a_listed_page_may_read_and_nobody_may_read_everything() {
    let origin = HeaderValue::from_static("https://dashboard.example.org");
    let mut answer = preflight();
    dress(answer.headers_mut(), Some(&origin));
    let header = |name: &str| answer.headers()[name].to_str().unwrap();
    assert_eq!(answer.status(), StatusCode::NO_CONTENT);
    assert_eq!(header("access-control-allow-origin"), "https://dashboard.example.org");
    assert_eq!((header("access-control-allow-credentials"), header("vary")), ("true", "origin"));
    assert!(header("access-control-allow-headers").contains("authorization"));
    let mut plain = http::HeaderMap::new();
    dress(&mut plain, None);
    assert!(!plain.keys().any(|name| name.as_str().starts_with("access-control")));
    assert_eq!(plain["cross-origin-resource-policy"], "same-origin");
    assert_eq!(plain["x-content-type-options"], "nosniff");
}

#[test]
fn tokens_in_addresses_and_absurd_requests_are_refused() {
    let access = access();
    let ask = |method: &str, path: &str, headers: &[(&str, &str)]| {
        judged(&access, &home(), Needs::Viewer, &parts(method, path, &[headers, &[("host", "localhost")]].concat()))
    };
    assert_eq!(ask("GET", "/events?types=x&Token=chief", &[]), Err("TOKEN_IN_ADDRESS"));
    assert_eq!(ask("GET", "/events?access_token", &[]), Err("TOKEN_IN_ADDRESS"));
    assert_eq!(ask("POST", "/login", &[("content-length", "99999999999")]), Err("TOO_LARGE"));
    assert_eq!(ask("TRACE", "/", &[]), Err("METHOD_NOT_ALLOWED"));
    assert!(ask("GET", "/events?types=token", &[]).is_ok());
}
