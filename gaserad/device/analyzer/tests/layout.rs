//! Another program changes the layout of results in the middle of a run.

use super::model::{Model, World, results, stamps};
use super::{MINUTE, SECOND};
use crate::device::fake::Fate;

const GASES: &[(&str, &str)] = &[("74-82-8", "1.5"), ("124-38-9", "410"), ("7732-18-5", "7000.25")];
const THREE_MORE: &[(&str, &str)] = &[("74-82-8", "1.5"), ("124-38-9", "410"), ("7732-18-5", "0"), ("630-08-0", "3")];
const WHOLE: &[(&str, &str)] = &[("74-82-8", "2"), ("124-38-9", "0")];

fn all_layouts() -> impl Iterator<Item = [bool; 4]> {
    (0..16_u8).map(|bits| std::array::from_fn(|at| bits & (1 << at) != 0))
}

#[tokio::test(start_paused = true)]
async fn no_layout_makes_a_result_lost_or_misread() {
    for gases in [GASES, THREE_MORE, WHOLE, &GASES[..1], &WHOLE[..1]] {
        for layout in all_layouts() {
            let mut world = World::new(Model { cycle: 20 * SECOND, gases, ..Model::default() });
            world.start_measuring().await;
            world.listen(3 * SECOND).await;
            for changed_at in [5, 12, 19] {
                let mut news = world.listen(changed_at * SECOND).await;
                world.model().layout = layout;
                news.extend(world.listen((40 - changed_at) * SECOND).await);
                for read in results(&news) {
                    let values: Vec<Option<f64>> = read.sample.readings.iter().map(|reading| reading.ppm).collect();
                    let true_ones: Vec<Option<f64>> = gases.iter().map(|(_, ppm)| ppm.parse().ok()).collect();
                    assert_eq!(values, true_ones, "{layout:?}");
                }
                assert_eq!(stamps(&news).len(), 2, "{layout:?} of {} gases: {news:?}", gases.len());
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_result_is_read_although_the_layout_is_set_back_with_difficulty() {
    let mut world = World::new(Model { cycle: 20 * SECOND, gases: GASES, ..Model::default() });
    world.start_measuring().await;
    world.listen(10 * SECOND).await;
    world.model().layout = [true, true, false, false];
    for _ in 0..2 {
        world.server.next("SCON", Fate::Close);
    }
    assert_eq!(stamps(&world.listen(15 * SECOND).await), [1001]);
}

#[tokio::test(start_paused = true)]
async fn firmware_with_one_layout_is_read_by_it() {
    let mut world = World::new(Model { refused: vec!["SCON"], cycle: 20 * SECOND, gases: WHOLE, ..Model::default() });
    world.start_measuring().await;
    assert_eq!(stamps(&world.listen(50 * SECOND).await), [1001, 1002]);
    assert!(world.server.count("SCON") <= 3, "{}", world.server.count("SCON"));
}

#[tokio::test(start_paused = true)]
async fn an_undisturbed_layout_is_not_set_again() {
    let mut world = World::new(Model { gases: GASES, ..Model::default() });
    world.start_measuring().await;
    let before = world.server.count("SCON");
    world.listen(30 * MINUTE).await;
    assert_eq!(world.server.count("SCON"), before);
}
