//! Everything that can be asked over HTTP, by which method, and what somebody must be allowed to do to get it.
//!
//! It answers nothing itself: the [`Router`](super::router::Router) does, and whoever checks permission asks here first.

use http::Method;

/// What somebody must be allowed to do to be answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Needs {
    Nothing,
    /// To see how things stand and what happens.
    Viewer,
    /// To change something.
    Operator,
}

/// What an address stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resource {
    /// The dashboard.
    Index,
    /// What the dashboard loads.
    Asset,
    Help,
    Me,
    Alive,
    Ready,
    Metrics,
    Status,
    StatusStream,
    Events,
    MergedEvents,
    Schemas,
    Schema,
    Stats,
    Connections,
    Connection,
    Subscribe,
    TestEvent,
    Runs,
    Run,
    Samples,
    Export,
    Visits,
    RunEvents,
    RunFiles,
    RunFile,
    Channels,
    Gases,
    Tasks,
    Plans,
    CheckPlan,
    /// To start a run, or to do something to it.
    Order,
    Login,
    Logout,
}

impl Resource {
    /// The resource at a path that was taken apart at its slashes.
    pub fn find(parts: &[&str]) -> Option<Self> {
        Some(match parts {
            [""] => Self::Index,
            ["dashboard", name] if !name.is_empty() => Self::Asset,
            ["help"] => Self::Help,
            ["me"] => Self::Me,
            ["healthz"] => Self::Alive,
            ["readyz"] => Self::Ready,
            ["metrics"] => Self::Metrics,
            ["status"] => Self::Status,
            ["status", "stream"] => Self::StatusStream,
            ["events"] | ["api", "events", "stream"] | ["sse", "events"] => Self::Events,
            ["gasera", "api", "measurement", "events"] | ["api", "measurement", "events"] => Self::MergedEvents,
            ["events", "schema"] => Self::Schemas,
            ["events", "schema", name] if !name.is_empty() => Self::Schema,
            ["events" | "sse", "stats"] | ["api", "events", "stats"] => Self::Stats,
            ["events" | "sse", "connections"] => Self::Connections,
            ["events", "connections", id] if !id.is_empty() => Self::Connection,
            ["events" | "sse", "subscribe"] => Self::Subscribe,
            ["events", "test"] | ["sse", "test-event"] => Self::TestEvent,
            ["runs"] => Self::Runs,
            ["runs", id] if !id.is_empty() => Self::Run,
            ["runs", id, "samples.csv"] if !id.is_empty() => Self::Samples,
            ["runs", id, "export"] if !id.is_empty() => Self::Export,
            ["runs", id, "visits"] if !id.is_empty() => Self::Visits,
            ["runs", id, "events"] if !id.is_empty() => Self::RunEvents,
            ["runs", id, "files"] if !id.is_empty() => Self::RunFiles,
            ["runs", id, "files", name] if !id.is_empty() && !name.is_empty() => Self::RunFile,
            ["channels"] => Self::Channels,
            ["gases"] => Self::Gases,
            ["tasks"] => Self::Tasks,
            ["plans"] => Self::Plans,
            ["plan", "check"] => Self::CheckPlan,
            ["control", "start" | "abort" | "pause" | "resume" | "skip" | "finish" | "note"] => Self::Order,
            ["login"] => Self::Login,
            ["logout"] => Self::Logout,
            _ => return None,
        })
    }

    /// The methods that it knows, as the header `Allow` lists them.
    pub const fn allows(self) -> &'static str {
        match self {
            Self::Connection => "DELETE",
            Self::Subscribe | Self::TestEvent | Self::CheckPlan | Self::Order | Self::Login | Self::Logout => "POST",
            _ => "GET, HEAD",
        }
    }

    pub fn knows(self, method: &Method) -> bool {
        self.allows().split(", ").any(|known| known == method.as_str())
    }

    /// No GET needs more than a viewer: none changes anything. Who follows a stream may choose what is in it.
    pub const fn needs(self) -> Needs {
        match self {
            Self::Index
            | Self::Asset
            | Self::Help
            | Self::Me
            | Self::Alive
            | Self::Ready
            | Self::Login
            | Self::Logout => Needs::Nothing,
            Self::Connection | Self::TestEvent | Self::Order => Needs::Operator,
            _ => Needs::Viewer,
        }
    }
}

/// What a call over gRPC needs, by its path. One that is not known here is taken to change something.
pub fn call_needs(path: &str) -> Needs {
    const READING: [&str; 16] = [
        "CheckPlan",
        "ListPlans",
        "GetStatus",
        "ListRuns",
        "GetRun",
        "ExportRun",
        "VerifyRun",
        "GetDevice",
        "ListTasks",
        "GetErrors",
        "GetClock",
        "GetSelfTest",
        "GetMux",
        "GetStorage",
        "GetConfig",
        "CheckConfig",
    ];
    const READING_ELSEWHERE: [&str; 4] = [
        "/gasera.v1.ScheduleService/ListSchedules",
        "/gasera.v1.StorageService/ListRunFiles",
        "/gasera.v1.StorageService/GetRunFile",
        "/gasera.v1.StorageService/ListTrash",
    ];
    match path.strip_prefix("/gasera.v1.GaseraService/") {
        Some(call) if READING.contains(&call) => Needs::Viewer,
        Some(_) => Needs::Operator,
        None if READING_ELSEWHERE.contains(&path) => Needs::Viewer,
        // The whole database is more than what a viewer is shown piece by piece: it has the audit.
        None if path == "/gasera.v1.ArchiveService/BackupStore" => Needs::Operator,
        None if path.starts_with("/gasera.v1.ArchiveService/") => Needs::Viewer,
        None if path.starts_with("/gasera.v1.") => Needs::Operator,
        None if path.starts_with("/grpc.health.v1.Health/") => Needs::Nothing,
        None => Needs::Viewer,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(path: &str) -> Option<Resource> {
        Resource::find(&path.split('/').skip(1).collect::<Vec<_>>())
    }

    #[test]
    fn what_changes_something_is_never_read_and_needs_an_operator() {
        for path in ["/events/test", "/sse/test-event", "/events/connections/7", "/control/start", "/control/note"] {
            let resource = find(path).unwrap();
            assert_eq!((resource.needs(), resource.knows(&Method::GET)), (Needs::Operator, false), "{path}");
        }
        for path in
            ["/events", "/status", "/metrics", "/events/connections", "/status/stream", "/runs/last/samples.csv"]
        {
            let resource = find(path).unwrap();
            assert_eq!((resource.needs(), resource.knows(&Method::POST)), (Needs::Viewer, false), "{path}");
        }
    }

    #[test]
    fn a_path_that_is_nearly_one_is_none() {
        for path in
            ["/events/", "/runs/", "/runs/a/b", "/events/connections/", "/event", "//", "/control/x", "/dashboard/a/b"]
        {
            assert_eq!(find(path), None, "{path}");
        }
    }

    #[test]
    fn a_call_that_is_not_known_needs_an_operator() {
        assert_eq!(call_needs("/gasera.v1.GaseraService/GetStatus"), Needs::Viewer);
        for call in ["StartMeasurement", "RawAk", "AcceptMux", "AcceptAnalyzer", "Unheard"] {
            assert_eq!(call_needs(&format!("/gasera.v1.GaseraService/{call}")), Needs::Operator, "{call}");
        }
        assert_eq!(call_needs("/gasera.v1.ScheduleService/ListSchedules"), Needs::Viewer);
        assert_eq!(call_needs("/gasera.v1.ArchiveService/GetDrift"), Needs::Viewer);
        assert_eq!(call_needs("/gasera.v1.ArchiveService/BackupStore"), Needs::Operator);
        assert_eq!(call_needs("/gasera.v1.ScheduleService/AddSchedule"), Needs::Operator);
        for (call, needs) in
            [("GetRunFile", Needs::Viewer), ("ListTrash", Needs::Viewer), ("RemoveRuns", Needs::Operator)]
        {
            assert_eq!(call_needs(&format!("/gasera.v1.StorageService/{call}")), needs, "{call}");
        }
        assert_eq!(call_needs("/grpc.health.v1.Health/Check"), Needs::Nothing);
    }
}
