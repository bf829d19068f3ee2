//! What passes between the host and a device, for whoever keeps a log of it.

/// Which way bytes went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// From the host to the device.
    Out,
    In,
}

/// Hears every byte. It is called in passing and must not wait for anything.
pub trait Wire: Send + Sync {
    fn passed(&self, way: Way, bytes: &[u8]);
}
