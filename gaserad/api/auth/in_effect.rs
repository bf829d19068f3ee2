//! Who may ask for what, while that may change.

use std::sync::{Arc, PoisonError, RwLock};

use super::Access;

/// The access in effect. Another one may take its place, and goes on with what peers did.
pub struct AccessInEffect(RwLock<Arc<Access>>);

impl AccessInEffect {
    pub fn new(access: Access) -> Self {
        Self(RwLock::new(Arc::new(access)))
    }

    pub fn get(&self) -> Arc<Access> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// For all that is asked from here on. Places at the doors stay as they are.
    pub fn replace(&self, access: Access) {
        let mut place = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let rates = place.rates.clone();
        *place = Arc::new(Access { rates, ..access });
    }
}
