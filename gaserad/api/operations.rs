//! All operations of the HTTP interface, by what they are about. A new one is written beside its handler; a new module of
//! them gets its line here.

use super::operation::Operation;
use super::{
    document, events, export, facts, gate, health, metrics, orders, oversight, page, runs, schedules, schemas,
    status_stream, storage,
};

pub fn all() -> Vec<Operation> {
    let groups = [
        ("page", page::operations()),
        ("help", document::operations()),
        ("health", health::operations()),
        ("health", metrics::operations()),
        ("login", gate::operations()),
        ("state", status_stream::operations()),
        ("events", events::operations()),
        ("events", schemas::operations()),
        ("events", oversight::operations()),
        ("runs", runs::operations()),
        ("runs", export::operations()),
        ("runs", storage::operations()),
        ("state", facts::operations()),
        ("state", schedules::operations()),
        ("control", orders::operations()),
    ];
    groups.into_iter().flat_map(|(about, some)| some.into_iter().map(move |one| one.about(about))).collect()
}
