//! Which sockets the kernel told something of.

use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Wake, Waker};

use tokio::sync::Notify;

#[derive(Default)]
pub struct Ready {
    indices: Mutex<Vec<usize>>,
    some: Notify,
}

impl Ready {
    pub fn waker(self: &Arc<Self>, index: usize) -> Waker {
        Arc::new(Socket { index, ready: self.clone() }).into()
    }

    /// Until there is one.
    pub async fn some(&self) {
        self.some.notified().await;
    }

    pub fn take(&self) -> Vec<usize> {
        std::mem::take(&mut self.indices.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

struct Socket {
    index: usize,
    ready: Arc<Ready>,
}

impl Wake for Socket {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.ready.indices.lock().unwrap_or_else(PoisonError::into_inner).push(self.index);
        self.ready.some.notify_one();
    }
}
