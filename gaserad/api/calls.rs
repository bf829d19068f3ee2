//! What a call over gRPC needs: the contract itself says which calls change nothing.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use prost::Message;
use prost_types::FileDescriptorSet;
use prost_types::method_options::IdempotencyLevel;

use super::auth::Needs;
use crate::proto;

/// By path, of all calls in the contract.
static NEEDS: LazyLock<BTreeMap<String, Needs>> = LazyLock::new(|| {
    let contract = FileDescriptorSet::decode(proto::DESCRIPTORS).unwrap_or_default();
    let mut needs = BTreeMap::new();
    for file in &contract.file {
        for service in &file.service {
            for call in &service.method {
                let path = format!("/{}.{}/{}", file.package(), service.name(), call.name());
                let level = call.options.as_ref().map(prost_types::MethodOptions::idempotency_level);
                let reads = level == Some(IdempotencyLevel::NoSideEffects);
                needs.insert(path, if reads { Needs::Viewer } else { Needs::Operator });
            }
        }
    }
    needs
});

/// By the path of the call. One that is not known is taken to change something.
pub fn needs(path: &str) -> Needs {
    match NEEDS.get(path) {
        Some(needs) => *needs,
        None if path.starts_with("/gasera.v1.") => Needs::Operator,
        None if path.starts_with("/grpc.health.v1.Health/") => Needs::Nothing,
        None => Needs::Viewer,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_that_is_not_known_needs_an_operator() {
        assert_eq!(needs("/gasera.v1.GaseraService/GetStatus"), Needs::Viewer);
        for call in ["StartMeasurement", "RawAk", "AcceptMux", "AcceptAnalyzer", "Unheard"] {
            assert_eq!(needs(&format!("/gasera.v1.GaseraService/{call}")), Needs::Operator, "{call}");
        }
        assert_eq!(needs("/gasera.v1.ScheduleService/ListSchedules"), Needs::Viewer);
        assert_eq!(needs("/gasera.v1.ArchiveService/GetDrift"), Needs::Viewer);
        assert_eq!(needs("/gasera.v1.ArchiveService/BackupStore"), Needs::Operator);
        assert_eq!(needs("/gasera.v1.ScheduleService/AddSchedule"), Needs::Operator);
        for (call, expected) in
            [("GetRunFile", Needs::Viewer), ("ListTrash", Needs::Viewer), ("RemoveRuns", Needs::Operator)]
        {
            assert_eq!(needs(&format!("/gasera.v1.StorageService/{call}")), expected, "{call}");
        }
        assert_eq!(needs("/grpc.health.v1.Health/Check"), Needs::Nothing);
    }
}
