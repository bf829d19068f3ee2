//! What the analyzer was told and keeps until it is rebooted, and what it then takes over.

use crate::ak::Layout;
use crate::domain::Cas;
use crate::domain::instrument::Network;

#[derive(Debug)]
pub(super) struct Setup {
    /// Which fields a result has in ACON, as SCON set it.
    pub layout: Layout,
    /// Gases that ACON gives first, as SCOR set it.
    pub order: Vec<Cas>,
    pub network: Network,
    /// What SNET set: the network after a reboot.
    pub next_network: Option<Network>,
}

impl Default for Setup {
    fn default() -> Self {
        let network =
            Network { dhcp: false, address: "127.0.0.1".into(), netmask: "255.0.0.0".into(), gateway: String::new() };
        Self { layout: Layout::PLAIN, order: Vec::new(), network, next_network: None }
    }
}

impl Setup {
    pub fn reboot(&mut self) {
        let network = self.next_network.take().unwrap_or_else(|| self.network.clone());
        *self = Self { network, ..Self::default() };
    }

    /// The place of a gas in ACON: gases without one keep their order behind the others.
    pub fn place(&self, cas: &str) -> usize {
        self.order.iter().position(|ordered| ordered.0 == cas).unwrap_or(self.order.len())
    }
}
