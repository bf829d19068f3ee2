//! Replies with results that no reader of any firmware would understand, and such as look odd and are plain.

use super::model::{Model, World, stamps};
use super::{MINUTE, SECOND};
use crate::device::fake::Fate;
use crate::domain::AnalyzerNews;

fn unreadable(news: &[AnalyzerNews]) -> Vec<String> {
    let told = |told: &AnalyzerNews| match told {
        AnalyzerNews::ResultsUnreadable { reply } => Some(reply.clone()),
        _ => None,
    };
    news.iter().filter_map(told).collect()
}

#[tokio::test(start_paused = true)]
async fn stamps_of_other_notations_are_read_as_the_seconds_they_are() {
    let prints: [fn(i64) -> String; 5] = [
        |stamp| format!("{stamp}.0"),
        |stamp| format!("{stamp}.25"),
        |stamp| format!("{stamp},75"),
        |stamp| format!("{stamp}250"),
        |stamp| format!("{stamp}250000"),
    ];
    for prints in prints {
        let first_stamp = 1_706_785_295;
        let mut world = World::new(Model { cycle: 20 * SECOND, first_stamp, prints, ..Model::default() });
        world.start_measuring().await;
        let news = world.listen(50 * SECOND).await;
        assert_eq!(stamps(&news), [first_stamp + 1, first_stamp + 2], "{}", prints(first_stamp));
        assert!(unreadable(&news).is_empty());
    }
}

#[tokio::test(start_paused = true)]
async fn each_reply_that_cannot_be_read_is_told_once_as_it_came() {
    let prints = |stamp| format!("day{stamp}");
    let mut world = World::new(Model { cycle: 20 * SECOND, prints, ..Model::default() });
    world.start_measuring().await;
    let news = world.listen(70 * SECOND).await;
    assert!(stamps(&news).is_empty());
    let told = ["ACON 0 day1001 74-82-8 1.5", "ACON 0 day1002 74-82-8 1.5", "ACON 0 day1003 74-82-8 1.5"];
    assert_eq!(unreadable(&news), told);
}

#[tokio::test(start_paused = true)]
async fn a_reply_that_was_garbled_once_is_read_and_told_to_nobody() {
    let mut world = World::new(Model { cycle: 20 * SECOND, ..Model::default() });
    world.start_measuring().await;
    world.listen(15 * SECOND).await;
    world.server.next("ACON", Fate::Bytes(b"\x02 ACON 0 10x1 74-82-8 1.5 \x03".to_vec()));
    let news = world.listen(MINUTE).await;
    assert_eq!((stamps(&news), unreadable(&news)), (vec![1001, 1002, 1003], Vec::new()));
}
