//! Answers: of devices to orders that nobody waits for any more, and to people who all ask the same.

use gasera::domain::{AnalyzerAnswer, Channel, CommandId, Done, Fault, FaultKind, Plan, Position, Sync, Verification};
use gasera::engine::What;

use super::runs::lively;
use crate::support::world::{Manners, World, plan, seconds};

/// What a run waits for, from its beginning to its end.
const WAITS: [&str; 10] = [
    "the valve to reach its home position",
    "the line to settle after the move",
    "the analyzer to start measuring",
    "the end of the purge",
    "the end of the measuring time",
    "a whole gas exchange on this channel",
    "the valve to reach the channel",
    "the last result of the analyzer",
    "the analyzer to become idle",
    "the valve to reach its rest position",
];

fn under_way() -> World {
    let mut world = World::new(Manners { cancelling: seconds(3), ..lively() });
    let mut asked: Plan = plan("1-2", 1, 10, 20, Sync::Analyzer);
    asked.park = Channel::new(9);
    world.start(asked);
    world
}

/// The orders that were answered.
fn answered(world: &World) -> Vec<CommandId> {
    let answered = |what: &What| match what {
        What::AnalyzerDid { id, .. } | What::ValveDid { id, .. } => Some(*id),
        _ => None,
    };
    world.journal.iter().filter_map(|event| answered(&event.what)).collect()
}

/// Whatever a device could answer.
fn answers(id: CommandId) -> Vec<What> {
    let refused = || Fault::new(FaultKind::Refused, "no");
    let elsewhere = Position::At(Channel::new(17).unwrap(), Verification::Readback);
    let analyzer =
        [Ok(AnalyzerAnswer::Started), Ok(AnalyzerAnswer::Looked), Ok(AnalyzerAnswer::Stopped), Err(refused())];
    let valve = [Ok(elsewhere), Err(refused())];
    let analyzer = analyzer.into_iter().map(|answer| What::AnalyzerDid { id, answer });
    analyzer.chain(valve.into_iter().map(|answer| What::ValveDid { id, answer })).collect()
}

#[test]
fn an_answer_to_an_order_that_was_answered_before_changes_nothing() {
    for wait in WAITS {
        let mut world = under_way();
        world.until_waiting_for(wait);
        let (told, status) = (world.effects.len(), world.state.status(world.moment()));
        for what in answered(&world).into_iter().flat_map(answers) {
            let words = format!("while waiting for {wait}: {what:?}");
            world.hand_over(what);
            assert_eq!(world.effects.len(), told, "{words}");
            assert!(world.state.status(world.moment()) == status, "{words}");
        }
    }
}

#[test]
fn everybody_who_aborts_a_run_is_answered_once_it_is_over() {
    let mut world = under_way();
    world.until_waiting_for("the end of the measuring time");
    let asked = [world.abort(), world.abort(), world.abort()];
    assert!(asked.iter().all(|request| world.replies(*request).is_empty()), "it is not over yet");
    world.settle(seconds(100));
    for request in asked {
        let replies = world.replies(request);
        assert!(matches!(&replies[..], [(_, Ok(Done::Run(_)))]), "{replies:?}");
    }
}
