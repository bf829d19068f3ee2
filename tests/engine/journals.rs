//! Journals as builds with each earlier schema wrote them give the effects that they gave. `journals/N.jsonl` is the last
//! build's with schema N; those with 4 to 8 wrote the same. Of runs that began under the first schema it was not noted where
//! their journal begins, so none is stepped through.
//!
//! The story: a visit is paused and resumed, the valve turned by hand, the power fails; a second run is aborted; in a third,
//! the analyzer is seen idle for a moment.
//!
//! Where a word changes that effects are written with, `BLESS=1 cargo test earlier_schema` writes them anew; read the
//! difference: nothing else may have changed.

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

use gasera::engine;

fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/engine/journals").join(name)
}

fn effects(schema: u32) -> String {
    let journal = fs::read_to_string(file(&format!("{schema}.jsonl"))).unwrap();
    let events =
        journal.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}")));
    let mut text = String::new();
    for (at, effects) in engine::replay(events) {
        for effect in effects {
            writeln!(text, "{} {effect:?}", at.tick.as_micros()).unwrap();
        }
    }
    text
}

#[test]
fn journals_of_every_earlier_schema_give_the_same_effects() {
    // Schemas whose journals give the same effects have one file.
    for (schema, gave) in [(2, 2), (3, 3), (4, 3), (9, 9), (10, 9)] {
        let (gives, file) = (effects(schema), file(&format!("{gave}.effects")));
        if std::env::var_os("BLESS").is_some() {
            fs::write(&file, &gives).unwrap();
        }
        let gave = fs::read_to_string(&file).unwrap();
        let differs = gives.lines().zip(gave.lines()).find(|(gives, gave)| gives != gave);
        assert_eq!(differs, None, "schema {schema}");
        assert_eq!(gives.lines().count(), gave.lines().count(), "schema {schema}");
    }
}
