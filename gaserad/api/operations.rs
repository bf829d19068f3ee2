//! All operations of the HTTP interface, by what they are about. A new one is written beside its handler; a new module of
//! them gets its line here.

use std::sync::Arc;

use super::document::Document;
use super::gate::Gate;
use super::operation::Endpoint;
use super::page::Page;
use super::{
    Services, document, events, export, facts, gate, health, metrics, orders, oversight, page, runs, schedules,
    schemas, status_stream, storage,
};

/// Each with what it is answered from.
pub fn all(services: &Services, gate: &Arc<Gate>, page: &Arc<Page>, document: &Arc<Document>) -> Vec<Endpoint> {
    let mut all = group("page", page::endpoints(), page);
    all.extend(group("login", gate::endpoints(), gate));
    all.extend(group("help", document::endpoints(), document));
    let groups = [
        ("health", health::endpoints()),
        ("health", metrics::endpoints()),
        ("state", facts::endpoints()),
        ("state", status_stream::endpoints()),
        ("state", schedules::endpoints()),
        ("events", events::endpoints()),
        ("events", schemas::endpoints()),
        ("events", oversight::endpoints()),
        ("runs", runs::endpoints()),
        ("runs", export::endpoints()),
        ("runs", storage::endpoints()),
        ("control", orders::endpoints()),
    ];
    all.extend(groups.into_iter().flat_map(|(about, some)| group(about, some, services)));
    all
}

fn group<S: Clone + Send + Sync + 'static>(about: &str, endpoints: Vec<Endpoint<S>>, state: &S) -> Vec<Endpoint> {
    endpoints.into_iter().map(|endpoint| endpoint.about(about).with(state)).collect()
}
