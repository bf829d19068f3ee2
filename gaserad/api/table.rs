//! What stands at which path: everything that must be known of a request before it is answered.

use std::collections::BTreeMap;

use http::Method;

use super::auth::Needs;
use super::operation::Operation;

/// By path, as the routes have it.
pub struct OperationTable(BTreeMap<String, Place>);

/// The operations at one path.
#[derive(Default)]
pub struct Place(Vec<Standing>);

struct Standing {
    methods: &'static [&'static str],
    needs: Needs,
    is_stream: bool,
    keeps_itself: bool,
    takes_query: bool,
}

impl OperationTable {
    pub fn of<'a>(operations: impl Iterator<Item = &'a Operation>) -> Self {
        let mut places: BTreeMap<String, Place> = BTreeMap::new();
        for operation in operations {
            for path in operation.paths() {
                places.entry(path).or_default().0.push(Standing {
                    methods: operation.methods(),
                    needs: operation.needs,
                    is_stream: operation.is_stream,
                    keeps_itself: operation.keeps_itself,
                    takes_query: operation.query_keys().next().is_some(),
                });
            }
        }
        Self(places)
    }

    pub fn at(&self, path: &str) -> Option<&Place> {
        self.0.get(path)
    }
}

impl Place {
    fn by(&self, method: &Method) -> Option<&Standing> {
        self.0.iter().find(|standing| standing.methods.contains(&method.as_str()))
    }

    pub fn knows(&self, method: &Method) -> bool {
        self.by(method).is_some()
    }

    /// The methods that are known here, as the header `Allow` lists them.
    pub fn methods(&self) -> String {
        self.0.iter().flat_map(|standing| standing.methods).copied().collect::<Vec<_>>().join(", ")
    }

    /// With a method that is not known, what the most demanding one needs.
    pub fn needs(&self, method: &Method) -> Needs {
        let most = || self.0.iter().map(|standing| standing.needs).max().unwrap_or(Needs::Operator);
        self.by(method).map_or_else(most, |standing| standing.needs)
    }

    /// Whether any query key is known.
    pub fn takes_query(&self, method: &Method) -> bool {
        self.by(method).is_some_and(|standing| standing.takes_query)
    }

    /// Whether the answer may be a stream.
    pub fn streams(&self, method: &Method) -> bool {
        method == Method::GET && self.by(method).is_some_and(|standing| standing.is_stream)
    }

    /// Whether the answer is kept in the audit: it may have changed something, and nobody else keeps it.
    pub fn keeps(&self, method: &Method) -> bool {
        self.by(method).is_some_and(|standing| standing.needs == Needs::Operator && !standing.keeps_itself)
    }
}
