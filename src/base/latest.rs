//! The two ways results reach the window without making the analysis wait.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A slot that holds only the newest value: the picture.
#[derive(Debug)]
pub struct Latest<T>(Arc<Mutex<Option<T>>>);

impl<T> Clone for Latest<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T> Default for Latest<T> {
    fn default() -> Self {
        Self(Arc::new(Mutex::new(None)))
    }
}

impl<T> Latest<T> {
    /// Puts `value` in the slot; an unread one is dropped.
    pub fn put(&self, value: T) {
        *lock(&self.0) = Some(value);
    }

    #[must_use]
    pub fn take(&self) -> Option<T> {
        lock(&self.0).take()
    }
}

/// An unbounded batch of small events: nothing is lost, the sender never waits,
/// the reader swaps the whole batch out.
#[derive(Debug)]
pub struct Mailbox<T>(Arc<Mutex<Vec<T>>>);

impl<T> Clone for Mailbox<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T> Default for Mailbox<T> {
    fn default() -> Self {
        Self(Arc::new(Mutex::new(Vec::new())))
    }
}

impl<T> Mailbox<T> {
    pub fn post(&self, events: impl IntoIterator<Item = T>) {
        lock(&self.0).extend(events);
    }

    #[must_use]
    pub fn take_all(&self) -> Vec<T> {
        std::mem::take(&mut *lock(&self.0))
    }
}

/// A panic while a value was being moved in cannot leave it half written, so a
/// poisoned slot is still good.
fn lock<T>(slot: &Mutex<T>) -> MutexGuard<'_, T> {
    slot.lock().unwrap_or_else(PoisonError::into_inner)
}
