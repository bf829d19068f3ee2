//! The order of the phases within an iteration.

use crate::domain::AnalyzerPhase;

pub const GAS_EXCHANGE: u8 = 1;
pub const INTEGRATION: u8 = 2;
pub const ANALYSIS: u8 = 3;

/// 0 is outside of an iteration.
pub const fn rank(phase: AnalyzerPhase) -> u8 {
    match phase {
        AnalyzerPhase::GasExchange => GAS_EXCHANGE,
        AnalyzerPhase::Integration => INTEGRATION,
        AnalyzerPhase::Analysis => ANALYSIS,
        AnalyzerPhase::None | AnalyzerPhase::LaserTuning | AnalyzerPhase::Other(_) => 0,
    }
}
