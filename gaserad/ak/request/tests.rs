use proptest::prelude::*;

use super::*;
use crate::ak::Decoder;

fn received(bytes: &[u8]) -> Option<AkRequest> {
    let mut decoder = Decoder::default();
    decoder.push(bytes);
    AkRequest::parse(&decoder.next_frame()?)
}

fn typed(code: &str, data: &str) -> Result<Command, String> {
    Command::read(&AkLine { code: code.into(), data: data.into() })
}

fn any_bare() -> impl Strategy<Value = Command> {
    prop::sample::select(vec![
        Command::State,
        Command::Phase,
        Command::Iteration,
        Command::Errors,
        Command::Results,
        Command::Stop,
        Command::Tasks,
        Command::Clock,
        Command::Identity,
        Command::Name,
        Command::Network,
        Command::SystemParameters,
        Command::Inlets,
        Command::SelfTest,
        Command::SelfTestResult,
        Command::Reboot,
    ])
}

fn any_network() -> impl Strategy<Value = Network> {
    let part = || prop::option::of(any::<Ipv4Addr>()).prop_map(|part| part.map_or(String::new(), |it| it.to_string()));
    (any::<bool>(), part(), part(), part()).prop_map(|(dhcp, address, netmask, gateway)| Network {
        dhcp,
        address,
        netmask,
        gateway,
    })
}

fn any_layout() -> impl Strategy<Value = Layout> {
    any::<(bool, bool, bool, Option<bool>)>().prop_map(|(time, cas, concentration, inlet)| Layout {
        time,
        cas,
        concentration,
        inlet,
    })
}

fn any_command() -> impl Strategy<Value = Command> {
    let text = || "[!-~]{1,12}( [!-~]{1,9}){0,3}";
    prop_oneof![
        any_bare(),
        any_layout().prop_map(Command::Layout),
        any::<bool>().prop_map(Command::Online),
        any::<u32>().prop_map(Command::Tuning),
        any::<u32>().prop_map(|task| Command::Start { task }),
        any::<u32>().prop_map(|task| Command::TaskParameters { task }),
        text().prop_map(Command::StartByName),
        text().prop_map(Command::Parameter),
        prop::collection::vec("[1-9][0-9]{1,6}-[0-9]{2}-[0-9]", 1..6)
            .prop_map(|gases| Command::Order(gases.into_iter().map(Cas).collect())),
        any_network().prop_map(Command::SetNetwork),
        ("[AS]X[A-Z]{2}", text()).prop_map(|(code, data)| Command::Raw(AkLine { code, data })),
    ]
}

#[test]
fn a_request_without_a_channel_is_none() {
    for bytes in [b"\x02 ASTS \x03".as_slice(), b"\x02 ASTS X0 \x03", b"\x02 ASTS K \x03", b"\x02 AS K0 \x03"] {
        assert_eq!(received(bytes), None);
    }
    let request = received(b"\x020STAT  K12\r\nSoil 2024 \x03").unwrap();
    assert_eq!((request.code.as_str(), request.channel.as_str(), request.data.as_str()), ("STAT", "K12", "Soil 2024"));
    assert_eq!(Command::of(&request), Some(Command::StartByName("Soil 2024".into())));
}

#[test]
fn people_may_type_small_letters_and_commas() {
    assert_eq!(typed("asts", ""), Ok(Command::State));
    assert_eq!(typed(" Stam", " 11 "), Ok(Command::Start { task: 11 }));
    let order = Command::Order(vec![Cas("74-82-8".into()), Cas("124-38-9".into())]);
    assert_eq!(typed("scor", "74-82-8, 124-38-9"), Ok(order));
    assert_eq!(typed("scon", "1 1 1 0"), Ok(Command::Layout(Layout { inlet: Some(false), ..Layout::PLAIN })));
    let raw = Command::Raw(AkLine { code: "AXYZ".into(), data: "1 two".into() });
    assert_eq!(typed("axyz", "1 two"), Ok(raw));
}

#[test]
fn what_is_wrong_is_told_in_a_sentence() {
    for (code, data, sentence) in [
        ("AST", "", "\"AST\" is no AK command: a command has four letters, like ASTS"),
        ("ÄSTS", "", "\"ÄSTS\" is no AK command: a command has four letters, like ASTS"),
        ("asts", "5", "ASTS takes no data; \"5\" was given"),
        ("STAM", "DEFAULT", "STAM takes the id of a task, like 11; \"DEFAULT\" was given"),
        ("STAM", "-1", "STAM takes the id of a task, like 11; \"-1\" was given"),
        ("STAT", " ", "STAT takes the name of a task, like DEFAULT; nothing was given"),
        ("SCOR", "CH4", "SCOR takes the CAS numbers of gases, like 74-82-8 124-38-9; \"CH4\" was given"),
        ("APAR", "A\u{3}B", "the data of APAR hold a control character; write them on one line"),
    ] {
        assert_eq!(typed(code, data), Err(sentence.to_owned()), "{code} {data}");
    }
}

#[test]
fn data_that_do_not_suit_are_refused() {
    for (code, data) in [
        ("SCON", "1 1"),
        ("SCON", "1 1 2"),
        ("SONL", "yes"),
        ("STUN", ""),
        ("SNET", "1"),
        ("SNET", "0 192.168.0.300 255.255.255.0 192.168.0.1"),
        ("SNET", "2 192.168.0.3 255.255.255.0 192.168.0.1"),
        ("ATSP", "4294967296"),
    ] {
        let sentence = typed(code, data).unwrap_err();
        assert!(sentence.starts_with(&format!("{code} takes ")), "{sentence}");
    }
}

proptest! {
    #[test]
    fn a_command_arrives_as_it_was_sent(command in any_command()) {
        let request = received(&command.encode()).unwrap();
        prop_assert_eq!(request.code.as_str(), command.code());
        prop_assert_eq!(Command::of(&request), Some(command));
    }

    #[test]
    fn a_command_is_understood_as_it_was_typed(command in any_command()) {
        let request = received(&command.encode()).unwrap();
        prop_assert_eq!(typed(&request.code.to_lowercase(), &request.data), Ok(command));
    }
}
