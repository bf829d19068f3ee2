//! Tells the valve's owner which multiplexer may be moved, so that an order that meets another one moves nothing.

use super::Runtime;

impl Runtime {
    /// Before the order that comes now.
    pub(super) fn say_who_is_expected(&mut self) {
        let known = self.state.known_multiplexer();
        if self.expected.as_ref() != known {
            self.expected = known.cloned();
            self.valve.expect(self.expected.clone());
        }
    }
}
